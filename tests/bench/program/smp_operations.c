// SPDX-License-Identifier: BSD-2-Clause
/*
 * What two processors have to say to each other: interrupts, flushes of pages that both may have
 * in their TLBs, and waking a task on the other. The other one runs a thread of this process.
 */
#define _GNU_SOURCE
#include <linux/membarrier.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"
#include "operation.h"
#include "other_cpu.h"

static volatile char *page;
static int to_child[2], to_parent[2];
static pid_t child;

static void spin_beside(void)
{
	other_cpu_spin(1);
}

static void start_barriers(void)
{
	operation_check(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0) == 0,
			"membarrier");
	spin_beside();
}

/* The kernel sends an interrupt to each processor that runs the process, and waits for it. */
static void perform_barriers(uint64_t iterations)
{
	while (iterations--)
		operation_check(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0) == 0,
				"membarrier");
}

static void perform_unmap(uint64_t iterations)
{
	while (iterations--) {
		page = memory_map(MEMORY_PAGE);
		*page = 1;
		munmap((void *)page, MEMORY_PAGE);
	}
}

static void map_beside(void)
{
	page = memory_map(MEMORY_PAGE);
	*page = 1;
	spin_beside();
}

static void perform_protect(uint64_t iterations)
{
	while (iterations--) {
		mprotect((void *)page, MEMORY_PAGE, PROT_READ);
		mprotect((void *)page, MEMORY_PAGE, PROT_READ | PROT_WRITE);
		*page = 1;
	}
}

static void unmap_beside(void)
{
	other_cpu_stop();
	munmap((void *)page, MEMORY_PAGE);
}

static void answer(void)
{
	char byte;

	other_cpu_pin(1);
	close(to_child[1]);
	while (read(to_child[0], &byte, 1) == 1)
		operation_check(write(to_parent[1], &byte, 1) == 1, "write");
	_exit(0);
}

static void start_answering(void)
{
	operation_check(pipe(to_child) == 0 && pipe(to_parent) == 0, "pipe");
	child = fork();
	operation_check(child >= 0, "fork");
	if (child == 0)
		answer();
	close(to_child[0]);
	close(to_parent[1]);
	other_cpu_pin(0);
}

static void perform_answers(uint64_t iterations)
{
	char byte = 0;

	while (iterations--)
		operation_check(write(to_child[1], &byte, 1) == 1 &&
					read(to_parent[0], &byte, 1) == 1,
				"ping-pong");
}

static void end_answering(void)
{
	close(to_child[1]);
	close(to_parent[0]);
	waitpid(child, NULL, 0);
	other_cpu_unpin();
}

const struct operation smp_operations[] = {
	{ "ipi", 1000, start_barriers, perform_barriers, other_cpu_stop, other_cpu_exists },
	{ "flush-unmap", 500, spin_beside, perform_unmap, other_cpu_stop, other_cpu_exists },
	{ "flush-protect", 500, map_beside, perform_protect, unmap_beside, other_cpu_exists },
	{ "wake-other", 500, start_answering, perform_answers, end_answering, other_cpu_exists },
	{},
};
