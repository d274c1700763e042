// SPDX-License-Identifier: BSD-2-Clause
/*
 * Takes memory from the boot map, before there is a frame allocator.
 *
 * Interface: early_alloc.h. Locks: none, boot processor only.
 * Odd: it grows downwards from the highest place that is free of modules, so that nearly all it
 * takes is one range.
 */
#include "early_alloc.h"

#include <stdbool.h>
#include <stddef.h>

#include "arch.h"
#include "assert.h"
#include "boot.h"
#include "boot_info.h"
#include "layout.h"
#include "panic.h"
#include "string.h"

#define PAGE_SHIFT   12
#define PAGE_2M	     (2ULL << 20)
#define RANGES_MAX   64
/* Below it: what firmware uses, the image, and the place where a control domain likes to begin. */
#define LOWEST	     0x1000000ULL
#define EARLY_MAPPED (1ULL << 32)

static struct early_range taken[RANGES_MAX];
static uint32_t taken_count;
static uint64_t limit = EARLY_MAPPED;
static bool closed;

static bool overlaps(uint64_t start, uint64_t end, uint64_t other, uint64_t size)
{
	return start < other + size && other < end;
}

/* The first page of something that lies in [start, end), or `end`. */
static uint64_t obstacle(uint64_t start, uint64_t end)
{
	for (uint32_t i = 0; i < boot_info.module_count; i++) {
		const struct boot_module *m = &boot_info.modules[i];

		if (overlaps(start, end, m->start, m->size))
			return m->start & ~((1ULL << PAGE_SHIFT) - 1);
	}
	for (uint32_t i = 0; i < taken_count; i++)
		if (overlaps(start, end, taken[i].start, taken[i].size))
			return taken[i].start;
	return end;
}

/*
 * The highest place of `size` bytes in one range of RAM, or 0. What is 2 MiB or more is aligned
 * to that.
 */
static uint64_t place_in(const struct boot_range *range, uint64_t size)
{
	uint64_t alignment = size < PAGE_2M ? 1ULL << PAGE_SHIFT : PAGE_2M;
	uint64_t first = range->start > LOWEST ? range->start : LOWEST;
	uint64_t end = range->start + range->size < limit ? range->start + range->size : limit;

	while (end > first && end - first >= size) {
		uint64_t start = (end - size) & ~(alignment - 1);
		uint64_t blocked = obstacle(start, start + size);

		if (start < first)
			return 0;
		if (blocked == start + size)
			return start;
		end = blocked;
	}
	return 0;
}

static void note(uint64_t start, uint64_t size)
{
	for (uint32_t i = 0; i < taken_count; i++) {
		if (taken[i].start == start + size) {
			taken[i].start = start;
			taken[i].size += size;
			return;
		}
	}
	if (taken_count == RANGES_MAX)
		panic("early memory is in more than %d pieces", RANGES_MAX);
	taken[taken_count++] = (struct early_range){ start, size };
}

uint64_t early_alloc(uint64_t pages)
{
	uint64_t size = pages << PAGE_SHIFT;

	BUG_ON(closed || pages == 0);
	for (uint32_t i = boot_info.range_count; i-- > 0;) {
		const struct boot_range *range = &boot_info.ranges[i];
		uint64_t start = range->type == BOOT_RAM ? place_in(range, size) : 0;

		if (start != 0) {
			note(start, size);
			memset(arch_frame_pointer(start >> PAGE_SHIFT), 0, size);
			return start;
		}
	}
	boot_refuse("too little memory: no room for %lu KiB of the hypervisor's own tables",
		    size >> 10);
}

void *early_alloc_pointer(uint64_t bytes)
{
	uint64_t pages = (bytes + (1ULL << PAGE_SHIFT) - 1) >> PAGE_SHIFT;

	return arch_frame_pointer(early_alloc(pages) >> PAGE_SHIFT);
}

const struct early_range *early_alloc_ranges(uint32_t *count)
{
	closed = true;
	*count = taken_count;
	return taken;
}

void early_alloc_use_all(void)
{
	limit = LAYOUT_DIRECT_MAP_END - LAYOUT_DIRECT_MAP;
}
