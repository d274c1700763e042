// SPDX-License-Identifier: BSD-2-Clause
/*
 * The same work by a process on every processor at once, each with its share: what one time
 * costs should not depend on how many there are.
 */
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"
#include "operation.h"
#include "other_cpu.h"

#define TOUCH_AT_ONCE 256

static pid_t workers[OTHER_CPU_MAX];
static int start_pipes[OTHER_CPU_MAX][2], done_pipe[2];

static void work_getppid(void)
{
	syscall(SYS_getppid);
}

static void work_fork(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	operation_check(child > 0 && waitpid(child, NULL, 0) == child, "a child");
}

static void work_map(void)
{
	volatile char *address = memory_map(MEMORY_PAGE);

	*address = 1;
	munmap((void *)address, MEMORY_PAGE);
}

static void work_touch(void)
{
	volatile char *address = memory_map(TOUCH_AT_ONCE * MEMORY_PAGE);
	size_t i;

	for (i = 0; i < TOUCH_AT_ONCE; i++)
		address[i * MEMORY_PAGE] = 1;
	munmap((void *)address, TOUCH_AT_ONCE * MEMORY_PAGE);
}

/* Waits to be told how often, does it, says so, until nobody can tell it any more. */
static void serve(unsigned int cpu, void (*work)(void))
{
	uint64_t times;
	unsigned int i;

	other_cpu_pin(cpu);
	memory_allow_huge(false);
	for (i = 0; i <= cpu; i++)
		close(start_pipes[i][1]);
	while (read(start_pipes[cpu][0], &times, sizeof(times)) == sizeof(times)) {
		while (times--) {
			work();
			other_cpu_turn();
		}
		operation_check(write(done_pipe[1], "", 1) == 1, "write");
	}
	_exit(0);
}

static void start_workers(void (*work)(void))
{
	unsigned int i;

	operation_check(pipe(done_pipe) == 0, "pipe");
	for (i = 0; i < other_cpu_count(); i++) {
		operation_check(pipe(start_pipes[i]) == 0, "pipe");
		workers[i] = fork();
		operation_check(workers[i] >= 0, "fork");
		if (workers[i] == 0)
			serve(i, work);
	}
}

/* The measuring process only waits: all processors are the workers'. */
static void perform_shares(uint64_t iterations)
{
	unsigned int i, count = other_cpu_count();
	uint64_t share = iterations / count;
	char byte;

	for (i = 0; i < count; i++)
		operation_check(write(start_pipes[i][1], &share, sizeof(share)) == sizeof(share),
				"write");
	for (i = 0; i < count; i++)
		operation_check(read(done_pipe[0], &byte, 1) == 1, "read");
}

static void end_workers(void)
{
	unsigned int i;

	for (i = 0; i < other_cpu_count(); i++) {
		close(start_pipes[i][0]);
		close(start_pipes[i][1]);
	}
	for (i = 0; i < other_cpu_count(); i++)
		operation_check(waitpid(workers[i], NULL, 0) == workers[i], "a worker");
	close(done_pipe[0]);
	close(done_pipe[1]);
}

static void start_getppid(void)
{
	start_workers(work_getppid);
}

static void start_forks(void)
{
	start_workers(work_fork);
}

static void start_maps(void)
{
	start_workers(work_map);
}

static void start_touches(void)
{
	start_workers(work_touch);
}

const struct operation scaling_operations[] = {
	{ "scale-getppid", 8000, start_getppid, perform_shares, end_workers, NULL },
	{ "scale-touch", 16, start_touches, perform_shares, end_workers, NULL },
	{ "scale-map", 1600, start_maps, perform_shares, end_workers, NULL },
	{ "scale-fork", 160, start_forks, perform_shares, end_workers, NULL },
	{},
};
