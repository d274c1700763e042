/* SPDX-License-Identifier: BSD-2-Clause */
/* The four segment descriptors that a guest may choose (descriptor.c). */
#ifndef X86_DESCRIPTOR_H
#define X86_DESCRIPTOR_H

#include <stdint.h>

/* GDT_TLS_COUNT of them go into this CPU's table. */
void descriptor_load(const uint64_t *descriptors);

#endif
