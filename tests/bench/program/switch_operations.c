// SPDX-License-Identifier: BSD-2-Clause
/*
 * Processes in a ring that hand a byte around, each with memory of its own that it reads between:
 * one operation is one switch from a process to the next.
 */
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "operation.h"

#define RING_MAX    16
#define WORKING_SET (64 << 10)

static int pipes[RING_MAX][2];
static char memory[WORKING_SET];
static size_t ring, working_set;

static void use_memory(void)
{
	size_t i;

	for (i = 0; i < working_set; i += 64)
		((volatile char *)memory)[i];
}

static int pass(size_t from, size_t to)
{
	char byte;

	if (read(pipes[from][0], &byte, 1) != 1)
		return 0;
	use_memory();
	return write(pipes[to][1], &byte, 1) == 1;
}

static void take_part(size_t member)
{
	size_t i;

	/* The member before this one holds the only end to write to its pipe. */
	for (i = 0; i < ring; i++)
		if (i != (member + 1) % ring)
			close(pipes[i][1]);
	memset(memory, 1, working_set);
	while (pass(member, (member + 1) % ring))
		;
	_exit(0);
}

static void start_ring(size_t members, size_t size)
{
	size_t i;

	ring = members;
	working_set = size;
	memset(memory, 1, sizeof(memory));
	for (i = 0; i < ring; i++)
		operation_check(pipe(pipes[i]) == 0, "pipe");
	for (i = 1; i < ring; i++) {
		pid_t child = fork();

		operation_check(child >= 0, "fork");
		if (child == 0)
			take_part(i);
	}
	for (i = 0; i < ring; i++)
		if (i != 1)
			close(pipes[i][1]);
}

/* This process is member 0, and the byte goes to member 1 first. */
static void perform_switches(uint64_t iterations)
{
	char byte = 0;

	for (; iterations >= ring; iterations -= ring) {
		operation_check(write(pipes[1][1], &byte, 1) == 1, "write");
		operation_check(read(pipes[0][0], &byte, 1) == 1, "read");
		use_memory();
	}
}

static void end_ring(void)
{
	size_t i;

	close(pipes[1][1]);
	for (i = 0; i < ring; i++)
		close(pipes[i][0]);
	while (wait(NULL) > 0)
		;
}

static void start_two(void)
{
	start_ring(2, 0);
}

static void start_two_working(void)
{
	start_ring(2, WORKING_SET);
}

static void start_sixteen(void)
{
	start_ring(RING_MAX, 0);
}

static void start_sixteen_working(void)
{
	start_ring(RING_MAX, WORKING_SET);
}

const struct operation switch_operations[] = {
	{ "switch-2-0", 3200, start_two, perform_switches, end_ring, NULL },
	{ "switch-2-64k", 3200, start_two_working, perform_switches, end_ring, NULL },
	{ "switch-16-0", 3200, start_sixteen, perform_switches, end_ring, NULL },
	{ "switch-16-64k", 3200, start_sixteen_working, perform_switches, end_ring, NULL },
	{},
};
