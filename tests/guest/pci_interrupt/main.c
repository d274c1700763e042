// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that a level-triggered interrupt comes once until it is ended, again if the device still
 * asks, and not when it is closed; and that messages come, each of them, to the port that was bound
 * last, and that one for nobody harms nobody.
 */
/* covers: interrupt_bind, interrupt_end, event_close, event_set_vcpu */
/* timeout: 150 */
#include "test.h"

#include "abi/interrupt.h"
#include "card.h"

const char test_title[] = "interrupts of a PCI device";

#define MESSAGES (test_option("full") ? 5000U : 300U)

static volatile bool stop;

static uint32_t bind_pin(void)
{
	struct rf_interrupt interrupt = { .gsi = card_gsi(), .flags = RF_INTERRUPT_LEVEL };
	int64_t port = hv_interrupt_bind(ADDRESS(&interrupt));

	if (port <= 0)
		ERROR("bind %u: %ld", card_gsi(), port);
	CHECK_EQ(interrupt.msi_address, 0, "no message");
	CHECK_EQ(interrupt.msi_data, 0, "no message");
	event_reset((uint32_t)port);
	event_unmask((uint32_t)port);
	return (uint32_t)port;
}

/* Time for one to come that should not. */
static void nothing_more(uint32_t port, uint32_t count, const char *why)
{
	uint32_t i;

	interrupts_on();
	for (i = 0; i < 10; i++)
		hv_poll(clock_ns() + MILLISECOND);
	interrupts_off();
	CHECK_EQ(event_count(port), count, "%s", why);
}

static void level(void)
{
	uint32_t port = bind_pin();

	nothing_more(port, 0, "the card is quiet");
	card_raise();
	event_wait(port, 1);
	nothing_more(port, 1, "not ended");
	CHECK_EQ(hv_interrupt_end(port), 0, "end");
	event_wait(port, 2);
	nothing_more(port, 2, "not ended again");
	card_calm();
	CHECK_EQ(hv_interrupt_end(port), 0, "end");
	CHECK_EQ(hv_interrupt_end(port), 0, "end twice");
	nothing_more(port, 2, "the card is calm");
	/* While the port is masked it waits. */
	event_mask(port);
	card_raise();
	nothing_more(port, 2, "masked");
	CHECK(event_is_pending(port), "masked");
	event_unmask(port);
	event_wait(port, 3);
	/* Closed while the card asks: quiet until it is bound again. */
	CHECK_EQ(hv_interrupt_end(port), 0, "end");
	event_wait(port, 4);
	CHECK_EQ(hv_event_close(port), 0, "close");
	nothing_more(port, 4, "closed");
	port = bind_pin();
	event_wait(port, 1);
	card_calm();
	CHECK_EQ(hv_event_close(port), 0, "close without an end");
	port = bind_pin();
	card_raise();
	event_wait(port, 1);
	card_calm();
	CHECK_EQ(hv_interrupt_end(port), 0, "end");
	CHECK_EQ(hv_event_close(port), 0, "close");
	test_audit();
}

/* --- messages --- */

static void takes_events(void *argument)
{
	(void)argument;
	interrupts_on();
	while (!stop)
		hv_block();
	interrupts_off();
}

static uint32_t bind_message(uint32_t vcpu)
{
	struct rf_interrupt interrupt = { .kind = RF_INTERRUPT_MSI, .vcpu = vcpu };
	int64_t port = hv_interrupt_bind(ADDRESS(&interrupt));

	if (port <= 0)
		ERROR("bind a message: %ld", port);
	card_set_message(interrupt.msi_address, interrupt.msi_data);
	event_reset((uint32_t)port);
	event_target((uint32_t)port, vcpu);
	event_unmask((uint32_t)port);
	return (uint32_t)port;
}

static void messages_to(uint32_t vcpu)
{
	uint32_t port = bind_message(vcpu);
	uint64_t start = clock_ns();
	uint32_t i;

	for (i = 0; i < MESSAGES && !test_failures(); i++) {
		uint32_t before = event_count(port);

		card_raise();
		event_wait_least(port, before + 1);
		card_calm();
	}
	printf("vCPU %u: %u messages, %lu us each\n", vcpu, i,
	       (clock_ns() - start) / MESSAGES / 1000);
	CHECK_EQ(event_taker(port), vcpu, "taken by");
	CHECK_EQ(hv_interrupt_end(port), 0, "a message needs no end");
	CHECK_EQ(hv_event_close(port), 0, "close");
}

/* The device still sends what was closed: to nobody, or to a vector that nobody ever had. */
static void late(void)
{
	struct rf_interrupt interrupt = { .kind = RF_INTERRUPT_MSI };
	uint32_t port = bind_message(0);
	uint32_t i;
	int64_t other;

	CHECK_EQ(hv_event_close(port), 0, "close");
	other = hv_interrupt_bind(ADDRESS(&interrupt));
	CHECK_EQ(other, port, "the same port");
	event_unmask((uint32_t)other);
	for (i = 0; i < 20; i++) {
		card_raise();
		card_calm();
	}
	nothing_more(port, 0, "late");
	for (i = 0x30; i < 0xf0; i += 0x10) {
		card_set_message(interrupt.msi_address, i);
		card_raise();
		card_calm();
	}
	nothing_more(port, 0, "for nobody");
	CHECK_EQ(hv_event_close((uint32_t)other), 0, "close");
}

static void messages(void)
{
	uint32_t id;

	for (id = 1; id < start_info->vcpus; id++)
		vcpu_start(id, takes_events, NULL);
	for (id = 0; id < start_info->vcpus; id++)
		messages_to(id);
	stop = true;
	for (id = 1; id < start_info->vcpus; id++) {
		hv_kick(id);
		vcpu_wait(id);
	}
	late();
	card_use_pin();
	test_audit();
}

void test_main(void)
{
	event_init();
	card_init();
	level();
	messages();
	level();
}
