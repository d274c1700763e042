// SPDX-License-Identifier: GPL-2.0
/* Mappings: made, protected, moved, grown, taken away; by page, and by ranges that are very wide. */
#include "memory.h"

#include <sys/resource.h>

#define GIB		(1UL << 30)
#define LAST_PAGE	0x7fffffffe000UL /* of what Linux gives its users */
#define RETURN		0xc3

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

static void test_protect(void)
{
	size_t size = 64 * PAGE;
	uint8_t *at = map(size), *page;
	int i;

	fill(at, size, 4);
	for (i = 0; i < 64; i += 3) {
		page = at + (size_t)i * PAGE;
		check(try_access(page, EXECUTE) == SIGSEGV);
		check(mprotect(page, PAGE, PROT_READ) == 0);
		check(try_access(page, READ) == 0 && try_access(page, WRITE) == SIGSEGV);
		check(mprotect(page, PAGE, PROT_NONE) == 0);
		check(try_access(page, READ) == SIGSEGV && try_access(page, WRITE) == SIGSEGV);
		check(mprotect(page, PAGE, READ_WRITE) == 0);
		check(try_access(page, WRITE) == 0);
		*page = RETURN;
		check(mprotect(page, PAGE, PROT_READ | PROT_EXEC) == 0);
		check(try_access(page, EXECUTE) == 0 && try_access(page, WRITE) == SIGSEGV);
		check(mprotect(page, PAGE, READ_WRITE) == 0);
		check(try_access(page, EXECUTE) == SIGSEGV);
		fill(at, (size_t)(i + 1) * PAGE, 4);
		if (i % 16 == 0)
			audit();
	}
	check(holds(at, size, 4));
}

static void test_unmap(void)
{
	size_t size = 64 * PAGE;
	uint8_t *at = map(size);
	int i;

	for (i = 0; i < 20; i++) {
		fill(at, size, 5);
		check(munmap(at + PAGE, size / 2) == 0);
		check(try_access(at + PAGE, READ) == SIGSEGV);
		check(try_access(at + size / 2, WRITE) == SIGSEGV);
		check(holds(at, PAGE, 5));
		check(mmap(at + PAGE, size / 2, READ_WRITE, ANONYMOUS | MAP_FIXED, -1, 0) ==
		      at + PAGE);
		check(is_zero(at + PAGE, size / 2));
	}
}

static void test_remap(void)
{
	size_t size = 600 * PAGE;
	uint8_t *from = map(size), *to = map(2 * size), *grown;

	fill(from, size, 6);
	fill(to, size, 7);
	check(mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to + size) == to + size);
	check(try_access(from, READ) == SIGSEGV && try_access(from + size - 1, READ) == SIGSEGV);
	check(holds(to, size, 7) && holds(to + size, size, 6));
	grown = mremap(to + size, size, 3 * size, MREMAP_MAYMOVE);
	check(grown != MAP_FAILED && holds(grown, size, 6) && is_zero(grown + size, 2 * size));
	audit();
	check(mremap(grown, 3 * size, PAGE, 0) == grown);
	check(holds(grown, PAGE, 6) && try_access(grown + PAGE, READ) == SIGSEGV);
}

