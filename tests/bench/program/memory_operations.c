// SPDX-License-Identifier: BSD-2-Clause
/*
 * Page tables. Regions lie at an address of their own with the alignment of a huge page, so that
 * each run and each system has the same tables; whether huge pages are used is said by prctl(),
 * which lasts, and not by madvise(), which would be one call more.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "memory.h"
#include "operation.h"

#define POPULATE_SIZE (16ul << 20)
#define TOUCH_PAGES   4096

static volatile char *region;

void memory_allow_huge(bool allow)
{
	operation_check(prctl(PR_SET_THP_DISABLE, !allow, 0, 0, 0) == 0, "PR_SET_THP_DISABLE");
}

void *memory_map(uint64_t size)
{
	void *address = mmap((void *)MEMORY_REGION, size, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	operation_check(address == (void *)MEMORY_REGION, "mmap");
	return address;
}

static void forbid_huge(void)
{
	memory_allow_huge(false);
}

static void allow_huge(void)
{
	memory_allow_huge(true);
}

static void map_small(void)
{
	forbid_huge();
	region = memory_map(TOUCH_PAGES * MEMORY_PAGE);
}

static void perform_touch(uint64_t iterations)
{
	uint64_t i;

	for (i = 0; i < iterations; i++)
		region[i * MEMORY_PAGE] = 1;
}

static void unmap_small(void)
{
	munmap((void *)region, TOUCH_PAGES * MEMORY_PAGE);
	allow_huge();
}

static void perform_populate(uint64_t iterations)
{
	while (iterations--) {
		void *address = memory_map(POPULATE_SIZE);

		operation_check(madvise(address, POPULATE_SIZE, MADV_POPULATE_WRITE) == 0,
				"MADV_POPULATE_WRITE");
		munmap(address, POPULATE_SIZE);
	}
}

static void perform_map(uint64_t iterations)
{
	while (iterations--) {
		volatile char *address = memory_map(MEMORY_PAGE);

		*address = 1;
		munmap((void *)address, MEMORY_PAGE);
	}
}

static void map_one(void)
{
	region = memory_map(MEMORY_PAGE);
	*region = 1;
}

static void perform_protect(uint64_t iterations)
{
	void *address = (void *)region;

	while (iterations--) {
		mprotect(address, MEMORY_PAGE, PROT_READ);
		mprotect(address, MEMORY_PAGE, PROT_READ | PROT_WRITE);
		*region = 1;
	}
}

static void unmap_one(void)
{
	munmap((void *)region, MEMORY_PAGE);
}

const struct operation memory_operations[] = {
	{ "touch", TOUCH_PAGES, map_small, perform_touch, unmap_small },
	{ "populate-huge", 4, allow_huge, perform_populate, NULL },
	{ "populate-small", 4, forbid_huge, perform_populate, allow_huge },
	{ "map-touch-unmap", 1000, NULL, perform_map, NULL },
	{ "protect", 2000, map_one, perform_protect, unmap_one },
	{},
};
