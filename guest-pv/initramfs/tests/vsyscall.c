// SPDX-License-Identifier: GPL-2.0
/* The page at the end of the address space that old programs call; it can be called, and nothing else. */
#define _GNU_SOURCE
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include "check.h"

#define PAGE	     0xffffffffff600000UL
#define GETTIMEOFDAY PAGE
#define TIME	     (PAGE + 0x400)
#define GETCPU	     (PAGE + 0x800)

static sigjmp_buf fault_return;

static void on_fault(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info, (void)context;
	siglongjmp(fault_return, 1);
}

static bool can_be_called(unsigned long at)
{
	if (sigsetjmp(fault_return, 1))
		return false;
	((long (*)(void *))at)(NULL);
	return true;
}

static bool can_be_read(unsigned long at)
{
	if (sigsetjmp(fault_return, 1))
		return false;
	(void)*(volatile char *)at;
	return true;
}

static void test_answers(void)
{
	struct timeval before, middle, after;
	unsigned cpu, node;
	cpu_set_t set;
	time_t seconds;

	for (unsigned i = 0; i < 200; i++) {
		check(gettimeofday(&before, NULL) == 0);
		check(((int (*)(struct timeval *, void *))GETTIMEOFDAY)(&middle, NULL) == 0);
		check(gettimeofday(&after, NULL) == 0);
		check(!timercmp(&middle, &before, <) && !timercmp(&after, &middle, <));
		/* The second may just have ended, and its clock is that of the last tick. */
		seconds = ((time_t (*)(time_t *))TIME)(NULL);
		check(seconds >= before.tv_sec - 1 && seconds <= after.tv_sec + 1);
	}
	for (int wanted = 0; wanted < CPU_SETSIZE; wanted++) {
		CPU_ZERO(&set);
		CPU_SET(wanted, &set);
		if (sched_setaffinity(0, sizeof(set), &set))
			continue;
		check(((int (*)(unsigned *, unsigned *, void *))GETCPU)(&cpu, &node, NULL) == 0);
		check(cpu == (unsigned)wanted);
	}
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

	check(sigaction(SIGSEGV, &action, NULL) == 0);
	if (!can_be_called(TIME))
		return SKIPPED;
	test_answers();
	check(!can_be_called(PAGE + 0x10) && !can_be_called(PAGE + 0xc00));
	check(!can_be_called(PAGE + 0x1000) && !can_be_called(PAGE - 0x1000));
	check(!can_be_read(PAGE));
	/* A pointer that cannot be written to. */
	if (!sigsetjmp(fault_return, 1)) {
		((int (*)(void *, void *))GETTIMEOFDAY)((void *)8, NULL);
		check(false);
	}
	return 0;
}
