/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest-physical memory: addresses, and an allocator of pages. Pages come zeroed from above the
 * image, out of what the start information calls RAM, below DIRECT_GIB.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdint.h>

#include "layout.h"

#define PAGE_SIZE	4096UL
#define LARGE_PAGE_SIZE 0x200000UL

/*
 * Where a guest-physical address is seen (in the direct map), and the reverse for that map and the
 * image.
 */
static inline void *pointer_of(uint64_t physical)
{
	return (void *)(DIRECT_BASE + physical);
}

static inline uint64_t physical_of(const void *pointer)
{
	uint64_t address = (uint64_t)pointer;

	return address >= IMAGE_BASE ? address - IMAGE_BASE : address - DIRECT_BASE;
}

void memory_init(uint64_t start_info_address);

/*
 * `count` pages in a row, aligned to `alignment` bytes (a power of two, at least a page); ends the
 * test when there are none.
 */
void *pages_alloc(uint64_t count, uint64_t alignment);
void *page_alloc(void);
void page_free(void *page);

/* First and last + 1 of the frames that pages_alloc() has not yet touched. */
void memory_untouched(uint64_t *first_gfn, uint64_t *end_gfn);

#endif
