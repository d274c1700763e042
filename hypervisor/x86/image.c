// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where the hypervisor itself is in memory, as the link script laid it out.
 *
 * Interface: arch_image_range() of arch.h. Locks: none, nothing changes.
 */
#include "arch.h"

#include "layout.h"

extern char image_start[], image_end[];

void arch_image_range(uint64_t *start, uint64_t *size)
{
	*start = (uint64_t)image_start - LAYOUT_IMAGE;
	*size = (uint64_t)(image_end - image_start);
}
