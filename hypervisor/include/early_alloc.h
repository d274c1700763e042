/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory from the boot map before there is a frame allocator (early_alloc.c). What is taken
 * here is never given back.
 *
 * It comes from the top of RAM downwards: the low megabyte, the first 16 MiB and as much as
 * possible of what follows stay free for the control domain. Boot processor only, no locks.
 */
#ifndef HYPERVISOR_EARLY_ALLOC_H
#define HYPERVISOR_EARLY_ALLOC_H

#include <stdint.h>

struct early_range {
	uint64_t start; /* physical; whole pages */
	uint64_t size;
};

/*
 * Contiguous zeroed pages; returns the physical address. Ends in boot_refuse() when there is no
 * room.
 */
uint64_t early_alloc(uint64_t pages);
/* The same by pointer, for whole structures. */
void *early_alloc_pointer(uint64_t bytes);

/*
 * All that was taken, in no order. For frame_init(), which is the end of early allocation:
 * later calls panic.
 */
const struct early_range *early_alloc_ranges(uint32_t *count);

/* At first only memory below 4 GiB is mapped, and used; paging.c calls this when all of it is. */
void early_alloc_use_all(void);

#endif
