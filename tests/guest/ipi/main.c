// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that every vector reaches exactly the vCPUs it was sent to, that bad ones are refused, and
 * that no wake-up is lost between vCPUs that block in turn, by vector or by kick.
 */
/* covers: send_ipi, block, kick, poll, irq_window */
/* timeout: 200 */
#include "test.h"

#include "abi/time.h"

const char test_title[] = "virtual interrupts between vCPUs";

#define PINGS	    10000
#define KICKS	    5000
#define VECTOR_PING 0x90

static uint32_t others;
static volatile bool stop;
static struct meeting meeting;

static uint32_t taken(uint32_t id, uint32_t vector)
{
	return vcpu_of(id)->vectors[vector];
}

static uint64_t all_mask(void)
{
	return (1UL << start_info->vcpus) - 1;
}

static void takes_all(void *argument)
{
	(void)argument;
	interrupts_on();
	meet(&meeting, start_info->vcpus);
	while (!stop)
		hv_block();
	interrupts_off();
}

static void start_all(void (*function)(void *))
{
	uint32_t id;

	stop = false;
	for (id = 1; id < start_info->vcpus; id++)
		vcpu_start(id, function, NULL);
	meet(&meeting, start_info->vcpus);
}

static void stop_all(void)
{
	uint32_t id;

	stop = true;
	for (id = 1; id < start_info->vcpus; id++)
		CHECK_EQ(hv_kick(id), 0, "kick %u", id);
	for (id = 1; id < start_info->vcpus; id++)
		vcpu_wait(id);
}

static bool wait_for_vector(uint32_t id, uint32_t vector, uint32_t count)
{
	uint64_t end = clock_ns() + 10 * SECOND;

	while (taken(id, vector) != count && clock_ns() < end)
		relax();
	return CHECK_EQ(taken(id, vector), count, "vector %u on vCPU %u", vector, id);
}

/* Each vector to each vCPU alone, to itself, and to all. */
static void all_vectors(void)
{
	uint32_t vector, id;

	interrupts_on();
	start_all(takes_all);
	for (vector = 32; vector < 256; vector++) {
		for (id = 0; id < start_info->vcpus; id++) {
			uint32_t before = taken(id, vector);

			CHECK_EQ(hv_send_ipi(vector, 1UL << id), 0, "vector %u", vector);
			if (!wait_for_vector(id, vector, before + 1))
				return;
		}
		CHECK_EQ(hv_send_ipi(vector, all_mask()), 0, "vector %u", vector);
		for (id = 0; id < start_info->vcpus; id++)
			wait_for_vector(id, vector, 2);
		CHECK_EQ(hv_send_ipi(vector, 0), 0, "to nobody");
	}
	interrupts_off();
	stop_all();
	for (vector = 32; vector < 256; vector++) {
		for (id = 0; id < start_info->vcpus; id++)
			CHECK_EQ(taken(id, vector), 2, "vector %u on vCPU %u", vector, id);
	}
}

/* With interrupts off it waits, is shown as pending, and comes once, however often it was sent. */
static void while_off(void)
{
	uint32_t before = taken(0, VECTOR_PING);
	uint32_t i;

	interrupts_off();
	for (i = 0; i < 10; i++)
		CHECK_EQ(hv_send_ipi(VECTOR_PING, 1), 0, "to itself");
	CHECK(this_page()->pending, "pending");
	CHECK_EQ(taken(0, VECTOR_PING), before, "with interrupts off");
	CHECK_EQ(hv_irq_window(), 0, "irq_window with interrupts off");
	CHECK_EQ(taken(0, VECTOR_PING), before, "with interrupts off");
	interrupts_on();
	CHECK_EQ(taken(0, VECTOR_PING), before + 1, "once");
	CHECK(!this_page()->pending, "nothing more");
	interrupts_off();
}

static void bad(void)
{
	uint32_t i;

	for (i = 0; i < 32; i++)
		CHECK_EQ(hv_send_ipi(i, 1), -EINVAL, "vector %u", i);
	for (i = 8; i < 64; i++)
		CHECK_EQ(hv_send_ipi(1UL << i, 1), -EINVAL, "vector 2^%u", i);
	CHECK_EQ(hv_send_ipi(~0UL, 1), -EINVAL, "vector -1");
	for (i = start_info->vcpus; i < 64; i++)
		CHECK_EQ(hv_send_ipi(VECTOR_PING, 1UL << i), -EINVAL, "vCPU %u", i);
	CHECK_EQ(hv_send_ipi(VECTOR_PING, ~0UL), -EINVAL, "all vCPUs there could be");
}

