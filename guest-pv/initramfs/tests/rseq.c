// SPDX-License-Identifier: GPL-2.0
/*
 * Restartable sequences: the kernel writes the number of the processor where a thread goes on, and a
 * thread that is interrupted within a sequence goes on at its abort handler.
 */
#define _GNU_SOURCE
#include <linux/rseq.h>
#include <sched.h>
#include <signal.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "check.h"

#define SIGNATURE RSEQ_SIG

static struct rseq *area(void)
{
	return (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
}

/* Counts up for ever, unless it is aborted; then says so. */
static unsigned long count_until_aborted(void)
{
	unsigned long count = 0;

	asm volatile(".pushsection .data.rel, \"aw\"\n"
		     ".balign 32\n"
		     "3: .long 0, 0\n"
		     ".quad 1f, 2f - 1f, 4f\n"
		     ".popsection\n"
		     "lea 3b(%%rip), %%rax\n"
		     "mov %%rax, %[sequence]\n"
		     "1: inc %[count]\n"
		     "jmp 1b\n"
		     "2:\n"
		     ".byte 0x0f, 0xb9, 0x3d\n"
		     ".long %c[signature]\n"
		     "4:\n"
		     : [count] "+r"(count), [sequence] "=m"(area()->rseq_cs)
		     : [signature] "i"(SIGNATURE)
		     : "rax", "memory", "cc");
	return count;
}

static volatile unsigned signals;

static void on_alarm(int signal)
{
	(void)signal;
	signals++;
}

static void test_aborts(void)
{
	struct itimerval soon = { { 0, 0 }, { 0, 5000 } };

	check(signal(SIGALRM, on_alarm) != SIG_ERR);
	for (unsigned i = 1; i <= 20; i++) {
		/* It may be switched away from before the signal comes: that aborts, too. */
		check(setitimer(ITIMER_REAL, &soon, NULL) == 0);
		check(count_until_aborted() > 0);
		check(area()->rseq_cs == 0);
	}
	check(signals > 0);
}

static void test_processors(void)
{
	cpu_set_t set;

	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		if (sched_setaffinity(0, sizeof(set), &set))
			continue;
		for (unsigned i = 0; i < 200; i++) {
			check(area()->cpu_id == (unsigned)cpu && area()->cpu_id_start == (unsigned)cpu);
			sched_yield();
		}
	}
}

/* A sequence that the kernel cannot believe in is the end of the process. */
static void test_bad_sequence(void)
{
	area()->rseq_cs = 0xffff800000001000;
	for (;;)
		sched_yield();
}

int main(void)
{
	if (__rseq_size == 0 || (int)area()->cpu_id < 0)
		return SKIPPED;
	test_processors();
	check(runs_well(test_aborts));
	check(ends_by(test_bad_sequence, SIGSEGV));
	return 0;
}
