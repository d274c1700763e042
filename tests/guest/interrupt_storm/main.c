// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that a device that never stops asking, served by somebody who ends its interrupt at once,
 * takes no more than a bounded number of interrupts in a time, that none is lost for good, and that
 * the rest of the machine goes on.
 */
/* covers: interrupt_bind, interrupt_end */
/* cpus: 1 2 */
/* timeout: 150 */
#include "test.h"

#include "abi/interrupt.h"
#include "card.h"

const char test_title[] = "a storm of interrupts";

#define STORM_MS   100UL
#define MOST_IN_MS 128UL /* line.c */

/* Without having looked after the device. */
static void end_at_once(uint32_t port)
{
	hv_interrupt_end(port);
}

static void storm(uint32_t port)
{
	uint64_t start = clock_ns(), passed;
	uint32_t count;

	interrupts_on();
	card_raise();
	while (clock_ns() < start + STORM_MS * MILLISECOND)
		;
	interrupts_off();
	count = event_count(port);
	passed = (clock_ns() - start) / MILLISECOND;
	printf("%u interrupts in %lu ms\n", count, passed);
	CHECK(count > passed * MOST_IN_MS / 4, "%u interrupts in %lu ms", count, passed);
	CHECK(count <= (passed + 2) * MOST_IN_MS, "%u interrupts in %lu ms", count, passed);
}

static void timers_go_on(void)
{
	uint64_t start = clock_ns(), late;
	uint32_t i;

	interrupts_on();
	for (i = 1; i <= 50; i++)
		while (clock_ns() < start + i * MILLISECOND)
			hv_poll(start + i * MILLISECOND);
	interrupts_off();
	late = clock_ns() - (start + 50 * MILLISECOND);
	CHECK(late < 2 * MILLISECOND, "%lu us late", late / 1000);
}

void test_main(void)
{
	struct rf_interrupt interrupt = { .flags = RF_INTERRUPT_LEVEL };
	uint32_t port, before;

	event_init();
	card_init();
	interrupt.gsi = card_gsi();
	port = (uint32_t)hv_interrupt_bind(ADDRESS(&interrupt));
	event_hook = end_at_once;
	event_unmask(port);
	storm(port);
	timers_go_on();
	/* Its end, and after that one more comes as ever. */
	interrupts_on();
	card_calm();
	clock_spin(5 * MILLISECOND);
	before = event_count(port);
	event_hook = NULL;
	clock_spin(5 * MILLISECOND);
	CHECK_EQ(event_count(port), before, "calm");
	card_raise();
	event_wait(port, before + 1);
	card_calm();
	CHECK_EQ(hv_event_close(port), 0, "close");
	interrupts_off();
	test_audit();
}
