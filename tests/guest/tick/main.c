// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that a timer that has expired ticks at the times that the vCPU page says, and not otherwise; that
 * set_timer comes before any tick; and that no value of the page does harm.
 */
/* covers: set_timer, block, vcpu_up */
#include "test.h"

#include "abi/time.h"

const char test_title[] = "ticks";

#define PERIOD (2 * MILLISECOND)
#define TICKS  20U
#define LATE   (200 * MILLISECOND) /* four vCPUs may share one CPU */

static uint32_t expired(void)
{
	return this_vcpu()->vectors[RF_VECTOR_TIMER];
}

static void tick_at(uint64_t tick_ns, uint64_t period)
{
	this_page()->tick_ns = tick_ns;
	this_page()->tick_period = period;
}

/* Nothing is set, and nothing waits. */
static void stop(void)
{
	tick_at(0, 0);
	CHECK_EQ(hv_set_timer(RF_TIME_NEVER), 0, "stop");
	interrupts_on();
	interrupts_off();
	CHECK_EQ(this_page()->timer_ns, 0, "stopped");
}

/* Blocked, until one more has come; or two, where others had the CPU. */
static void wait_one(void)
{
	uint32_t before = expired();
	uint64_t give_up = clock_ns() + 10 * SECOND;

	while (expired() == before && clock_ns() < give_up) {
		hv_block();
		interrupts_off();
	}
	CHECK(expired() > before, "expired on vCPU %u", this_vcpu()->id);
}

static void expect_none(const char *what)
{
	uint32_t before = expired();

	interrupts_on();
	clock_spin(3 * PERIOD);
	interrupts_off();
	CHECK_EQ(expired(), before, "%s", what);
}

/* One call, and then a tick after the other; the times before it as good as those after. */
static void ticks(uint64_t tick_ns)
{
	uint64_t next = clock_ns() + MILLISECOND;
	uint32_t i;

	tick_at(tick_ns, PERIOD);
	CHECK_EQ(hv_set_timer(next), 0, "set_timer");
	for (i = 0; i < TICKS; i++) {
		uint64_t now;

		CHECK_EQ(this_page()->timer_ns, next, "round %u", i);
		wait_one();
		now = clock_ns();
		CHECK(now >= next && now < next + LATE, "%ld ns late", now - next);
		next = this_page()->timer_ns;
		CHECK_EQ((next - tick_ns) % PERIOD * ((tick_ns - next) % PERIOD), 0, "round %u", i);
		CHECK(next + PERIOD > now && next <= clock_ns() + PERIOD, "%ld ns from now",
		      next - now);
	}
	CHECK_EQ(hv_set_timer(RF_TIME_NEVER), 0, "stop");
	expect_none("stopped");
	stop();
}

static void no_period(void)
{
	static const uint64_t periods[] = {
		0, 1, RF_TICK_MIN - 1, RF_TICK_MAX + 1, 1UL << 63, ~0UL
	};
	uint32_t i;

	for (i = 0; i < sizeof(periods) / sizeof(periods[0]); i++) {
		tick_at(0, periods[i]);
		CHECK_EQ(hv_set_timer(0), 0, "set_timer");
		interrupts_on();
		interrupts_off();
		CHECK_EQ(this_page()->timer_ns, 0, "period %#lx", periods[i]);
		expect_none("no period");
	}
	stop();
}

/* What was asked for while the vector waited stays. */
static void call_comes_first(void)
{
	uint64_t deadline = clock_ns() + 50 * PERIOD;

	tick_at(0, PERIOD);
	CHECK_EQ(hv_set_timer(0), 0, "set_timer");
	CHECK_EQ(hv_set_timer(deadline), 0, "set_timer");
	interrupts_on();
	interrupts_off();
	CHECK_EQ(this_page()->timer_ns, deadline, "asked for");
	if (clock_ns() < deadline - 4 * PERIOD)
		expect_none("before the deadline");
	stop();
}

static void any_value(void)
{
	uint32_t i;

	for (i = 0; i < 3000; i++) {
		tick_at(random_u64() >> random_below(64), random_u64() >> random_below(64));
		this_page()->timer_ns = random_u64();
		hv_set_timer(i & 1 ? 0 : clock_ns() + random_below(20000));
		interrupts_on();
		interrupts_off();
	}
	stop();
}

static void on_this_vcpu(void *argument)
{
	(void)argument;
	CHECK_EQ(this_page()->timer_ns, 0, "at the start");
	ticks(0);
	ticks(clock_ns() + PERIOD * 1000 + 12345);
	ticks(clock_ns() - 777);
	no_period();
	call_comes_first();
	any_value();
	/* It goes down with a tick to come, and is new the next time. */
	tick_at(0, PERIOD);
	hv_set_timer(clock_ns() + 10 * PERIOD);
}

void test_main(void)
{
	uint32_t round, id;

	on_this_vcpu(NULL);
	stop();
	for (round = 0; round < 2; round++) {
		for (id = 1; id < 3; id++)
			vcpu_start(id, on_this_vcpu, NULL);
		for (id = 1; id < 3; id++)
			vcpu_wait(id);
	}
	test_audit();
}
