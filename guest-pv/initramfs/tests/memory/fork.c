// SPDX-License-Identifier: GPL-2.0
/* Processes: copies of an address space that part when either writes, and others in its place. */
#include "memory.h"

#include <spawn.h>
#include <sys/resource.h>

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

static void test_fork(void)
{
	size_t size = 256 * PAGE;
	uint8_t *at = map(size);
	pid_t child;
	int i;

	fill(at, size, 1);
	for (i = 0; i < 20; i++) {
		child = fork_checked();
		if (child == 0) {
			check(holds(at, size, 1));
			fill(at, size, 2);
			check(holds(at, size, 2));
			if (i < 19)
				_exit(0);
			child = fork_checked();
			if (child == 0) {
				check(holds(at, size, 2));
				fill(at, size, 3);
				_exit(0);
			}
			check(ended(child) && holds(at, size, 2));
			_exit(0);
		}
		/* Both write at the same time; each only to its own. */
		fill(at, size / 2, 1);
		check(ended(child));
		check(holds(at, size, 1));
	}
}

/* The hypervisor looks while all of a family live, and share what they have not written. */
static void test_fork_family(void)
{
	size_t size = 64 * PAGE, own;
	uint8_t *at = map(size);
	int go[2], i;
	char byte;
	pid_t children[12];

	fill(at, size, 30);
	check(pipe(go) == 0);
	for (i = 0; i < 12; i++) {
		children[i] = fork_checked();
		if (children[i] == 0) {
			own = (size_t)i * 4 * PAGE;
			fill(at + own, 4 * PAGE, 31 + (uint64_t)i);
			/* There is an end to read when nobody can write any more. */
			close(go[1]);
			check(read(go[0], &byte, 1) == 0);
			check(holds(at + own, 4 * PAGE, 31 + (uint64_t)i));
			check(holds(at, own, 30));
			check(holds_from(at + own + 4 * PAGE, size - own - 4 * PAGE, 30,
					 own / PAGE + 4));
			_exit(0);
		}
	}
	audit();
	close(go[1]);
	for (i = 0; i < 12; i++)
		check(ended(children[i]));
	check(holds(at, size, 30));
}

static uint8_t *forked_region;
static _Atomic uint64_t written;
static atomic_bool stop;

static void *write_numbers(void *unused)
{
	uint64_t number, *words = (uint64_t *)forked_region;

	(void)unused;
	for (number = 1; !atomic_load(&stop); number++) {
		words[0] = number;
		atomic_store(&written, number);
		((volatile uint64_t *)words)[PAGE / 8] = number;
	}
	return NULL;
}

/* A thread writes two pages in turn while the process is forked: the child's copies stand still. */
static void test_fork_threads(void)
{
	volatile uint64_t *words;
	uint64_t first, second;
	pthread_t writer;
	pid_t child;
	unsigned int i;
	int j;

	forked_region = map(2 * PAGE);
	words = (volatile uint64_t *)forked_region;
	writer = start_thread(write_numbers, NULL);
	for (i = 0; i < 30 * rounds(); i++) {
		child = fork_checked();
		if (child == 0) {
			first = words[0];
			second = words[PAGE / 8];
			for (j = 0; j < 2000; j++)
				check(words[0] == first && words[PAGE / 8] == second);
			check(first >= second && first - second <= 1);
			_exit(0);
		}
		check(ended(child));
	}
	atomic_store(&stop, true);
	pthread_join(writer, NULL);
}

#define STORM_PAGES	32

/* A tree of processes that fork and write at once, each sees only what it or its parents wrote. */
static void storm(volatile uint64_t *words, uint64_t depth, uint64_t number)
{
	pid_t children[3];
	uint64_t i;

	for (i = 0; i < STORM_PAGES; i++)
		check(words[i * PAGE / 8] == number);
	if (depth == 0)
		return;
	for (i = 0; i < 3; i++) {
		children[i] = fork_checked();
		if (children[i] == 0) {
			for (uint64_t j = 0; j < STORM_PAGES; j++)
				words[j * PAGE / 8] = number * 4 + i;
			storm(words, depth - 1, number * 4 + i);
			_exit(0);
		}
		check(words[i * PAGE / 8] == number);
	}
	for (i = 0; i < 3; i++)
		check(ended(children[i]));
	for (i = 0; i < STORM_PAGES; i++)
		check(words[i * PAGE / 8] == number);
}

