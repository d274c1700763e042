// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that a vCPU goes on to run while two others post vectors to it as fast as they can, and
 * each is pushed upon the one before: their handlers leave interrupts on.
 */
/* covers: send_ipi, set_traps */
#include "test.h"

#include "abi/time.h"

const char test_title[] = "a storm of vectors";

#define STACK_PAGES 1024
#define STORM	    (2 * SECOND)
#define VECTOR	    0x90
#define VECTORS	    32
#define FRAME	    48 /* five words, aligned */

static volatile uint32_t stop;
/* storm.S uses them, too. */
volatile uint64_t lowest, handled;
uint64_t stack_top;

void storm_loop(const volatile uint32_t *stop, uint32_t *interrupt_flag);
extern const char storm_handler[];

static void victim(void *argument)
{
	(void)argument;
	storm_loop(&stop, &this_page()->interrupt_flag);
}

static void attack(void)
{
	uint32_t i = 0;

	while (!stop)
		CHECK_EQ(hv_send_ipi(VECTOR + i++ % VECTORS, 2), 0, "send_ipi");
}

static void attacker(void *argument)
{
	(void)argument;
	attack();
}

static bool on_timer(struct trap_frame *f)
{
	(void)f;
	stop = 1;
	return true;
}

void test_main(void)
{
	uint32_t i;

	if (start_info->vcpus < 3)
		SKIP("fewer than three vCPUs");
	stack_top = ADDRESS(pages_alloc(STACK_PAGES, PAGE_SIZE)) + STACK_PAGES * PAGE_SIZE;
	lowest = stack_top;
	for (i = 0; i < VECTORS; i++)
		CHECK_EQ(trap_register(VECTOR + i, ADDRESS(storm_handler), RF_TRAP_KEEP_INTERRUPTS),
			 0, "vector %u", VECTOR + i);
	trap_set_handler(RF_VECTOR_TIMER, on_timer);
	vcpu_start(1, victim, NULL);
	vcpu_start(2, attacker, NULL);
	CHECK_EQ(hv_set_timer(clock_ns() + STORM), 0, "set_timer");
	interrupts_on();
	attack();
	vcpu_wait(1);
	vcpu_wait(2);
	interrupts_off();
	printf("%lu handlers ran, at most %lu vectors were given at once\n", handled,
	       (stack_top - lowest) / FRAME);
	CHECK(handled > 0, "the guest never ran");
	if (test_is_control())
		test_audit();
}
