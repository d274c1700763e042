// SPDX-License-Identifier: GPL-2.0
/* Advice: memory that is thrown away, now or when it is needed, brought in, or said to be cold. */
#include "memory.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ	22
#define MADV_POPULATE_WRITE	23
#endif

static void test_discard(void)
{
	size_t size = 64 * PAGE;
	uint8_t *at = map(size), *shared;
	int i, file = make_file(size);

	for (i = 0; i < 20; i++) {
		fill(at, size, 11);
		check(madvise(at + PAGE, size / 2, MADV_DONTNEED) == 0);
		check(holds(at, PAGE, 11) && is_zero(at + PAGE, size / 2));
	}
	/* What is thrown away in a file in memory is still in the file. */
	shared = map_file(file, size, MAP_SHARED);
	fill(shared, size, 14);
	check(madvise(shared, size, MADV_DONTNEED) == 0 && holds(shared, size, 14));
	check(madvise(shared, 8 * PAGE, MADV_REMOVE) == 0);
	check(is_zero(shared, 8 * PAGE) && holds_from(shared + 8 * PAGE, size - 8 * PAGE, 14, 8));
}

/*
 * Pages that may be thrown away lose their dirty bit; what is written after that must be noticed, and
 * keeps the page. The others may hold what they held, or nothing.
 */
static void test_free(void)
{
	size_t size = 128 * PAGE, i;
	uint8_t *at = map(size);
	int round, gone = 0;

	madvise(at, size, MADV_NOHUGEPAGE);
	for (round = 0; round < 10; round++) {
		fill(at, size, 12);
		check(madvise(at, size, MADV_FREE) == 0);
		audit();
		for (i = 0; i < size; i += 2 * PAGE)
			fill(at + i, PAGE, 13 + i);
		check(madvise(at, size, MADV_PAGEOUT) == 0);
		for (i = 0; i < size; i += 2 * PAGE) {
			check(holds(at + i, PAGE, 13 + i));
			if (is_zero(at + i + PAGE, PAGE))
				gone++;
			else
				check(holds_from(at + i + PAGE, PAGE, 12, i / PAGE + 1));
		}
	}
	/* Otherwise nothing was tried. */
	check(gone > 0);
}

static void test_cold(void)
{
	size_t size = 128 * PAGE;
	uint8_t *at = map(size), *shared = map_file(make_file(size), size, MAP_SHARED);
	int i;

	for (i = 0; i < 5; i++) {
		fill(at, size, 15);
		fill(shared, size, 16);
		check(madvise(at, size, MADV_COLD) == 0 && madvise(shared, size, MADV_COLD) == 0);
		audit();
		check(holds(at, size, 15) && holds(shared, size, 16));
	}
}

static void test_populate(void)
{
	size_t size = 128 * PAGE, i;
	uint8_t *at = map(size);

	check(madvise(at, size, MADV_POPULATE_READ) == 0);
	for (i = 0; i < size; i += PAGE)
		check(pagemap(at + i) & PAGEMAP_PRESENT);
	check(is_zero(at, size));
	fill(at, size / 2, 17);
	check(madvise(at, size, MADV_POPULATE_WRITE) == 0);
	check(holds(at, size / 2, 17) && is_zero(at + size / 2, size / 2));
	fill(at, size, 18);
	check(mprotect(at, size, PROT_READ) == 0);
	check(madvise(at, size, MADV_POPULATE_WRITE) == -1 && holds(at, size, 18));
	at = mmap(NULL, size, READ_WRITE, ANONYMOUS | MAP_POPULATE, -1, 0);
	check(at != MAP_FAILED && is_zero(at, size));
}

/* Reading makes the page of zeros appear; it must never be written. */
static void test_zero_page(void)
{
	size_t size = 64 * PAGE;
	uint8_t *a = map(size), *b = map(size);
	pid_t child;
	int i;

	for (i = 0; i < 20; i++) {
		check(is_zero(a, size) && is_zero(b, size));
		child = fork_checked();
		if (child == 0) {
			fill(a, size, 19);
			check(is_zero(b, size) && holds(a, size, 19));
			_exit(0);
		}
		fill(b, size, 20);
		check(ended(child));
		check(is_zero(a, size) && holds(b, size, 20));
		check(madvise(b, size, MADV_DONTNEED) == 0);
	}
}

const struct memory_test advice_tests[] = {
	{ "discard", test_discard, 0 },
	{ "free", test_free, LONG },
	{ "cold", test_cold, 0 },
	{ "populate", test_populate, 0 },
	{ "zero_page", test_zero_page, 0 },
	{ NULL, NULL, 0 }
};
