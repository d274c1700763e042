// SPDX-License-Identifier: GPL-2.0
/*
 * Swap: to a compressed disk in memory, and to a file on a disk. What is out comes back as it was,
 * whoever asks for it, and whatever was done to the address space meanwhile.
 */
#include "memory.h"

#include <sys/mount.h>
#include <sys/swap.h>

#define ZRAM	"/dev/zram0"
#define FILE_IN	DISK "/swap"
#define SIZE	(48 * MIB)
#define GROUPS	"/tmp/memory-groups"

static void swap_to_zram(void)
{
	if (access(ZRAM, F_OK))
		memory_skip("no compressed disk");
	check(write_text("/sys/block/zram0/reset", "1"));
	check(write_text("/sys/block/zram0/disksize", "50331648"));
	check(system("mkswap " ZRAM " >/dev/null 2>&1") == 0);
	check(swapon(ZRAM, 0) == 0);
}

static void leave_zram(void)
{
	check(swapoff(ZRAM) == 0);
	check(write_text("/sys/block/zram0/reset", "1"));
}

/* All of its blocks are there from the start, so that writing to it takes no memory. */
static void swap_to_file(void)
{
	static char block[64 * 1024];
	size_t written;
	int file;

	if (mib_free() < 120)
		memory_skip("too little memory for a disk in it");
	mount_disk();
	file = open(FILE_IN, O_RDWR | O_CREAT, 0600);
	check(file >= 0);
	for (written = 0; written < SIZE; written += sizeof(block))
		check(write(file, block, sizeof(block)) == sizeof(block));
	check(fsync(file) == 0 && close(file) == 0);
	check(system("mkswap " FILE_IN " >/dev/null 2>&1") == 0);
	check(swapon(FILE_IN, 0) == 0);
}

static void leave_file(void)
{
	check(swapoff(FILE_IN) == 0);
	unmount_disk();
	check(system("blockdev --flushbufs /dev/ram0") == 0);
}

static size_t swapped(const uint8_t *at, size_t size)
{
	size_t i, count = 0;

	for (i = 0; i < size; i += PAGE)
		count += !!(pagemap(at + i) & PAGEMAP_SWAPPED);
	return count;
}

/* Most must go, or nothing is tested. */
static void send_out(uint8_t *at, size_t size)
{
	int i;

	for (i = 0; i < 10 && swapped(at, size) < size / PAGE * 3 / 4; i++)
		check(madvise(at, size, MADV_PAGEOUT) == 0);
	check(swapped(at, size) >= size / PAGE * 3 / 4);
}

static void check_out_and_in(void)
{
	size_t size = 8 * MIB, i;
	uint8_t *at = map(size), *moved;
	pid_t child;

	fill(at, size, 1);
	send_out(at, size);
	audit();
	check(holds(at, size, 1));
	/* Still in swap and clean, then written: what is out is old. */
	fill(at, size / 2, 2);
	send_out(at, size);
	check(holds(at, size / 2, 2) && holds_from(at + size / 2, size / 2, 1, size / 2 / PAGE));
	fill(at, size, 3);
	send_out(at, size);
	child = fork_checked();
	if (child == 0) {
		check(holds(at, size, 3));
		fill(at, size, 4);
		send_out(at, size);
		check(holds(at, size, 4));
		_exit(0);
	}
	for (i = 0; i < size; i += 16 * PAGE)
		check(holds_from(at + i, PAGE, 3, i / PAGE));
	check(ended(child) && holds(at, size, 3));
	send_out(at, size);
	check(mprotect(at, size, PROT_READ) == 0);
	check(try_access(at + 4 * PAGE, WRITE) == SIGSEGV);
	moved = mremap(at, size, 2 * size, MREMAP_MAYMOVE);
	check(moved != MAP_FAILED && holds(moved, size, 3));
	check(munmap(moved, 2 * size) == 0);
}

/* Several processes use more than they are given, so that each sends out what others need. */
static void use_much(uint8_t *at, size_t size, uint64_t seed)
{
	uint64_t round;

	fill(at, size, seed);
	for (round = 1; round < 4; round++) {
		check(holds(at, size, seed + round - 1));
		fill(at, size, seed + round);
	}
	check(holds(at, size, seed + round - 1));
	audit();
}

