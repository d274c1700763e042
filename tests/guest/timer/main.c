// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that timers come at their time on every vCPU, whatever the deadline; that poll ends at its
 * deadline; and that the clock of the vCPU page only goes forward, at the rate of the TSC, and is the
 * same on all vCPUs.
 */
/* covers: set_timer, poll, block, vcpu_register_page */
#include "test.h"

#include "abi/time.h"

const char test_title[] = "timers and the clock";

#define LATE (200 * MILLISECOND) /* four vCPUs may share one CPU */

static uint32_t expired(void)
{
	return this_vcpu()->vectors[RF_VECTOR_TIMER];
}

static void set(uint64_t deadline)
{
	CHECK_EQ(hv_set_timer(deadline), 0, "set_timer %#lx", deadline);
}

/* Waits for one expiry, blocked or spinning; the time it came. */
static uint64_t wait_expired(uint32_t before, bool block)
{
	uint64_t give_up = clock_ns() + 10 * SECOND;

	while (expired() == before && clock_ns() < give_up) {
		if (!block) {
			interrupts_on();
			asm volatile("pause");
			continue;
		}
		interrupts_off();
		if (expired() == before)
			hv_block();
		interrupts_on();
	}
	interrupts_off();
	CHECK_EQ(expired(), before + 1, "expired on vCPU %u", this_vcpu()->id);
	return clock_ns();
}

static void deadlines(bool block)
{
	static const uint64_t delays[] = { 0, 1, 1000, 100000, MILLISECOND, 20 * MILLISECOND };
	uint32_t i;

	for (i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
		uint64_t deadline = clock_ns() + delays[i];
		uint32_t before = expired();
		uint64_t now;

		set(deadline);
		now = wait_expired(before, block);
		CHECK(now >= deadline, "%lu ns early", deadline - now);
		CHECK(now < deadline + LATE, "%lu us late", (now - deadline) / 1000);
	}
}

/* A near deadline gives way to a far one, unless it has passed already, as others had the CPU. */
static void replaced(uint64_t by)
{
	uint64_t deadline, before;

	interrupts_on();
	do {
		before = expired();
		deadline = clock_ns() + 10 * MILLISECOND;
		set(deadline);
		set(by);
	} while (clock_ns() >= deadline);
	clock_spin(20 * MILLISECOND);
	CHECK_EQ(expired(), before, "replaced by %#lx", by);
	interrupts_off();
}

/* What has passed comes at once; a far one does not come. */
static void absurd(void)
{
	static const uint64_t past[] = { 0, 1, 1000 };
	static const uint64_t far[] = { 1UL << 62, 1UL << 63,	       (1UL << 63) + 1, ~0UL - 1,
					~0UL - 2,  0x7fffffffffffffff, RF_TIME_NEVER };
	uint32_t before;
	uint32_t i;

	for (i = 0; i < sizeof(past) / sizeof(past[0]); i++) {
		before = expired();
		set(past[i]);
		wait_expired(before, false);
	}
	before = expired();
	interrupts_on();
	for (i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
		set(far[i]);
		clock_spin(5 * MILLISECOND);
		CHECK_EQ(expired(), before, "deadline %#lx", far[i]);
	}
	interrupts_off();
	/* A near one after a far one, and the other way round. */
	set(1UL << 63);
	deadlines(false);
	replaced(1UL << 63);
	replaced(RF_TIME_NEVER);
}

/* Absurd deadlines in a storm: the hypervisor must not fall over its own arithmetic. */
static void storm(void)
{
	uint32_t i;

	interrupts_on();
	for (i = 0; i < 20000; i++)
		set(i & 1 ? random_u64() >> random_below(64) : clock_ns() + random_below(20000));
	set(RF_TIME_NEVER);
	interrupts_off();
}

static void polls(void)
{
	static const uint64_t delays[] = { 0, 1, 10000, MILLISECOND, 20 * MILLISECOND };
	uint32_t i;

	interrupts_on();
	interrupts_off();
	for (i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
		uint64_t deadline = clock_ns() + delays[i];
		uint64_t now;

		CHECK_EQ(hv_poll(deadline), 0, "poll");
		now = clock_ns();
		CHECK(now >= deadline, "%lu ns early", deadline - now);
		CHECK(now < deadline + LATE, "%lu us late", (now - deadline) / 1000);
	}
	/* A vector ends it; with interrupts off it stays pending. */
	set(clock_ns() + 5 * MILLISECOND);
	CHECK_EQ(hv_poll(RF_TIME_NEVER), 0, "poll");
	CHECK(this_page()->pending, "the timer's vector waits");
	CHECK_EQ(hv_poll(RF_TIME_NEVER), 0, "poll with a vector waiting");
	CHECK_EQ(hv_block(), 0, "block with a vector waiting");
	interrupts_on();
	interrupts_off();
}

static void on_this_vcpu(void *argument)
{
	(void)argument;
	deadlines(false);
	deadlines(true);
	absurd();
	polls();
	storm();
}

/* --- the clock --- */

static void agrees_with_tsc(void)
{
	uint64_t ns = clock_ns();
	uint64_t tsc = read_tsc();
	uint64_t by_tsc, by_clock;

	clock_spin(300 * MILLISECOND);
	by_clock = clock_ns() - ns;
	by_tsc = (read_tsc() - tsc) * 1000000 / start_info->tsc_khz;
	CHECK(by_clock < by_tsc + by_tsc / 50 && by_tsc < by_clock + by_clock / 50,
	      "%lu ns by the clock, %lu by the TSC", by_clock, by_tsc);
}

static struct spinlock clock_lock;
static volatile uint64_t last_seen;

/* All vCPUs in turn: nobody sees a time before what another has seen. */
static void forward(void *argument)
{
	uint64_t worst = 0;
	uint32_t i;

	(void)argument;
	for (i = 0; i < 20000; i++) {
		uint64_t now;

		spin_lock(&clock_lock);
		now = clock_ns();
		if (now < last_seen && last_seen - now > worst)
			worst = last_seen - now;
		last_seen = now;
		spin_unlock(&clock_lock);
		if (i % 1000 == 0)
			hv_yield();
	}
	CHECK_EQ(worst, 0, "vCPU %u: back by so many ns", this_vcpu()->id);
}

static void on_all(void (*function)(void *))
{
	uint32_t id;

	for (id = 1; id < start_info->vcpus; id++)
		vcpu_start(id, function, NULL);
	function(NULL);
	for (id = 1; id < start_info->vcpus; id++)
		vcpu_wait(id);
}

/* The page has the time as soon as it is registered, and its times only grow. */
static void page_times(void)
{
	struct rf_vcpu_page *page = this_page();
	uint64_t run = page->run_ns;

	CHECK(page->time.version && !(page->time.version & 1), "version %u", page->time.version);
	CHECK(page->time.multiplier, "multiplier");
	clock_spin(30 * MILLISECOND);
	hv_poll(clock_ns() + MILLISECOND);
	CHECK(page->run_ns > run, "run_ns %lu", page->run_ns);
}

void test_main(void)
{
	agrees_with_tsc();
	page_times();
	on_this_vcpu(NULL);
	on_all(on_this_vcpu);
	on_all(forward);
	if (test_is_control())
		test_audit();
}
