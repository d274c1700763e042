// SPDX-License-Identifier: GPL-2.0
/*
 * The clock and the number of the processor, read without a system call: a process that may make none
 * does so. The clock never goes back, whichever processor is asked.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include "check.h"

#define READS 20000

static const clockid_t clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW,
				    CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME };

static int64_t nanoseconds(struct timespec time)
{
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int64_t now(clockid_t clock)
{
	struct timespec time;

	check(clock_gettime(clock, &time) == 0);
	return nanoseconds(time);
}

static int64_t asked(clockid_t clock)
{
	struct timespec time;

	check(syscall(SYS_clock_gettime, clock, &time) == 0);
	return nanoseconds(time);
}

static void test_same_clock(void)
{
	for (unsigned i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		int64_t last = asked(clocks[i]), this;

		for (unsigned round = 0; round < 500; round++) {
			this = round & 1 ? asked(clocks[i]) : now(clocks[i]);
			check(this >= last);
			last = this;
		}
	}
}

static void allow_exit_only(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	check(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static void read_often(void)
{
	unsigned cpu, node;
	struct timeval time;
	struct timespec at;

	for (unsigned round = 0; round < READS; round++) {
		for (unsigned i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++)
			clock_gettime(clocks[i], &at);
		gettimeofday(&time, NULL);
		getcpu(&cpu, &node);
	}
}

/* Any system call would be the end; the clock must not need one. */
static void test_without_calls(void)
{
	unsigned cpu, node;

	/* What the library does the first time. */
	now(CLOCK_MONOTONIC);
	getcpu(&cpu, &node);
	allow_exit_only();
	read_often();
	_exit(0);
}

/* How often the hypervisor was entered, for whatever reason, on all processors. */
static unsigned long entries(void)
{
	FILE *file = fopen("/sys/kernel/ringfence/counters", "r");
	unsigned long sum = 0, value;
	char name[64];

	check(file);
	while (fscanf(file, "%63s %lu", name, &value) == 2)
		if (strncmp(name, "entry_", 6) == 0)
			sum += value;
	fclose(file);
	return sum;
}

/* There are ticks meanwhile, but nothing that comes with every read. */
static void test_without_entries(void)
{
	unsigned long before = entries();

	read_often();
	check(entries() - before < READS);
}

static _Atomic int64_t latest;

/* Nobody sees an earlier time than what somebody else has seen before. */
static void *watch_clock(void *cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((int)(intptr_t)cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	for (unsigned i = 0; i < READS; i++) {
		int64_t before = atomic_load(&latest), this = now(CLOCK_MONOTONIC);

		check(this >= before);
		while (before < this && !atomic_compare_exchange_weak(&latest, &before, this))
			;
	}
	return NULL;
}

static void test_processors(void)
{
	long count = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t threads[64];
	unsigned cpu, node;
	cpu_set_t set;

	for (long i = 0; i < count && i < 64; i++)
		check(pthread_create(&threads[i], NULL, watch_clock, (void *)i) == 0);
	for (long i = 0; i < count && i < 64; i++)
		check(pthread_join(threads[i], NULL) == 0);

	for (int wanted = 0; wanted < CPU_SETSIZE; wanted++) {
		CPU_ZERO(&set);
		CPU_SET(wanted, &set);
		if (sched_setaffinity(0, sizeof(set), &set))
			continue;
		for (unsigned i = 0; i < 100; i++) {
			check(getcpu(&cpu, &node) == 0 && cpu == (unsigned)wanted && node == 0);
			check(syscall(SYS_getcpu, &cpu, NULL, NULL) == 0 && cpu == (unsigned)wanted);
			sched_yield();
		}
	}
}

/* A machine without a good TSC has a slower clock, which only the kernel reads. */
static bool reads_itself(void)
{
	char name[16] = {};
	int file = open("/sys/devices/system/clocksource/clocksource0/current_clocksource", O_RDONLY);

	check(file >= 0 && read(file, name, sizeof(name) - 1) > 0);
	close(file);
	return strncmp(name, "tsc", 3) == 0;
}

int main(void)
{
	test_same_clock();
	/* Under Ringfence there is no other. */
	check(reads_itself() || access("/sys/kernel/ringfence", F_OK));
	check(!reads_itself() || runs_well(test_without_calls));
	if (access("/sys/kernel/ringfence/counters", F_OK) == 0)
		test_without_entries();
	test_processors();
	return 0;
}
