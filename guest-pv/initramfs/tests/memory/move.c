// SPDX-License-Identifier: GPL-2.0
/* Pages that the kernel moves or merges below a process that uses them. */
#include "memory.h"

#define SAME_PAGES "/sys/kernel/mm/ksm/"

/* Every other page is given back, so that what is left can be put closer together. */
static uint8_t *map_with_holes(size_t size)
{
	uint8_t *at = map(size);
	size_t i;

	madvise(at, size, MADV_NOHUGEPAGE);
	fill(at, size, 1);
	for (i = PAGE; i < size; i += 2 * PAGE)
		check(madvise(at + i, PAGE, MADV_DONTNEED) == 0);
	return at;
}

static size_t list_frames(const uint8_t *at, size_t size, uint64_t *frames)
{
	size_t i, moved = 0;
	uint64_t frame;

	for (i = 0; i < size / PAGE; i += 2) {
		frame = PAGEMAP_FRAME(pagemap(at + i * PAGE));
		moved += frames[i] && frames[i] != frame;
		frames[i] = frame;
	}
	return moved;
}

static atomic_bool stop;

static void *use_counters(void *region)
{
	volatile uint64_t *words = region;
	uint64_t number, i;

	for (number = 1; !atomic_load(&stop); number++) {
		for (i = 0; i < 512; i += 2) {
			check(words[i * PAGE / 8 + 1] == number - 1);
			words[i * PAGE / 8 + 1] = number;
		}
		/* What moves the pages needs the processors, too. */
		usleep(1000);
	}
	return NULL;
}

/* Threads use pages while they are moved. */
static void test_compact(void)
{
	size_t size = (size_t)(mib_free() > 300 ? 48 : 16) * MIB, i, moved = 0;
	uint64_t *frames = calloc(size / PAGE, sizeof(*frames));
	unsigned int count = thread_count(), round, j;
	uint8_t *at = map_with_holes(size);
	pthread_t threads[MAX_THREADS];

	for (j = 0; j < count; j++)
		threads[j] = start_thread(use_counters, at + j * HUGE_PAGE);
	list_frames(at, size, frames);
	for (round = 0; round < 2 * rounds(); round++) {
		check(write_text("/proc/sys/vm/compact_memory", "1"));
		moved += list_frames(at, size, frames);
		for (i = 0; i < size; i += 2 * PAGE)
			check(*(uint64_t *)(at + i) == pattern(i / PAGE, 1));
	}
	atomic_store(&stop, true);
	for (j = 0; j < count; j++)
		pthread_join(threads[j], NULL);
	audit();
	check(moved > 0);
	free(frames);
}

static long merged(void)
{
	return read_number(SAME_PAGES "pages_sharing");
}

/*
 * The number still has those of before until all have been looked at again, and goes down then: so
 * what counts is one look after two more rounds of the kernel's.
 */
static bool becomes_merged(void)
{
	long scans = read_number(SAME_PAGES "full_scans");
	int wait;

	for (wait = 0; wait < 2000; wait++) {
		if (read_number(SAME_PAGES "full_scans") >= scans + 2 && merged() >= 64)
			return true;
		usleep(10000);
	}
	return false;
}

/* Equal pages become one, which nobody can write; whoever does, gets a page of its own again. */
static void test_same_pages(void)
{
	size_t size = 128 * PAGE, i;
	uint8_t *at = map(size);
	int wait, round;

	if (madvise(at, size, MADV_MERGEABLE))
		memory_skip("equal pages are not merged");
	madvise(at, size, MADV_NOHUGEPAGE);
	check(write_text(SAME_PAGES "pages_to_scan", "2000"));
	check(write_text(SAME_PAGES "sleep_millisecs", "5"));
	check(write_text(SAME_PAGES "run", "1"));
	for (round = 0; round < 3; round++) {
		for (i = 0; i < size; i += PAGE)
			fill(at + i, PAGE, 50 + i / PAGE % 2);
		check(becomes_merged());
		audit();
		for (i = 0; i < size; i += PAGE)
			check(holds(at + i, PAGE, 50 + i / PAGE % 2));
		fill(at, size, 52);
		check(holds(at, size, 52));
	}
	/* And all are parted again. */
	for (i = 0; i < size; i += PAGE)
		fill(at + i, PAGE, 53);
	for (wait = 0; wait < 1000 && merged() < 64; wait++)
		usleep(10000);
	check(write_text(SAME_PAGES "run", "2"));
	check(merged() == 0);
	for (i = 0; i < size; i += PAGE)
		check(holds(at + i, PAGE, 53));
	check(write_text(SAME_PAGES "run", "0"));
}

const struct memory_test move_tests[] = {
	{ "compact", test_compact, LONG },
	{ "same_pages", test_same_pages, LONG },
	{ NULL, NULL, 0 }
};
