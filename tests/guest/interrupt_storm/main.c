// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that a device that never stops asking by its pin, served by somebody who ends its interrupt
 * at once, or that sends messages as fast as it can, takes no more than a bounded number of
 * interrupts in a time, that none is lost for good, and that the rest of the machine goes on.
 */
/* covers: interrupt_bind, interrupt_end */
/* cpus: 1 2 */
/* timeout: 150 */
#include "test.h"

#include "abi/interrupt.h"
#include "card.h"
#include "pci.h"

const char test_title[] = "a storm of interrupts";

#define EDU_ID	   0x11e81234
#define EDU_RAISE  0x60 /* writing sends a message, */
#define EDU_CALM   0x64 /* this takes the cause away */
#define UNCACHED   (PTE_PCD | PTE_PWT)

#define STORM_MS   100UL
#define MOST_IN_MS 128UL /* line.c */

/* Without having looked after the device. */
static void end_at_once(uint32_t port)
{
	hv_interrupt_end(port);
}

/* How many there may be in so many milliseconds. */
static void check_count(uint64_t count, uint64_t passed)
{
	printf("%lu interrupts in %lu ms\n", count, passed);
	CHECK(count > passed * MOST_IN_MS / 4, "%lu interrupts in %lu ms", count, passed);
	CHECK(count <= (passed + 2) * MOST_IN_MS, "%lu interrupts in %lu ms", count, passed);
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
	check_count(count, passed);
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

static void by_pin(void)
{
	struct rf_interrupt interrupt = { .flags = RF_INTERRUPT_LEVEL };
	uint32_t port, before;

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

/* --- by messages --- */

static uint64_t device_entries(void)
{
	struct rf_counters counters = {};

	CHECK_EQ(hv_counters(RF_DOMAIN_SELF, 0, ADDRESS(&counters)), 0, "counters");
	return counters.entries[RF_ENTRY_DEVICE];
}

static volatile uint32_t *map_edu(uint32_t slot)
{
	root_map(root_boot(), TEST_KERNEL_BASE, pci_read(slot, PCI_BAR0) & ~0xfU,
		 PTE_KERNEL_RW | UNCACHED);
	return (volatile uint32_t *)TEST_KERNEL_BASE;
}

/* Nobody takes them: each is an entry into the hypervisor, and no more. */
static void message_storm(volatile uint32_t *edu, uint32_t port)
{
	uint64_t start = clock_ns(), before = device_entries(), sent = 0, passed;

	interrupts_off();
	for (; clock_ns() < start + STORM_MS * MILLISECOND; sent++)
		edu[EDU_RAISE / 4] = 1;
	passed = (clock_ns() - start) / MILLISECOND;
	CHECK(sent > 2 * passed * MOST_IN_MS, "only %lu messages", sent);
	check_count(device_entries() - before, passed);
	CHECK(event_is_pending(port), "pending");
	CHECK_EQ(event_count(port), 0, "interrupts are off");
	event_wait_least(port, 1);
}

static void by_message(void)
{
	struct rf_interrupt interrupt = { .kind = RF_INTERRUPT_MSI };
	uint32_t slot = pci_find(EDU_ID), port, before;
	volatile uint32_t *edu = map_edu(slot);

	pci_write(slot, PCI_COMMAND, PCI_MEMORY | PCI_MASTER);
	port = (uint32_t)hv_interrupt_bind(ADDRESS(&interrupt));
	event_reset(port);
	event_unmask(port);
	pci_set_message(slot, interrupt.msi_address, interrupt.msi_data);
	message_storm(edu, port);
	/* Its end, and after that one more comes as ever. */
	interrupts_on();
	clock_spin(5 * MILLISECOND);
	before = event_count(port);
	edu[EDU_RAISE / 4] = 1;
	event_wait(port, before + 1);
	interrupts_off();
	edu[EDU_CALM / 4] = 1;
	pci_use_pin(slot);
	CHECK_EQ(hv_event_close(port), 0, "close");
	test_audit();
}

void test_main(void)
{
	event_init();
	by_pin();
	by_message();
}
