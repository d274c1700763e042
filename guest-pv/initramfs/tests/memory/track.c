// SPDX-License-Identifier: GPL-2.0
/* What the kernel tells of the use of pages: written since, used since, where it is. */
#include "memory.h"

#define IDLE_BITMAP "/sys/kernel/mm/page_idle/bitmap"
#define PAGES	    64

static void clear_refs(const char *what)
{
	check(write_text("/proc/self/clear_refs", what));
}

static bool can_track_writes(void)
{
	uint8_t *at = map(PAGE);

	*at = 1;
	return pagemap(at) & PAGEMAP_SOFT_DIRTY;
}

static void test_soft_dirty(void)
{
	uint8_t *at = map(PAGES * PAGE);
	unsigned int i, round;

	if (!can_track_writes())
		memory_skip("writes are not tracked");
	madvise(at, PAGES * PAGE, MADV_NOHUGEPAGE);
	fill(at, PAGES * PAGE, 1);
	for (round = 0; round < 10; round++) {
		clear_refs("4");
		audit();
		check(holds(at, PAGES * PAGE, 1));
		for (i = round % 3; i < PAGES; i += 3)
			at[i * PAGE + 8] = (uint8_t)round;
		for (i = 0; i < PAGES; i++)
			check(!!(pagemap(at + i * PAGE) & PAGEMAP_SOFT_DIRTY) ==
			      (i % 3 == round % 3));
	}
}

/* All that threads write is noticed, while the bits are cleared again and again. */
static atomic_bool stop;
static uint8_t *region;

static void *write_words(void *argument)
{
	volatile uint64_t *words = argument;
	uint64_t number, i;

	for (number = 1; !atomic_load(&stop); number++)
		for (i = 0; i < PAGES; i++)
			words[i * PAGE / 8] = number;
	return NULL;
}

static void test_soft_dirty_threads(void)
{
	static uint64_t before[PAGES], after[PAGES];
	volatile uint64_t *words;
	unsigned int round, i;
	pthread_t writer;
	uint64_t bits[PAGES];

	if (!can_track_writes())
		memory_skip("writes are not tracked");
	region = map(PAGES * PAGE);
	fill(region, PAGES * PAGE, 0);
	words = (volatile uint64_t *)region;
	writer = start_thread(write_words, region);
	for (round = 0; round < 30 * rounds(); round++) {
		clear_refs("4");
		for (i = 0; i < PAGES; i++)
			before[i] = words[i * PAGE / 8];
		for (i = 0; i < PAGES; i++)
			after[i] = words[i * PAGE / 8];
		for (i = 0; i < PAGES; i++)
			bits[i] = pagemap(region + i * PAGE);
		for (i = 0; i < PAGES; i++)
			if (before[i] != after[i])
				check(bits[i] & PAGEMAP_SOFT_DIRTY);
	}
	atomic_store(&stop, true);
	pthread_join(writer, NULL);
}

/* On one processor, another address space in between: what the processor has cached goes. */
static void visit_another(void)
{
	static int there[2], back[2];
	static pid_t other;
	cpu_set_t set;
	char byte = 1;

	if (!other) {
		CPU_ZERO(&set);
		CPU_SET(0, &set);
		check(sched_setaffinity(0, sizeof(set), &set) == 0);
		check(pipe(there) == 0 && pipe(back) == 0);
		other = fork_checked();
		if (other == 0) {
			close(there[1]);
			while (read(there[0], &byte, 1) == 1)
				check(write(back[1], &byte, 1) == 1);
			_exit(0);
		}
		close(there[0]);
	}
	check(write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1);
}

/* Of the frames of the region: says that they are idle, or how many still are. */
static unsigned int idle(int bitmap, const uint64_t *frames, bool set)
{
	unsigned int i, count = 0;
	uint64_t word;

	for (i = 0; i < PAGES; i++) {
		off_t at = (off_t)(frames[i] / 64 * 8);

		word = 1ULL << frames[i] % 64;
		if (set) {
			check(pwrite(bitmap, &word, 8, at) == 8);
			continue;
		}
		check(pread(bitmap, &word, 8, at) == 8);
		count += word >> frames[i] % 64 & 1;
	}
	return count;
}

