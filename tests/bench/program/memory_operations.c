// SPDX-License-Identifier: BSD-2-Clause
/*
 * Page tables. Regions lie at an address of their own with the alignment of a huge page, so that
 * each run and each system has the same tables; whether huge pages are used is said by prctl(),
 * which lasts, and not by madvise(), which would be one call more.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <ucontext.h>

#include "memory.h"
#include "operation.h"

#define POPULATE_SIZE (16ul << 20)
#define TOUCH_PAGES   4096
#define GIB	      (1ul << 30)
#define WRITE_SIZE    3 /* of movb $1, (%rax) */

static volatile char *region;
static volatile uint64_t violations;

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

/*
 * The textbook case: 262,144 entries of page tables. All are of the page of zeros, so that a small
 * machine will do.
 */
static void map_gib(void)
{
	forbid_huge();
	region = memory_map(GIB);
}

static void perform_populate_gib(uint64_t iterations)
{
	(void)iterations;
	operation_check(madvise((void *)region, GIB, MADV_POPULATE_READ) == 0,
			"MADV_POPULATE_READ");
}

static void map_populated_gib(void)
{
	map_gib();
	perform_populate_gib(1);
}

static void perform_read_gib(uint64_t iterations)
{
	uint64_t offset;

	(void)iterations;
	for (offset = 0; offset < GIB; offset += MEMORY_PAGE)
		region[offset];
}

static void unmap_gib(void)
{
	munmap((void *)region, GIB);
	allow_huge();
}

/* A write that is not allowed, a signal, and on after it. */
static void skip_write(int number, siginfo_t *info, void *context)
{
	ucontext_t *interrupted = context;

	(void)number;
	(void)info;
	interrupted->uc_mcontext.gregs[REG_RIP] += WRITE_SIZE;
	violations++;
}

static void protect_one(void)
{
	struct sigaction action = { .sa_sigaction = skip_write, .sa_flags = SA_SIGINFO };

	region = memory_map(MEMORY_PAGE);
	*region = 1;
	operation_check(mprotect((void *)region, MEMORY_PAGE, PROT_READ) == 0 &&
				sigaction(SIGSEGV, &action, NULL) == 0,
			"a page that cannot be written");
	violations = 0;
}

static void perform_violation(uint64_t iterations)
{
	uint64_t i;

	for (i = 0; i < iterations; i++)
		asm volatile("movb $1, (%0)" : : "a"(region) : "memory");
	operation_check(violations == iterations, "signals are missing");
}

static void unprotect_one(void)
{
	signal(SIGSEGV, SIG_DFL);
	munmap((void *)region, MEMORY_PAGE);
}

const struct operation memory_operations[] = {
	{ "touch", TOUCH_PAGES, map_small, perform_touch, unmap_small, NULL },
	{ "populate-huge", 4, allow_huge, perform_populate, NULL, NULL },
	{ "populate-small", 4, forbid_huge, perform_populate, allow_huge, NULL },
	{ "map-touch-unmap", 1000, NULL, perform_map, NULL, NULL },
	{ "protect", 2000, map_one, perform_protect, unmap_one, NULL },
	{ "violation", 2000, protect_one, perform_violation, unprotect_one, NULL },
	{ "populate-gib", 1, map_gib, perform_populate_gib, unmap_gib, NULL },
	{ "read-gib", 1, map_populated_gib, perform_read_gib, unmap_gib, NULL },
	{},
};
