// SPDX-License-Identifier: BSD-2-Clause
/* Two processes that wait for each other. */
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include "operation.h"

static int to_child[2], to_parent[2];
static pid_t child;

static void pass_on(void)
{
	char byte;

	close(to_child[1]);
	while (read(to_child[0], &byte, 1) == 1)
		operation_check(write(to_parent[1], &byte, 1) == 1, "write");
	_exit(0);
}

static void start_child(void)
{
	operation_check(pipe(to_child) == 0 && pipe(to_parent) == 0, "pipe");
	child = fork();
	if (child == 0)
		pass_on();
	close(to_child[0]);
	close(to_parent[1]);
}

static void perform_ping_pong(uint64_t iterations)
{
	char byte = 0;

	while (iterations--)
		operation_check(write(to_child[1], &byte, 1) == 1 &&
					read(to_parent[0], &byte, 1) == 1,
				"ping-pong");
}

static void end_child(void)
{
	close(to_child[1]);
	close(to_parent[0]);
	waitpid(child, NULL, 0);
}

const struct operation task_operations[] = {
	{ "ping-pong", 2000, start_child, perform_ping_pong, end_child, NULL },
	{},
};
