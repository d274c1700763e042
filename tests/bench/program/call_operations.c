// SPDX-License-Identifier: BSD-2-Clause
/* Calls of the kernel that change no memory, and signals. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "operation.h"

static int zero;
static volatile uint64_t signals;

/* What measuring itself costs: subtract nothing, but look at it. */
static void perform_nothing(uint64_t iterations)
{
	(void)iterations;
}

static void perform_getppid(uint64_t iterations)
{
	while (iterations--)
		syscall(SYS_getppid);
}

static void open_zero(void)
{
	zero = open("/dev/zero", O_RDONLY);
	operation_check(zero >= 0, "/dev/zero cannot be opened");
}

static void perform_read(uint64_t iterations)
{
	char byte;

	while (iterations--)
		operation_check(read(zero, &byte, 1) == 1, "read");
}

static void close_zero(void)
{
	close(zero);
}

static void count_signal(int number)
{
	(void)number;
	signals++;
}

static void catch_signal(void)
{
	struct sigaction action = { .sa_handler = count_signal };

	operation_check(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction");
	signals = 0;
}

static void perform_signal(uint64_t iterations)
{
	uint64_t i;

	for (i = 0; i < iterations; i++)
		kill(getpid(), SIGUSR1);
	operation_check(signals == iterations, "signals are missing");
}

static void perform_yield(uint64_t iterations)
{
	while (iterations--)
		sched_yield();
}

static void perform_nanosleep(uint64_t iterations)
{
	struct timespec microsecond = { .tv_nsec = 1000 };

	while (iterations--)
		nanosleep(&microsecond, NULL);
}

const struct operation call_operations[] = {
	{ "nothing", 1, NULL, perform_nothing, NULL, NULL },
	{ "getppid", 10000, NULL, perform_getppid, NULL, NULL },
	{ "read", 10000, open_zero, perform_read, close_zero, NULL },
	{ "signal", 4000, catch_signal, perform_signal, NULL, NULL },
	{ "yield", 10000, NULL, perform_yield, NULL, NULL },
	{ "nanosleep", 500, NULL, perform_nanosleep, NULL, NULL },
	{},
};
