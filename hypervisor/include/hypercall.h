/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a number to a function (hypercall.c), made from abi/hypercalls.def.
 */
#ifndef HYPERVISOR_HYPERCALL_H
#define HYPERVISOR_HYPERCALL_H

#include <stdint.h>

/*
 * The arguments in the order of the C calling convention, the number last: entry.S calls it
 * with few moves.
 */
int64_t hypercall_dispatch(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
			   uint64_t a5, uint64_t number);

/* "mmu_batch", or "?" for a number that is none. */
const char *hypercall_name(uint64_t number);

int64_t do_version(void);

#endif