/* To a vCPU that is down nothing is kept: it does not find it when it comes up. */
static void no_vectors(void *argument)
{
	uint32_t *found = argument;

	interrupts_on();
	*found = taken(this_vcpu()->id, VECTOR_PING);
	interrupts_off();
}

static void to_down(void)
{
	uint32_t before = taken(1, VECTOR_PING);
	uint32_t found = 0;

	CHECK_EQ(hv_vcpu_status(1), RF_VCPU_DOWN, "down");
	CHECK_EQ(hv_send_ipi(VECTOR_PING, 2), 0, "to a vCPU that is down");
	vcpu_start(1, no_vectors, &found);
	vcpu_wait(1);
	CHECK_EQ(found, before, "vectors from before");
}

/* --- wake-ups --- */

static volatile uint32_t turn;

/*
 * Interrupts are off from the look at the turn until block, which does not stop when one is
 * pending.
 */
static void ping(uint32_t me, uint32_t partner, uint32_t rounds)
{
	uint32_t i;

	for (i = 0; i < rounds; i++) {
		while (atomic_load(&turn) != me) {
			hv_block();
			interrupts_on();
			interrupts_off();
		}
		atomic_store(&turn, partner);
		CHECK_EQ(hv_send_ipi(VECTOR_PING, 1UL << partner), 0, "ping");
	}
}

static void pong(void *argument)
{
	(void)argument;
	ping(1, 0, PINGS);
}

static void ping_pong(void)
{
	uint64_t start = clock_ns();

	atomic_store(&turn, 0);
	vcpu_start(1, pong, NULL);
	ping(0, 1, PINGS);
	vcpu_wait(1);
	printf("%u round trips by vector, %lu us each\n", PINGS,
	       (clock_ns() - start) / PINGS / 1000);
}

/* The same by kick, which is remembered; block in one, poll in the other. */
static void kick_turn(uint32_t me, uint32_t partner)
{
	uint32_t i;

	for (i = 0; i < KICKS; i++) {
		while (atomic_load(&turn) != me)
			me ? hv_block() : hv_poll(RF_TIME_NEVER);
		atomic_store(&turn, partner);
		CHECK_EQ(hv_kick(partner), 0, "kick");
	}
}

static void kicked(void *argument)
{
	(void)argument;
	kick_turn(1, 0);
}

static void kicks(void)
{
	interrupts_on(); /* a leftover vector would keep it from blocking */
	interrupts_off();
	atomic_store(&turn, 0);
	vcpu_start(1, kicked, NULL);
	kick_turn(0, 1);
	vcpu_wait(1);
	CHECK_EQ(hv_kick(0), 0, "itself");
	CHECK_EQ(hv_block(), 0, "the kick counts");
	CHECK_EQ(hv_kick(0), 0, "itself");
	CHECK_EQ(hv_poll(RF_TIME_NEVER), 0, "the kick counts");
}

/* --- storms --- */

static void storms(void *argument)
{
	uint32_t i;

	(void)argument;
	interrupts_on();
	meet(&meeting, start_info->vcpus);
	for (i = 0; i < 2000; i++)
		CHECK_EQ(hv_send_ipi(0x80 + i % 64, all_mask()), 0, "storm");
	atomic_add(&others, 1);
	interrupts_off();
}

static void storm(void)
{
	uint32_t id;

	for (id = 1; id < start_info->vcpus; id++)
		vcpu_start(id, storms, NULL);
	storms(NULL);
	for (id = 1; id < start_info->vcpus; id++)
		vcpu_wait(id);
	CHECK_EQ(others, start_info->vcpus, "all came through");
	interrupts_on();
	interrupts_off();
}

void test_main(void)
{
	if (start_info->vcpus < 2)
		SKIP("one vCPU");
	bad();
	all_vectors();
	while_off();
	to_down();
	ping_pong();
	kicks();
	storm();
	if (test_is_control())
		test_audit();
}
