// SPDX-License-Identifier: GPL-2.0
/* Files in memory: shared and private mappings, what files lose under them, and what reaches a disk. */
#include "memory.h"

#include <sys/shm.h>

static void test_shared(void)
{
	size_t size = 64 * PAGE;
	int file = make_file(size);
	uint8_t *a = map_file(file, size, MAP_SHARED), *b = map_file(file, size, MAP_SHARED);
	uint8_t *own = map_file(file, size, MAP_PRIVATE);
	uint64_t word = 0;
	pid_t child;

	fill(a, size, 8);
	check(holds(b, size, 8) && holds(own, size, 8));
	fill(own, PAGE, 9);
	check(holds(a, size, 8) && holds(own, PAGE, 9));
	child = fork_checked();
	if (child == 0) {
		fill(b, size, 10);
		_exit(0);
	}
	check(ended(child) && holds(a, size, 10) && holds(own, PAGE, 9));
	check(holds_from(own + PAGE, size - PAGE, 10, 1));
	check(pwrite(file, &word, sizeof(word), 5 * PAGE) == sizeof(word));
	check(*(uint64_t *)(a + 5 * PAGE) == 0);
	check(ftruncate(file, 8 * PAGE) == 0);
	check(try_access(a + 7 * PAGE, WRITE) == 0 && try_access(a + 8 * PAGE, READ) == SIGBUS);
	check(try_access(own + 9 * PAGE, WRITE) == SIGBUS);
	audit();
	check(ftruncate(file, (off_t)size) == 0 && is_zero(b + 8 * PAGE, size - 8 * PAGE));
}

/* Read first, so that both map the file's own page; then written, so that the private one is copied. */
static void test_private(void)
{
	size_t size = 64 * PAGE;
	int file = make_file(size), i;
	uint8_t *shared = map_file(file, size, MAP_SHARED), *own;
	pid_t child;

	for (i = 0; i < 10; i++) {
		fill(shared, size, 50);
		own = map_file(file, size, MAP_PRIVATE);
		check(holds(own, size, 50));
		child = fork_checked();
		if (child == 0) {
			fill(own, size / 2, 51);
			check(holds(own, size / 2, 51) && holds(shared, size, 50));
			_exit(0);
		}
		fill(own + size / 2, size / 2, 52);
		check(ended(child));
		check(holds(own, size / 2, 50) && holds(own + size / 2, size / 2, 52));
		check(holds(shared, size, 50));
		/* What was copied is thrown away: the file shows again. */
		check(madvise(own, size, MADV_DONTNEED) == 0 && holds(own, size, 50));
		check(munmap(own, size) == 0);
	}
}

static void test_punch(void)
{
	size_t size = 64 * PAGE;
	int file = make_file(size);
	uint8_t *a = map_file(file, size, MAP_SHARED), *b = map_file(file, size, MAP_SHARED);
	uint8_t *own = map_file(file, size, MAP_PRIVATE);

	fill(a, size, 53);
	check(holds(b, size, 53) && holds(own, size, 53));
	fill(own, PAGE, 54);
	check(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 8 * PAGE) == 0);
	check(is_zero(a, 8 * PAGE) && is_zero(b, 8 * PAGE));
	check(holds(own, PAGE, 54) && is_zero(own + PAGE, 7 * PAGE));
	check(holds_from(b + 8 * PAGE, size - 8 * PAGE, 53, 8));
	audit();
	fill(b, 8 * PAGE, 55);
	check(holds(a, 8 * PAGE, 55));
	check(madvise(a + 16 * PAGE, 8 * PAGE, MADV_REMOVE) == 0);
	check(is_zero(b + 16 * PAGE, 8 * PAGE) && is_zero(own + 16 * PAGE, 8 * PAGE));
	check(ftruncate(file, 0) == 0);
	check(try_access(a, READ) == SIGBUS && try_access(own + PAGE, READ) == SIGBUS);
}

static void test_memfd(void)
{
	size_t size = 8 * PAGE;
	int file = memfd_create("sealed", MFD_ALLOW_SEALING);
	uint8_t *at;

	check(file >= 0 && ftruncate(file, (off_t)size) == 0);
	at = map_file(file, size, MAP_SHARED);
	fill(at, size, 56);
	check(fcntl(file, F_ADD_SEALS, F_SEAL_WRITE) == -1 && errno == EBUSY);
	check(munmap(at, size) == 0);
	check(fcntl(file, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK) == 0);
	check(mmap(NULL, size, READ_WRITE, MAP_SHARED, file, 0) == MAP_FAILED);
	at = mmap(NULL, size, PROT_READ, MAP_SHARED, file, 0);
	check(at != MAP_FAILED && holds(at, size, 56) && try_access(at, WRITE) == SIGSEGV);
	at = map_file(file, size, MAP_PRIVATE);
	fill(at, size, 57);
	check(holds(at, size, 57));
}

