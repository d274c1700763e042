// SPDX-License-Identifier: GPL-2.0
/* Faults that a process serves itself: pages that are missing, and pages that are written. */
#include "memory.h"

#include <linux/userfaultfd.h>
#include <sys/ioctl.h>

#define PAGES 64

static uint8_t *region;
static int user_fault;
static atomic_uint served;

static void open_userfault(uint64_t features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };

	user_fault = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	if (user_fault < 0 || ioctl(user_fault, UFFDIO_API, &api))
		memory_skip("no userfaultfd of this kind");
}

static void watch(void *at, size_t size, uint64_t mode)
{
	struct uffdio_register range = { .mode = mode };

	range.range.start = (uintptr_t)at;
	range.range.len = size;
	check(ioctl(user_fault, UFFDIO_REGISTER, &range) == 0);
}

static void *serve_missing(void *unused)
{
	uint8_t *page = map(PAGE), *pattern = map(PAGES * PAGE);
	struct uffd_msg message;
	struct uffdio_copy copy;
	uint64_t number;

	(void)unused;
	fill(pattern, PAGES * PAGE, 20);
	while (read(user_fault, &message, sizeof(message)) == sizeof(message)) {
		copy = (struct uffdio_copy){
			.dst = message.arg.pagefault.address & ~(PAGE - 1),
			.src = (uintptr_t)page,
			.len = PAGE,
		};
		number = (copy.dst - (uintptr_t)region) / PAGE;
		memcpy(page, pattern + number * PAGE, PAGE);
		/* Before: who waited for the last one may look at once. */
		atomic_fetch_add(&served, 1);
		/* Two threads may have missed the same page. */
		check(ioctl(user_fault, UFFDIO_COPY, &copy) == 0 || errno == EEXIST);
	}
	return NULL;
}

static void *look_at_region(void *unused)
{
	(void)unused;
	check(holds(region, PAGES * PAGE, 20));
	return NULL;
}

static void check_missing(uint8_t *at)
{
	pthread_t threads[MAX_THREADS];
	unsigned int count = thread_count(), i, round;

	region = at;
	watch(at, PAGES * PAGE, UFFDIO_REGISTER_MODE_MISSING);
	start_thread(serve_missing, NULL);
	for (round = 0; round < 5 * rounds(); round++) {
		for (i = 0; i < count; i++)
			threads[i] = start_thread(look_at_region, NULL);
		for (i = 0; i < count; i++)
			pthread_join(threads[i], NULL);
		if (round == 1)
			audit();
		check(madvise(at, PAGES * PAGE, MADV_REMOVE) == 0 ||
		      madvise(at, PAGES * PAGE, MADV_DONTNEED) == 0);
	}
	check(atomic_load(&served) >= round * PAGES);
}

static void test_userfault(void)
{
	open_userfault(0);
	check_missing(map(PAGES * PAGE));
}

static void test_userfault_file(void)
{
	open_userfault(UFFD_FEATURE_MISSING_SHMEM);
	check_missing(map_file(make_file(PAGES * PAGE), PAGES * PAGE, MAP_SHARED));
}

static void protect(void *at, size_t size, bool yes)
{
	struct uffdio_writeprotect range = { .mode = yes ? UFFDIO_WRITEPROTECT_MODE_WP : 0 };

	range.range.start = (uintptr_t)at;
	range.range.len = size;
	check(ioctl(user_fault, UFFDIO_WRITEPROTECT, &range) == 0);
}

static atomic_uint seen[PAGES];

static void *serve_writes(void *unused)
{
	struct uffd_msg message;
	uint8_t *at;

	(void)unused;
	while (read(user_fault, &message, sizeof(message)) == sizeof(message)) {
		check(message.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP);
		at = (uint8_t *)(message.arg.pagefault.address & ~(PAGE - 1));
		atomic_fetch_add(&seen[(at - region) / PAGE], 1);
		protect(at, PAGE, false);
	}
	return NULL;
}

/* Every first write after a page was protected is seen, and no other. */
static void check_writes(uint8_t *at)
{
	unsigned int round, i;

	region = at;
	madvise(at, PAGES * PAGE, MADV_NOHUGEPAGE);
	fill(at, PAGES * PAGE, 21);
	watch(at, PAGES * PAGE, UFFDIO_REGISTER_MODE_WP);
	start_thread(serve_writes, NULL);
	for (round = 0; round < 10 * rounds(); round++) {
		protect(at, PAGES * PAGE, true);
		check(holds(at, PAGES * PAGE, 21 + round));
		if (round % 4 == 0)
			audit();
		fill(at, PAGES * PAGE, 22 + round);
		fill(at, PAGES * PAGE, 22 + round);
		for (i = 0; i < PAGES; i++)
			check(atomic_load(&seen[i]) == round + 1);
	}
}

static void test_userfault_write(void)
{
	open_userfault(UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	check_writes(map(PAGES * PAGE));
}

static void test_userfault_write_file(void)
{
	open_userfault(UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_WP_HUGETLBFS_SHMEM);
	check_writes(map_file(make_file(PAGES * PAGE), PAGES * PAGE, MAP_SHARED));
}

const struct memory_test userfault_tests[] = {
	{ "userfault", test_userfault, 0 },
	{ "userfault_file", test_userfault_file, 0 },
	{ "userfault_write", test_userfault_write, 0 },
	{ "userfault_write_file", test_userfault_write_file, 0 },
	{ NULL, NULL, 0 }
};
