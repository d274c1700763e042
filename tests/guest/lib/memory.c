// SPDX-License-Identifier: BSD-2-Clause
/*
 * Pages: a pointer that moves up through the range of RAM the image lies in, and a list of freed
 * pages. One lock.
 * Odd: the start information and an initrd lie in the same range and are stepped over.
 */
#include "memory.h"

#include "test.h"

extern char guest_end[];

struct free_page {
	struct free_page *next;
};

static struct spinlock lock;
static struct free_page *free_pages;
static uint64_t next; /* physical address of the first byte never handed out */
static uint64_t limit;
static uint64_t start_info_page;

static uint64_t align_up(uint64_t value, uint64_t alignment)
{
	return (value + alignment - 1) & ~(alignment - 1);
}

void memory_init(uint64_t start_info_address)
{
	uint32_t i;

	start_info_page = start_info_address & ~(PAGE_SIZE - 1);
	next = align_up(physical_of(guest_end), PAGE_SIZE);
	for (i = 0; i < start_info->ranges && i < RF_START_RANGES; i++) {
		const struct rf_start_range *range = &start_info->range[i];

		if (range->kind == RF_RANGE_RAM && range->start <= next &&
		    next - range->start < range->size)
			limit = range->start + range->size;
	}
	if (limit > (uint64_t)DIRECT_GIB << 30)
		limit = (uint64_t)DIRECT_GIB << 30;
}

static bool overlaps(uint64_t start, uint64_t size, uint64_t other, uint64_t other_size)
{
	return start < other + other_size && other < start + size;
}

static uint64_t take(uint64_t count, uint64_t alignment)
{
	uint64_t start = align_up(next, alignment);
	uint64_t size = count * PAGE_SIZE;

	if (overlaps(start, size, start_info_page, PAGE_SIZE))
		start = align_up(start_info_page + PAGE_SIZE, alignment);
	if (start_info->initrd_size &&
	    overlaps(start, size, start_info->initrd_start, start_info->initrd_size))
		start = align_up(start_info->initrd_start + start_info->initrd_size, alignment);
	if (start + size > limit)
		ERROR("out of memory: %lu pages at %#lx, limit %#lx", count, start, limit);
	next = start + size;
	return start;
}

void *pages_alloc(uint64_t count, uint64_t alignment)
{
	void *pages;

	spin_lock(&lock);
	pages = pointer_of(take(count, alignment));
	spin_unlock(&lock);
	return memset(pages, 0, count * PAGE_SIZE);
}

void *page_alloc(void)
{
	struct free_page *page;

	spin_lock(&lock);
	page = free_pages;
	if (page)
		free_pages = page->next;
	else
		page = pointer_of(take(1, PAGE_SIZE));
	spin_unlock(&lock);
	return memset(page, 0, PAGE_SIZE);
}

void page_free(void *pointer)
{
	struct free_page *page = pointer;

	spin_lock(&lock);
	page->next = free_pages;
	free_pages = page;
	spin_unlock(&lock);
}

void memory_untouched(uint64_t *first_gfn, uint64_t *end_gfn)
{
	*first_gfn = next / PAGE_SIZE;
	*end_gfn = limit / PAGE_SIZE;
}