/* The bitmap ends with a word that is not whole, if the memory does; the kernel gives none of it. */
static bool in_bitmap(int bitmap, const uint64_t *frames)
{
	unsigned int i;
	uint64_t word;

	for (i = 0; i < PAGES; i++)
		if (pread(bitmap, &word, 8, (off_t)(frames[i] / 64 * 8)) != 8)
			return false;
	return true;
}

static uint8_t *map_small(uint64_t *frames)
{
	uint8_t *at = map(PAGES * PAGE);
	unsigned int i;

	madvise(at, PAGES * PAGE, MADV_NOHUGEPAGE);
	fill(at, PAGES * PAGE, 2);
	visit_another();
	/* So that the pages are on the lists that are looked through. */
	check(mlock(at, PAGES * PAGE) == 0);
	for (i = 0; i < PAGES; i++)
		frames[i] = PAGEMAP_FRAME(pagemap(at + i * PAGE));
	return at;
}

/* What is used does not look idle, and what is not used does, for as long as that is so. */
static void test_idle(void)
{
	int bitmap = open(IDLE_BITMAP, O_RDWR);
	unsigned int round, used;
	uint64_t frames[PAGES];
	uint8_t *at;

	if (bitmap < 0)
		memory_skip("idle pages are not tracked");
	/* Each time other frames, as the ones before stay taken. */
	do {
		at = map_small(frames);
	} while (!in_bitmap(bitmap, frames));
	for (round = 0; round < 8; round++) {
		used = round % 2 ? PAGES : PAGES / 2;
		idle(bitmap, frames, true);
		visit_another();
		check(idle(bitmap, frames, false) == PAGES);
		visit_another();
		check(holds(at, used * PAGE, 2));
		check(idle(bitmap, frames, false) == PAGES - used);
	}
	audit();
}

/* Of /proc/self/smaps: KiB of the mapping that were used. */
static long referenced(const void *at)
{
	FILE *file = fopen("/proc/self/smaps", "r");
	unsigned long start, end;
	bool within = false;
	char line[512];
	long kib = -1;

	check(file);
	while (kib < 0 && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			within = start <= (uintptr_t)at && (uintptr_t)at < end;
		else if (within)
			sscanf(line, "Referenced: %ld", &kib);
	}
	fclose(file);
	return kib;
}

static void test_referenced(void)
{
	/* A mapping of its own kind, so that it is not joined with others. */
	uint8_t *at = map_file(make_file(PAGES * PAGE), PAGES * PAGE, MAP_SHARED);
	unsigned int round;

	fill(at, PAGES * PAGE, 3);
	visit_another();
	for (round = 0; round < 4; round++) {
		check(referenced(at) == PAGES * PAGE / 1024);
		clear_refs("1");
		visit_another();
		check(referenced(at) == 0);
		check(holds(at, PAGES * PAGE / 4, 3));
		check(referenced(at) == PAGES * PAGE / 1024 / 4);
		check(holds(at, PAGES * PAGE, 3));
	}
	audit();
}

static void test_in_core(void)
{
	unsigned char present[PAGES];
	uint8_t *at = map(PAGES * PAGE);
	unsigned int i;

	madvise(at, PAGES * PAGE, MADV_NOHUGEPAGE);
	for (i = 0; i < PAGES; i += 2)
		fill(at + i * PAGE, PAGE, i);
	check(mincore(at, PAGES * PAGE, present) == 0);
	for (i = 0; i < PAGES; i++) {
		check((present[i] & 1) == !(i % 2));
		check(!!(pagemap(at + i * PAGE) & PAGEMAP_PRESENT) == !(i % 2));
	}
}

const struct memory_test track_tests[] = {
	{ "soft_dirty", test_soft_dirty, 0 },
	{ "soft_dirty_threads", test_soft_dirty_threads, LONG },
	{ "idle", test_idle, 0 },
	{ "referenced", test_referenced, 0 },
	{ "in_core", test_in_core, 0 },
	{ NULL, NULL, 0 }
};