/* By 2 MiB whole tables are moved, not entries. */
static void test_remap_tables(void)
{
	size_t size = 6 * HUGE_PAGE;
	uint8_t *from = map_aligned(size), *to = map_aligned(size);
	int i;

	check(madvise(from, size, MADV_NOHUGEPAGE) == 0 || errno == EINVAL);
	fill(from, size, 22);
	for (i = 0; i < 5; i++) {
		check(mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
		check(try_access(from, READ) == SIGSEGV);
		check(try_access(from + size - PAGE, WRITE) == SIGSEGV);
		check(holds(to, size, 22));
		check(mremap(to, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, from) == from);
		check(try_access(to + HUGE_PAGE, READ) == SIGSEGV && holds(from, size, 22));
	}
}

static void test_remap_leave(void)
{
	size_t size = 64 * PAGE;
	uint8_t *from = map(size), *to;
	int i;

	for (i = 0; i < 10; i++) {
		fill(from, size, 23);
		to = mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
		check(to != MAP_FAILED && to != from);
		check(is_zero(from, size) && holds(to, size, 23));
		fill(from, size, 24);
		check(holds(to, size, 23) && holds(from, size, 24));
		check(munmap(to, size) == 0 && try_access(to, READ) == SIGSEGV);
	}
}

/* A page in every 2 MiB, so that a flush meets more tables than it has patience for. */
static void test_wide(void)
{
	size_t size = 2 * GIB, i;
	uint8_t *at = mmap(NULL, size, READ_WRITE, ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		memory_skip("no address space of 2 GiB");
	madvise(at, size, MADV_NOHUGEPAGE);
	for (i = 0; i < size; i += HUGE_PAGE)
		fill(at + i, PAGE, i);
	check(mprotect(at, size, PROT_READ) == 0);
	for (i = 0; i < size; i += HUGE_PAGE) {
		check(holds(at + i, PAGE, i));
		if (i % (64 * HUGE_PAGE) == 0)
			check(try_access(at + i, WRITE) == SIGSEGV);
	}
	audit();
	check(mprotect(at, size, READ_WRITE) == 0);
	for (i = 0; i < size; i += HUGE_PAGE)
		fill(at + i, PAGE, ~i);
	check(munmap(at + size / 4, size / 2) == 0);
	audit();
	for (i = 0; i < size; i += HUGE_PAGE)
		if (i < size / 4 || i >= size / 4 * 3)
			check(holds(at + i, PAGE, ~i));
		else if (i % (64 * HUGE_PAGE) == 0)
			check(try_access(at + i, READ) == SIGSEGV);
}

/* More than a flush looks at, and all of it there: 160 MiB where memory allows. */
static void test_dense(void)
{
	size_t size = mib_free() > 400 ? 160 * MIB : 40 * MIB;
	uint8_t *at = map(size);

	madvise(at, size, MADV_NOHUGEPAGE);
	fill(at, size, 25);
	check(mprotect(at, size, PROT_READ) == 0);
	check(try_access(at, WRITE) == SIGSEGV && try_access(at + size - 1, WRITE) == SIGSEGV);
	check(holds(at, size, 25));
	audit();
	check(mprotect(at + PAGE, size - 2 * PAGE, PROT_NONE) == 0);
	check(try_access(at + size / 2, READ) == SIGSEGV && try_access(at, READ) == 0);
	check(mprotect(at, size, READ_WRITE) == 0 && holds(at, size, 25));
	check(madvise(at, size, MADV_DONTNEED) == 0 && is_zero(at, size / 16));
}

/* Both ends of what users have, and places that share no table. */
static void test_far(void)
{
	static const uintptr_t places[] = {
		0x10000, 0x8000000000 - PAGE, 0x8000000000, 0x123400000000, 0x3fffffe00000,
		0x400000000000, LAST_PAGE - 0x100000000,
	};
	uint8_t *at[sizeof(places) / sizeof(places[0])];
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		at[i] = mmap((void *)places[i], PAGE, READ_WRITE,
			     ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		check(at[i] == (void *)places[i]);
		fill(at[i], PAGE, i);
	}
	audit();
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		check(holds(at[i], PAGE, i));
		check(munmap(at[i], PAGE) == 0 && try_access(at[i], READ) == SIGSEGV);
	}
	check(try_access((void *)(LAST_PAGE + PAGE), READ) == SIGSEGV);
	check(try_access((void *)0xffff888000000000, READ) == SIGSEGV);
	check(try_access((void *)0xffffffff81000000, WRITE) == SIGSEGV);
}

static uint64_t use_stack(int depth)
{
	volatile uint64_t page[512];
	uint64_t below;

	page[0] = (uint64_t)depth;
	below = depth > 0 ? use_stack(depth - 1) : 0;
	return below + page[0];
}

static void test_stack(void)
{
	check(use_stack(1000) == 1000ULL * 1001 / 2);
	check(use_stack(1500) == 1500ULL * 1501 / 2);
}

/* The stack may grow no further than its limit says: the child ends by a signal. */
static void test_stack_limit(void)
{
	struct rlimit limit = { 256 * 1024, 256 * 1024 };
	stack_t other = { .ss_sp = map(64 * 1024), .ss_size = 64 * 1024 };
	pid_t child = fork_checked();
	int status;

	if (child == 0) {
		check(setrlimit(RLIMIT_STACK, &limit) == 0);
		check(sigaltstack(&other, NULL) == 0);
		signal(SIGSEGV, SIG_DFL);
		_exit(use_stack(1000) ? 1 : 2);
	}
	check(waitpid(child, &status, 0) == child);
	check(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static void test_lock(void)
{
	size_t size = 64 * PAGE;
	unsigned char present[64];
	uint8_t *at = map(size);
	size_t i;

	check(mlock(at, size) == 0 && mincore(at, size, present) == 0);
	for (i = 0; i < 64; i++)
		check(present[i] & 1);
	fill(at, size, 21);
	/* Locked pages are not reclaimed, nor thrown away. */
	check(madvise(at, size, MADV_PAGEOUT) == -1 && madvise(at, size, MADV_FREE) == -1);
	check(holds(at, size, 21));
	check(munlock(at, size) == 0 && holds(at, size, 21));
	check(mlockall(MCL_CURRENT | MCL_FUTURE) == 0);
	at = map(size);
	check(mincore(at, size, present) == 0 && (present[63] & 1));
	check(munlockall() == 0 && is_zero(at, size));
}

const struct memory_test map_tests[] = {
	{ "protect", test_protect, 0 },
	{ "unmap", test_unmap, 0 },
	{ "remap", test_remap, 0 },
	{ "remap_tables", test_remap_tables, 0 },
	{ "remap_leave", test_remap_leave, 0 },
	{ "wide", test_wide, 0 },
	{ "dense", test_dense, LONG },
	{ "far", test_far, 0 },
	{ "stack", test_stack, 0 },
	{ "stack_limit", test_stack_limit, 0 },
	{ "lock", test_lock, 0 },
	{ NULL, NULL, 0 }
};
