// SPDX-License-Identifier: BSD-2-Clause
/* Processes that are made, executed and waited for; with little memory and with 32 MiB of it. */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"
#include "operation.h"

#define LARGE_SIZE (32ul << 20)

static void wait_for(pid_t child)
{
	int status;

	operation_check(child > 0 && waitpid(child, &status, 0) == child && status == 0, "a child");
}

static void execute_self(void)
{
	char *const arguments[] = { "exit", NULL }, *const environment[] = { NULL };

	execve("/proc/self/exe", arguments, environment);
	_exit(1);
}

static void perform_fork(uint64_t iterations)
{
	while (iterations--) {
		pid_t child = fork();

		if (child == 0)
			_exit(0);
		wait_for(child);
	}
}

static void perform_fork_exec(uint64_t iterations)
{
	while (iterations--) {
		pid_t child = fork();

		if (child == 0)
			execute_self();
		wait_for(child);
	}
}

static void perform_vfork_exec(uint64_t iterations)
{
	while (iterations--) {
		pid_t child = vfork();

		if (child == 0)
			execute_self();
		wait_for(child);
	}
}

/* BusyBox, which the RAM disk has for this. */
static void perform_shell(uint64_t iterations)
{
	char *const arguments[] = { "sh", "-c", "exit 0", NULL }, *const environment[] = { NULL };

	while (iterations--) {
		pid_t child = fork();

		if (child == 0) {
			execve("/bin/busybox", arguments, environment);
			_exit(1);
		}
		wait_for(child);
	}
}

static void map_large(bool huge)
{
	memory_allow_huge(huge);
	memset(memory_map(LARGE_SIZE), 1, LARGE_SIZE);
}

static void map_large_huge(void)
{
	map_large(true);
}

static void map_large_small(void)
{
	map_large(false);
}

static void unmap_large(void)
{
	munmap((void *)MEMORY_REGION, LARGE_SIZE);
	memory_allow_huge(true);
}

const struct operation process_operations[] = {
	{ "fork", 100, NULL, perform_fork, NULL, NULL },
	{ "fork-huge", 50, map_large_huge, perform_fork, unmap_large, NULL },
	{ "fork-small", 10, map_large_small, perform_fork, unmap_large, NULL },
	{ "fork-exec", 40, NULL, perform_fork_exec, NULL, NULL },
	{ "vfork-exec", 40, NULL, perform_vfork_exec, NULL, NULL },
	{ "shell", 20, NULL, perform_shell, NULL, NULL },
	{},
};
