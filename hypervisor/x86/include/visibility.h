/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Included before everything else (Makefile). The option -fvisibility=hidden covers definitions only: without this, the
 * address of something that another file defines is read from an offset table, which the image must not have.
 */
#ifndef X86_VISIBILITY_H
#define X86_VISIBILITY_H

#pragma GCC visibility push(hidden)

#endif
