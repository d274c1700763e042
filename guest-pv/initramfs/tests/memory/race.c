// SPDX-License-Identifier: GPL-2.0
/* One address space, changed and used by several threads at once. */
#include "memory.h"

#include <time.h>

#define REPEATS	   1500
#define REGION	   64 /* pages */

static atomic_bool stop;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* --- Once a number is published, no processor may see a page from before it --- */

static _Atomic uint64_t published;
static volatile uint64_t *moving_page;

static void *read_moving_page(void *unused)
{
	uint64_t before, seen;

	(void)unused;
	while (!atomic_load(&stop)) {
		before = atomic_load(&published);
		seen = *moving_page;
		check(seen >= before);
	}
	return NULL;
}

static void test_shootdown(void)
{
	int file = make_file(REPEATS * PAGE);
	unsigned int count = thread_count(), i;
	pthread_t threads[MAX_THREADS];
	uint64_t number;

	for (number = 0; number < REPEATS; number++)
		check(pwrite(file, &number, sizeof(number), (off_t)(number * PAGE)) ==
		      sizeof(number));
	moving_page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);
	check(moving_page != MAP_FAILED);
	for (i = 0; i < count; i++)
		threads[i] = start_thread(read_moving_page, NULL);
	for (number = 1; number < REPEATS; number++) {
		check(mmap((void *)moving_page, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, file,
			   (off_t)(number * PAGE)) == moving_page);
		atomic_store(&published, number);
	}
	atomic_store(&stop, true);
	for (i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

/* --- Copies against protection: each word has one writer, who must find what it wrote --- */

static uint8_t *shared_region;

static void *own_a_word(void *argument)
{
	volatile uint64_t *words = (uint64_t *)shared_region + 8 * (uintptr_t)argument;
	uint64_t number, page;

	for (number = 1; !atomic_load(&stop); number++)
		for (page = 0; page < REGION; page++) {
			check(words[page * PAGE / 8] == number - 1);
			words[page * PAGE / 8] = number;
			check(words[page * PAGE / 8] == number);
		}
	return NULL;
}

/* The copies of a child stand still. */
static void check_still(void)
{
	static uint64_t copy[REGION][8 * MAX_THREADS];
	uint64_t page;
	int i;

	for (page = 0; page < REGION; page++)
		memcpy(copy[page], shared_region + page * PAGE, sizeof(copy[page]));
	for (i = 0; i < 50; i++)
		for (page = 0; page < REGION; page++)
			check(memcmp(copy[page], shared_region + page * PAGE,
				     sizeof(copy[page])) == 0);
}

/*
 * Private memory, or large pages; the main thread forks, protects, allows, and, where they are large,
 * has them split and put together.
 */
static void copy_against_protection(uint8_t *at, bool large)
{
	unsigned int count = thread_count(), i;
	pthread_t threads[MAX_THREADS];
	double end = now() + 3 * rounds();
	pid_t child;

	shared_region = at;
	retry_faults();
	for (i = 0; i < count; i++)
		threads[i] = start_thread(own_a_word, (void *)(uintptr_t)i);
	while (now() < end) {
		child = fork_checked();
		if (child == 0) {
			check_still();
			_exit(0);
		}
		for (i = 0; i < 4; i++) {
			check(mprotect(at + i * 8 * PAGE, 16 * PAGE, PROT_READ) == 0);
			check(mprotect(at + i * 8 * PAGE, 16 * PAGE, READ_WRITE) == 0);
		}
		if (large)
			madvise(at, HUGE_PAGE, MADV_COLLAPSE);
		check(ended(child));
	}
	atomic_store(&stop, true);
	for (i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	audit();
}

static void test_race_copy(void)
{
	copy_against_protection(map(REGION * PAGE), false);
}

static void test_race_copy_huge(void)
{
	uint8_t *at = map_aligned(HUGE_PAGE);

	if (madvise(at, HUGE_PAGE, MADV_HUGEPAGE))
		memory_skip("no transparent large pages");
	copy_against_protection(at, true);
}

/*
 * --- Every thread has a region, and does everything with it; what it gives back others get, so that
 * a translation that stays shows another's page ---
 */

static uint8_t *regions;
static atomic_bool started;

static uint64_t tag(uint64_t owner, uint64_t page)
{
	return owner << 32 | (page + 1);
}

static uint8_t *region_of(uint64_t owner)
{
	return regions + owner * REGION * PAGE;
}

static uint32_t pick(uint32_t *state, uint32_t limit)
{
	*state = *state * 1664525 + 1013904223;
	return (*state >> 8) % limit;
}

/* Only the owner writes; the rest of the word is zero when the page is new. */
static void use_page(uint64_t owner, uint64_t page, uint64_t salt)
{
	volatile uint64_t *words = (uint64_t *)(region_of(owner) + page * PAGE);

	check(words[0] == 0 || words[0] == tag(owner, page));
	check(words[511] == 0 || words[511] == tag(owner, page));
	words[0] = tag(owner, page);
	words[511] = tag(owner, page);
	words[1 + salt % 510] = salt;
	check(words[0] == tag(owner, page) && words[1 + salt % 510] == salt);
}

static void change_pages(uint64_t owner, uint32_t *state)
{
	uint64_t page = pick(state, REGION - 8), count = 1 + pick(state, 8);
	uint8_t *at = region_of(owner) + page * PAGE, *away = region_of(owner + MAX_THREADS);
	size_t size = count * PAGE;

	switch (pick(state, 6)) {
	case 0:
		check(madvise(at, size, MADV_DONTNEED) == 0);
		break;
	case 1:
		check(mmap(at, size, READ_WRITE, ANONYMOUS | MAP_FIXED, -1, 0) == at);
		break;
	case 2:
		check(mprotect(at, size, PROT_READ) == 0);
		check(mprotect(at, size, READ_WRITE) == 0);
		break;
	case 3:
		check(munmap(at, size) == 0);
		check(mmap(at, size, READ_WRITE, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == at);
		break;
	case 4:
		/* Away and back: the page is the same again. Only one is surely of one mapping. */
		check(mremap(at, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, away) == away);
		check(mremap(away, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at) == at);
		break;
	default:
		madvise(at, size, MADV_FREE);
		madvise(at, size, MADV_PAGEOUT);
	}
}

static void *do_everything(void *argument)
{
	uint64_t owner = (uintptr_t)argument, page;
	uint32_t state = (uint32_t)owner * 7919 + 1;

	/* Until then the place that this unmaps for a moment may become a thread's stack. */
	while (!atomic_load(&started))
		sched_yield();
	while (!atomic_load(&stop)) {
		for (int i = 0; i < 12; i++) {
			page = pick(&state, REGION);
			use_page(owner, page, state | 1);
		}
		change_pages(owner, &state);
	}
	return NULL;
}

static void run_everything(unsigned int count)
{
	pthread_t threads[MAX_THREADS];
	double end = now() + 4 * rounds();
	unsigned int i;

	regions = map(2 * MAX_THREADS * REGION * PAGE);
	madvise(regions, 2 * MAX_THREADS * REGION * PAGE, MADV_NOHUGEPAGE);
	for (i = 0; i < count; i++)
		threads[i] = start_thread(do_everything, (void *)(uintptr_t)i);
	atomic_store(&started, true);
	while (now() < end)
		usleep(20000);
	atomic_store(&stop, true);
	for (i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

static void test_race_threads(void)
{
	run_everything(thread_count());
	audit();
}

/* The same in several processes, which give pages to each other. */
static void test_race_processes(void)
{
	pid_t children[4];
	int i;

	for (i = 0; i < 4; i++) {
		children[i] = fork_checked();
		if (children[i] == 0) {
			run_everything(2);
			_exit(0);
		}
	}
	for (i = 0; i < 4; i++)
		check(ended(children[i]));
}

/* --- Large pages are split and put together while they are written --- */

static void *write_large(void *argument)
{
	volatile uint64_t *words = (uint64_t *)shared_region + 8 * (uintptr_t)argument;
	uint64_t number, page;

	for (number = 1; !atomic_load(&stop); number++)
		for (page = 0; page < 512; page += 7) {
			check(words[page * PAGE / 8] == number - 1);
			words[page * PAGE / 8] = number;
		}
	return NULL;
}

static void test_race_huge(void)
{
	unsigned int count = thread_count(), i;
	pthread_t threads[MAX_THREADS];
	double end = now() + 3 * rounds();
	uint8_t *at = map_aligned(HUGE_PAGE);

	if (madvise(at, HUGE_PAGE, MADV_HUGEPAGE))
		memory_skip("no transparent large pages");
	shared_region = at;
	for (i = 0; i < count; i++)
		threads[i] = start_thread(write_large, (void *)(uintptr_t)i);
	while (now() < end) {
		/* Page 1 has no writer: 7 does not divide it. */
		check(madvise(at + PAGE, PAGE, MADV_DONTNEED) == 0);
		check(is_zero(at + PAGE, PAGE));
		fill(at + PAGE, PAGE, 1);
		madvise(at, HUGE_PAGE, MADV_COLLAPSE);
		check(holds(at + PAGE, PAGE, 1));
	}
	atomic_store(&stop, true);
	for (i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	audit();
}

/* --- Many threads fault on the same new pages: one of them brings each, all see it --- */

static pthread_barrier_t barrier;

static void *fault_together(void *argument)
{
	uint64_t owner = (uintptr_t)argument, page, round;

	for (round = 0; round < 20 * rounds(); round++) {
		pthread_barrier_wait(&barrier);
		for (page = 0; page < REGION; page++)
			__atomic_fetch_add((uint64_t *)(shared_region + page * PAGE), 1,
					   __ATOMIC_RELAXED);
		pthread_barrier_wait(&barrier);
		for (page = 0; page < REGION; page++)
			check(*(uint64_t *)(shared_region + page * PAGE) == thread_count());
		pthread_barrier_wait(&barrier);
		if (owner == 0)
			check(madvise(shared_region, REGION * PAGE, MADV_DONTNEED) == 0);
	}
	return NULL;
}

static void test_race_fault(void)
{
	pthread_t threads[MAX_THREADS];
	unsigned int count = thread_count(), i;

	shared_region = map(REGION * PAGE);
	check(pthread_barrier_init(&barrier, NULL, count) == 0);
	for (i = 0; i < count; i++)
		threads[i] = start_thread(fault_together, (void *)(uintptr_t)i);
	for (i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

const struct memory_test race_tests[] = {
	{ "shootdown", test_shootdown, 0 },
	{ "race_copy", test_race_copy, LONG },
	{ "race_copy_huge", test_race_copy_huge, LONG },
	{ "race_threads", test_race_threads, LONG },
	{ "race_processes", test_race_processes, LONG },
	{ "race_huge", test_race_huge, LONG },
	{ "race_fault", test_race_fault, LONG },
	{ NULL, NULL, 0 }
};
