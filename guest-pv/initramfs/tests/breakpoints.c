// SPDX-License-Identifier: GPL-2.0
/*
 * Breakpoints of the hardware: on data and on code, by perf and by ptrace, of one thread and not of
 * another, and none on addresses that are not the program's.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>

#include "check.h"

#define KERNEL	   0xffffffff81000000UL
#define HYPERVISOR 0xffff800000001000UL
#define DEBUG(n)   offsetof(struct user, u_debugreg[n])
#define DR7_WRITE  0xd0001UL /* the first, 4 bytes, when written to */

static volatile uint32_t watched, other;

static __attribute__((noinline)) void called(void)
{
	asm volatile("");
}

static int watch(uint32_t type, const volatile void *at, uint64_t size)
{
	struct perf_event_attr attributes = {
		.type = PERF_TYPE_BREAKPOINT,
		.size = sizeof(attributes),
		.bp_type = type,
		.bp_addr = (uintptr_t)at,
		.bp_len = size,
		.exclude_kernel = 1,
		.exclude_hv = 1,
	};

	return (int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0);
}

static uint64_t count_of(int file)
{
	uint64_t count;

	check(read(file, &count, sizeof(count)) == sizeof(count));
	return count;
}

static void *write_as_another(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < 1000; i++) {
		watched = i;
		sched_yield();
	}
	return NULL;
}

static void test_counts(void)
{
	int data = watch(HW_BREAKPOINT_W, &watched, 4);
	int code = watch(HW_BREAKPOINT_X, (void *)called, sizeof(long));
	int access = watch(HW_BREAKPOINT_RW, &other, 4);
	pthread_t thread;

	if (data < 0 && errno == ENOENT)
		_exit(SKIPPED);
	check(data >= 0 && code >= 0 && access >= 0);
	check(pthread_create(&thread, NULL, write_as_another, NULL) == 0);
	for (uint32_t i = 0; i < 100; i++) {
		watched = i;
		other += watched;
		called();
		/* Switched away and back, the breakpoints are still there. */
		if (i % 10 == 0)
			usleep(1000);
	}
	check(pthread_join(thread, NULL) == 0);
	check(count_of(data) == 100 && count_of(code) == 100);
	check(count_of(access) == 200);
	close(data), close(code), close(access);
	watched = 1;
	called();
}

/* More than there are registers for. */
static void test_limit(void)
{
	static volatile uint32_t words[8];
	int files[8], count = 0;

	while (count < 8 && (files[count] = watch(HW_BREAKPOINT_W, &words[count], 4)) >= 0)
		count++;
	check(count == 4);
	for (int i = 0; i < 8; i++)
		words[i] = 5;
	for (int i = 0; i < count; i++) {
		check(count_of(files[i]) == 1);
		close(files[i]);
	}
}

static void test_foreign_addresses(void)
{
	check(watch(HW_BREAKPOINT_W, (void *)KERNEL, 4) == -1);
	check(watch(HW_BREAKPOINT_W, (void *)HYPERVISOR, 4) == -1);
	check(watch(HW_BREAKPOINT_X, (void *)HYPERVISOR, sizeof(long)) == -1);
}

static unsigned long kernel_address(const char *wanted)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	unsigned long address, found = 0;
	char type, name[256], line[512];

	while (file && !found && fgets(line, sizeof(line), file))
		if (sscanf(line, "%lx %c %255s", &address, &type, name) == 3 && !strcmp(name, wanted))
			found = address;
	if (file)
		fclose(file);
	return found;
}

/* Of the kernel, on every processor: its tick writes there. */
static void test_kernel_data(void)
{
	struct perf_event_attr attributes = {
		.type = PERF_TYPE_BREAKPOINT,
		.size = sizeof(attributes),
		.bp_type = HW_BREAKPOINT_W,
		.bp_addr = kernel_address("jiffies"),
		.bp_len = 8,
	};
	uint64_t sum = 0;

	if (!attributes.bp_addr)
		return;
	for (int cpu = 0; cpu < sysconf(_SC_NPROCESSORS_ONLN); cpu++) {
		int file = (int)syscall(SYS_perf_event_open, &attributes, -1, cpu, -1, 0);
		cpu_set_t set;

		check(file >= 0);
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		check(sched_setaffinity(0, sizeof(set), &set) == 0);
		for (volatile unsigned long i = 0; i < 20000000; i = i + 1)
			;
		sum += count_of(file);
		close(file);
	}
	check(sum > 0);
}

static void stop_at(pid_t child, int signal)
{
	int status;

	check(waitpid(child, &status, 0) == child);
	check(WIFSTOPPED(status) && WSTOPSIG(status) == signal);
}

static void test_by_tracer(void)
{
	pid_t child = fork();
	int status;

	check(child >= 0);
	if (child == 0) {
		check(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
		raise(SIGSTOP);
		other = 1;
		watched = 7;
		/* The kernel writes on our behalf. */
		check(read(open("/dev/zero", 0), (void *)&watched, 4) == 4);
		_exit(3);
	}
	stop_at(child, SIGSTOP);
	check(ptrace(PTRACE_POKEUSER, child, DEBUG(0), KERNEL) == -1);
	check(ptrace(PTRACE_POKEUSER, child, DEBUG(0), HYPERVISOR) == -1);
	check(ptrace(PTRACE_POKEUSER, child, DEBUG(0), &watched) == 0);
	check(ptrace(PTRACE_POKEUSER, child, DEBUG(7), DR7_WRITE) == 0);
	check(ptrace(PTRACE_CONT, child, 0, 0) == 0);
	stop_at(child, SIGTRAP);
	check(ptrace(PTRACE_PEEKDATA, child, &watched, 0) << 32 >> 32 == 7);
	check((ptrace(PTRACE_PEEKUSER, child, DEBUG(6), 0) & 0xf) == 1);
	check(ptrace(PTRACE_POKEUSER, child, DEBUG(7), 0) == 0);
	check(ptrace(PTRACE_CONT, child, 0, 0) == 0);
	check(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

int main(void)
{
	check(runs_well(test_counts));
	check(runs_well(test_limit));
	test_foreign_addresses();
	check(runs_well(test_kernel_data));
	test_by_tracer();
	return 0;
}