static void test_system_v(void)
{
	size_t size = 32 * PAGE;
	int id = shmget(IPC_PRIVATE, size, IPC_CREAT | 0600);
	uint8_t *a, *b;
	pid_t child;

	check(id >= 0);
	a = shmat(id, NULL, 0);
	b = shmat(id, NULL, SHM_RDONLY);
	check(a != MAP_FAILED && b != MAP_FAILED);
	check(shmctl(id, IPC_RMID, NULL) == 0);
	child = fork_checked();
	if (child == 0) {
		fill(a, size, 58);
		_exit(0);
	}
	check(ended(child) && holds(b, size, 58) && try_access(b, WRITE) == SIGSEGV);
	check(shmdt(a) == 0 && try_access(a, READ) == SIGSEGV && holds(b, size, 58));
}

/* Shared pages that take turns: when one is done, the other sees all of it. */
static void test_turns(void)
{
	size_t size = 4 * PAGE;
	int file = make_file(size);
	volatile uint64_t *words = (volatile uint64_t *)map_file(file, size, MAP_SHARED);
	uint64_t number, i, last = 300;
	pid_t child = fork_checked();

	for (number = child ? 0 : 1; number < last; number += 2) {
		while (__atomic_load_n(&words[0], __ATOMIC_ACQUIRE) != number)
			sched_yield();
		for (i = 1; i < size / 8; i += 61) {
			check(words[i] == number);
			words[i] = number + 1;
		}
		__atomic_store_n(&words[0], number + 1, __ATOMIC_RELEASE);
	}
	if (child == 0)
		_exit(0);
	check(ended(child));
}

/*
 * Each writing back cleans the pages, and makes them read-only, so that the next write is noticed: a
 * translation that stayed writable would lose what is written through it.
 */
static void test_write_back(void)
{
	size_t size = 64 * PAGE;
	int file, i;
	uint8_t *at;
	char *copy = malloc(size);

	mount_disk();
	for (i = 0; i < 5; i++) {
		file = open(DISK "/file", O_RDWR | O_CREAT, 0600);
		check(file >= 0 && ftruncate(file, (off_t)size) == 0);
		at = map_file(file, size, MAP_SHARED);
		fill(at, size, 60 + (uint64_t)i);
		check(msync(at, size, MS_SYNC) == 0);
		audit();
		fill(at, size / 2, 70 + (uint64_t)i);
		check(msync(at, size, MS_SYNC) == 0);
		fill(at + size / 2, size / 4, 80 + (uint64_t)i);
		check(munmap(at, size) == 0 && close(file) == 0);
		/* Nothing of it is in memory after this. */
		unmount_disk();
		check(write_text("/proc/sys/vm/drop_caches", "3"));
		check(system("mount -t ext2 /dev/ram0 " DISK) == 0);
		file = open(DISK "/file", O_RDWR);
		check(pread(file, copy, size, 0) == (ssize_t)size && close(file) == 0);
		check(holds(copy, size / 2, 70 + (uint64_t)i));
		check(holds(copy + size / 2, size / 4, 80 + (uint64_t)i));
		check(holds_from(copy + size / 4 * 3, size / 4, 60 + (uint64_t)i, 48));
	}
	unmount_disk();
}

/* Pages that a file on a disk has in memory go, and come back when they are touched. */
static void test_page_cache(void)
{
	size_t size = 256 * PAGE;
	int file, i;
	uint8_t *at, *own;

	mount_disk();
	file = open(DISK "/file", O_RDWR | O_CREAT, 0600);
	check(file >= 0 && ftruncate(file, (off_t)size) == 0);
	at = map_file(file, size, MAP_SHARED);
	own = map_file(file, size, MAP_PRIVATE);
	fill(at, size, 61);
	fill(own, size / 2, 62);
	for (i = 0; i < 5; i++) {
		check(msync(at, size, MS_SYNC) == 0);
		check(madvise(at, size, MADV_PAGEOUT) == 0);
		check(write_text("/proc/sys/vm/drop_caches", "1"));
		audit();
		check(holds(at, size, 61) && holds(own, size / 2, 62));
		check(holds_from(own + size / 2, size / 2, 61, size / 2 / PAGE));
	}
	check(munmap(at, size) == 0 && munmap(own, size) == 0 && close(file) == 0);
	unmount_disk();
}

const struct memory_test file_tests[] = {
	{ "shared", test_shared, 0 },
	{ "private", test_private, 0 },
	{ "punch", test_punch, 0 },
	{ "memfd", test_memfd, 0 },
	{ "system_v", test_system_v, 0 },
	{ "turns", test_turns, 0 },
	{ "write_back", test_write_back, 0 },
	{ "page_cache", test_page_cache, 0 },
	{ NULL, NULL, 0 }
};