static bool limit_memory(const char *bytes)
{
	check(mkdir(GROUPS, 0700) == 0 || errno == EEXIST);
	if (mount("none", GROUPS, "cgroup2", 0, NULL))
		return false;
	if (!write_text(GROUPS "/cgroup.subtree_control", "+memory"))
		return false;
	check(mkdir(GROUPS "/small", 0700) == 0 || errno == EEXIST);
	return write_text(GROUPS "/small/memory.max", bytes);
}

static void check_pressure(void)
{
	size_t size = 4 * MIB;
	pid_t children[4];
	uint8_t *at;
	int i;

	check(unshare(CLONE_NEWNS) == 0);
	check(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	check(limit_memory("10M"));
	for (i = 0; i < 4; i++) {
		children[i] = fork_checked();
		if (children[i] == 0) {
			check(write_text(GROUPS "/small/cgroup.procs", "0"));
			/* Two of them in a file in memory, which is swapped, too. */
			at = i % 2 ? map(size) : map_file(make_file(size), size, MAP_SHARED);
			use_much(at, size, (uint64_t)i * 100);
			_exit(0);
		}
	}
	for (i = 0; i < 4; i++)
		check(ended(children[i]));
	check(read_number(GROUPS "/small/memory.swap.current") >= 0);
	check(rmdir(GROUPS "/small") == 0 && umount(GROUPS) == 0);
}

static void check_swapoff(const char *path)
{
	size_t size = 4 * MIB;
	uint8_t *at = map(size);

	fill(at, size, 5);
	send_out(at, size);
	check(swapoff(path) == 0);
	check(swapped(at, size) == 0 && holds(at, size, 5));
	check(swapon(path, 0) == 0);
	check(munmap(at, size) == 0);
}

/* A large page is split on its way out, or goes whole; either way it comes back. */
static void check_huge(void)
{
	size_t size = 2 * HUGE_PAGE;
	uint8_t *at = map_aligned(size);

	if (madvise(at, size, MADV_HUGEPAGE))
		return;
	fill(at, size, 6);
	check(madvise(at, size, MADV_PAGEOUT) == 0);
	audit();
	check(holds(at, size, 6));
	check(munmap(at, size) == 0);
}

static void test_swap(void)
{
	swap_to_zram();
	check_out_and_in();
	check_huge();
	check_swapoff(ZRAM);
	leave_zram();
}

static void test_swap_file(void)
{
	swap_to_file();
	check_out_and_in();
	check_swapoff(FILE_IN);
	leave_file();
}

static void test_pressure(void)
{
	unsigned int i;

	swap_to_zram();
	for (i = 0; i < rounds(); i++)
		check_pressure();
	leave_zram();
}

/* Threads write while their pages are sent out below them. */
static atomic_bool stop;

static void *write_counters(void *region)
{
	volatile uint64_t *words = region;
	uint64_t number, i;

	for (number = 1; !atomic_load(&stop); number++) {
		for (i = 0; i < 64; i++) {
			check(words[i * PAGE / 8] == number - 1);
			words[i * PAGE / 8] = number;
		}
	}
	return NULL;
}

static void test_swap_threads(void)
{
	size_t size = 64 * PAGE;
	unsigned int count = thread_count(), i, j;
	uint8_t *at = map(MAX_THREADS * size);
	pthread_t threads[MAX_THREADS];

	swap_to_zram();
	for (i = 0; i < count; i++)
		threads[i] = start_thread(write_counters, at + i * size);
	for (j = 0; j < 15 * rounds(); j++) {
		check(madvise(at, count * size, MADV_PAGEOUT) == 0);
		usleep(10000);
	}
	atomic_store(&stop, true);
	for (i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	audit();
	leave_zram();
}

const struct memory_test swap_tests[] = {
	{ "swap", test_swap, 0 },
	{ "swap_file", test_swap_file, LONG },
	{ "swap_threads", test_swap_threads, LONG },
	{ "pressure", test_pressure, LONG },
	{ NULL, NULL, 0 }
};
