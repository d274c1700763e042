// SPDX-License-Identifier: BSD-2-Clause
/*
 * The spinning thread is made by clone() and uses no library: it has no thread-local memory of
 * its own. One at a time.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include "operation.h"
#include "other_cpu.h"

static char stack[16384] __attribute__((aligned(16)));
static volatile bool running, stop;
static pid_t thread;

unsigned int other_cpu_count(void)
{
	long count = sysconf(_SC_NPROCESSORS_ONLN);

	return count > OTHER_CPU_MAX ? OTHER_CPU_MAX : count;
}

bool other_cpu_exists(void)
{
	return other_cpu_count() > 1;
}

void other_cpu_pin(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	operation_check(sched_setaffinity(0, sizeof(set), &set) == 0, "sched_setaffinity");
}

void other_cpu_unpin(void)
{
	cpu_set_t set;
	unsigned int i;

	CPU_ZERO(&set);
	for (i = 0; i < CPU_SETSIZE; i++)
		CPU_SET(i, &set);
	operation_check(sched_setaffinity(0, sizeof(set), &set) == 0, "sched_setaffinity");
}

static int spin(void *unused)
{
	(void)unused;
	running = true;
	while (!stop)
		other_cpu_turn();
	return 0;
}

/* The thread inherits the processor that its maker is on for a moment. */
void other_cpu_spin(unsigned int cpu)
{
	running = stop = false;
	other_cpu_pin(cpu);
	thread = clone(spin, stack + sizeof(stack), CLONE_VM | CLONE_FS | CLONE_FILES | SIGCHLD,
		       NULL);
	operation_check(thread > 0, "clone");
	other_cpu_pin(0);
	while (!running)
		other_cpu_turn();
}

void other_cpu_stop(void)
{
	stop = true;
	operation_check(waitpid(thread, NULL, 0) == thread, "the other thread");
	other_cpu_unpin();
}