static void test_fork_storm(void)
{
	volatile uint64_t *words = (volatile uint64_t *)map(STORM_PAGES * PAGE);
	unsigned int round;
	uint64_t i;

	for (round = 0; round < rounds(); round++) {
		for (i = 0; i < STORM_PAGES; i++)
			words[i * PAGE / 8] = 1;
		storm(words, 4, 1);
	}
}

static void test_fork_advice(void)
{
	size_t size = 16 * PAGE;
	uint8_t *kept = map(size), *wiped = map(size), *absent = map(size);
	pid_t child;

	fill(kept, size, 40);
	fill(wiped, size, 41);
	fill(absent, size, 42);
	check(madvise(wiped, size, MADV_WIPEONFORK) == 0);
	check(madvise(absent, size, MADV_DONTFORK) == 0);
	child = fork_checked();
	if (child == 0) {
		check(holds(kept, size, 40) && is_zero(wiped, size));
		check(try_access(absent, READ) == SIGSEGV);
		fill(wiped, size, 43);
		check(holds(wiped, size, 43));
		_exit(0);
	}
	check(ended(child));
	check(holds(kept, size, 40) && holds(wiped, size, 41) && holds(absent, size, 42));
}

/* Until it executes something or ends, the child of vfork() is in the parent's memory. */
static void test_vfork(void)
{
	volatile uint64_t *word = (volatile uint64_t *)map(PAGE);
	uint64_t i;
	pid_t child;

	for (i = 1; i < 100; i++) {
		child = vfork();
		check(child >= 0);
		if (child == 0) {
			*word = i;
			_exit(0);
		}
		check(*word == i && ended(child));
	}
}

static void run_program(char *const *words)
{
	char *environment[] = { NULL };
	pid_t child;

	check(posix_spawn(&child, words[0], NULL, NULL, words, environment) == 0);
	check(ended(child));
}

/* New address spaces one after the other, and some at once. */
static void test_exec(void)
{
	char *words[] = { "/bin/busybox", "true", NULL };
	pid_t children[8];
	unsigned int i, j;

	for (i = 0; i < 60 * rounds(); i++)
		run_program(words);
	for (i = 0; i < 8; i++) {
		children[i] = fork_checked();
		if (children[i] == 0) {
			for (j = 0; j < 10 * rounds(); j++)
				run_program(words);
			_exit(0);
		}
	}
	for (i = 0; i < 8; i++)
		check(ended(children[i]));
}

/* More address spaces than the hypervisor keeps shadows of, each with its own content, in turn. */
static void test_many(void)
{
	enum { PROCESSES = 150 };
	static int request[PROCESSES][2], answer[PROCESSES][2];
	uint8_t *at = map(4 * PAGE);
	struct rlimit limit = { 4096, 4096 };
	pid_t children[PROCESSES];
	int i, round;
	char byte = 0;

	check(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	for (i = 0; i < PROCESSES; i++)
		check(pipe(request[i]) == 0 && pipe(answer[i]) == 0);
	for (i = 0; i < PROCESSES; i++) {
		children[i] = fork_checked();
		if (children[i] == 0) {
			fill(at, 4 * PAGE, (uint64_t)i);
			while (read(request[i][0], &byte, 1) == 1 && byte) {
				check(holds(at, 4 * PAGE, (uint64_t)i));
				check(write(answer[i][1], &byte, 1) == 1);
			}
			_exit(0);
		}
	}
	for (round = 0; round < 6; round++) {
		byte = round < 5;
		for (i = 0; i < PROCESSES; i++)
			check(write(request[i][1], &byte, 1) == 1);
		for (i = 0; byte && i < PROCESSES; i++)
			check(read(answer[i][0], &byte, 1) == 1);
		if (round == 2)
			audit();
	}
	for (i = 0; i < PROCESSES; i++)
		check(ended(children[i]));
}

const struct memory_test fork_tests[] = {
	{ "fork", test_fork, 0 },
	{ "fork_family", test_fork_family, 0 },
	{ "fork_threads", test_fork_threads, 0 },
	{ "fork_storm", test_fork_storm, 0 },
	{ "fork_advice", test_fork_advice, 0 },
	{ "vfork", test_vfork, 0 },
	{ "exec", test_exec, LONG },
	{ "many", test_many, LONG },
	{ NULL, NULL, 0 }
};
