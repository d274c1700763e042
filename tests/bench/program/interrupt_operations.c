// SPDX-License-Identifier: BSD-2-Clause
/*
 * The ways into the kernel and the hypervisor that no program asks for, and the one that only
 * a kernel can: the timer's interrupt, and a hypercall that does nothing.
 */
#include <fcntl.h>
#include <stddef.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "operation.h"

#define TIMER_NANOSECONDS 20000
/* What the processor does meanwhile must outlast the timer, and a slow way to arm it. */
#define SPIN_ROUNDS	  60000
#define CALLS_AT_ONCE	  1000

static int timer, calls;
static uint64_t spin_time;

static void spin(void)
{
	unsigned int i;

	for (i = 0; i < SPIN_ROUNDS; i++)
		asm volatile("");
}

/* How long it takes without an interrupt: the shortest of some. */
static uint64_t measure_spin(void)
{
	uint64_t shortest = UINT64_MAX;
	unsigned int i;

	for (i = 0; i < 20; i++) {
		uint64_t start = operation_now(), time;

		spin();
		time = operation_now() - start;
		if (time < shortest)
			shortest = time;
	}
	return shortest;
}

static void create_timer(void)
{
	timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	operation_check(timer >= 0, "timerfd_create");
	spin_time = measure_spin();
}

static void perform_timer(uint64_t iterations)
{
	const struct itimerspec soon = { .it_value.tv_nsec = TIMER_NANOSECONDS };
	uint64_t i, expired = 0;

	for (i = 0; i < iterations; i++) {
		operation_check(timerfd_settime(timer, 0, &soon, NULL) == 0, "timerfd_settime");
		spin();
	}
	operation_check(read(timer, &expired, sizeof(expired)) == sizeof(expired) && expired == 1,
			"the timer did not expire in time");
	operation_discount(spin_time * iterations);
}

static void close_timer(void)
{
	close(timer);
}

/* Only the kernel of the benchmark has the device, and only below a hypervisor. */
static bool has_hypercalls(void)
{
	return access("/dev/null_call", W_OK) == 0;
}

static void open_calls(void)
{
	calls = open("/dev/null_call", O_WRONLY);
	operation_check(calls >= 0, "/dev/null_call");
}

static void perform_calls(uint64_t iterations)
{
	static const char buffer[CALLS_AT_ONCE];

	for (; iterations >= CALLS_AT_ONCE; iterations -= CALLS_AT_ONCE)
		operation_check(write(calls, buffer, CALLS_AT_ONCE) == CALLS_AT_ONCE, "hypercalls");
}

static void close_calls(void)
{
	close(calls);
}

const struct operation interrupt_operations[] = {
	{ "timer", 500, create_timer, perform_timer, close_timer, NULL },
	{ "hypercall", 10000, open_calls, perform_calls, close_calls, has_hypercalls },
	{},
};
