/* SPDX-License-Identifier: BSD-2-Clause */
/* Names for code addresses, from the table that is linked into the image. No state, no locks. */
#ifndef HYPERVISOR_SYMBOLS_H
#define HYPERVISOR_SYMBOLS_H

#include <stdint.h>

/*
 * The name of the function that `address` lies in, and how far into it; NULL if it is not in the
 * hypervisor's code.
 */
const char *symbols_find(uint64_t address, uint64_t *offset);

#endif
