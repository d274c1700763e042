// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that the interrupts of a device with edges (the clock chip, periodic) come as events,
 * wherever the port goes, and no more once it is closed; and that bad requests are refused.
 */
/* covers: interrupt_bind, interrupt_end */
/* timeout: 120 */
#include "test.h"

#include "abi/interrupt.h"

const char test_title[] = "interrupts of devices";

#define CLOCK_GSI      8
#define CLOCK_INDEX    0x70
#define CLOCK_DATA     0x71
#define CLOCK_A	       0x0a
#define CLOCK_B	       0x0b
#define CLOCK_C	       0x0c
#define CLOCK_RATE     0x0f
#define CLOCK_PERIODIC 0x40
#define RATE_256_HZ    0x08

static void port_write(uint16_t port, uint8_t value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t port_read(uint16_t port)
{
	uint8_t value;

	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

/* --- the clock chip --- */

static uint8_t clock_read(uint8_t index)
{
	port_write(CLOCK_INDEX, index);
	return port_read(CLOCK_DATA);
}

static void clock_write(uint8_t index, uint8_t value)
{
	port_write(CLOCK_INDEX, index);
	port_write(CLOCK_DATA, value);
}

/* Reading C lets the next edge come. */
static void clock_again(uint32_t port)
{
	(void)port;
	clock_read(CLOCK_C);
}

static void clock_start(void)
{
	clock_write(CLOCK_A, (uint8_t)((clock_read(CLOCK_A) & ~CLOCK_RATE) | RATE_256_HZ));
	clock_write(CLOCK_B, clock_read(CLOCK_B) | CLOCK_PERIODIC);
	clock_read(CLOCK_C);
}

static void clock_stop(void)
{
	clock_write(CLOCK_B, (uint8_t)(clock_read(CLOCK_B) & ~CLOCK_PERIODIC));
	clock_read(CLOCK_C);
}

/* --- refused --- */

static int64_t bind(struct rf_interrupt interrupt)
{
	return hv_interrupt_bind(ADDRESS(&interrupt));
}

static void refused(void)
{
	static const uint32_t own[] = { 0, 2, 4 };
	uint32_t i;

	CHECK_EQ(hv_interrupt_bind(0), -EFAULT, "at 0");
	CHECK_EQ(hv_interrupt_bind(HYPERVISOR_START), -EFAULT, "in the hypervisor");
	for (i = 2; i < 32; i++) {
		CHECK_EQ(bind((struct rf_interrupt){ .kind = 1U << i }), -EINVAL, "kind 2^%u", i);
		CHECK_EQ(bind((struct rf_interrupt){ .gsi = CLOCK_GSI, .flags = 1U << i }), -EINVAL,
			 "flag 2^%u", i);
		CHECK_EQ(bind((struct rf_interrupt){ .gsi = CLOCK_GSI, .vcpu = 1U << i }), -EINVAL,
			 "vCPU 2^%u", i);
		CHECK_EQ(bind((struct rf_interrupt){ .gsi = CLOCK_GSI, .reserved = 1U << i }),
			 -EINVAL, "reserved 2^%u", i);
		CHECK_EQ(bind((struct rf_interrupt){ .kind = RF_INTERRUPT_MSI, .gsi = 1U << i }),
			 -EINVAL, "a message with an input");
		if (i >= 8)
			CHECK_EQ(bind((struct rf_interrupt){ .gsi = 1U << i }), -EINVAL, "gsi 2^%u",
				 i);
	}
	CHECK_EQ(bind((struct rf_interrupt){ .kind = RF_INTERRUPT_MSI, .flags = 1 }), -EINVAL,
		 "a message with a level");
	CHECK_EQ(bind((struct rf_interrupt){ .gsi = ~0U }), -EINVAL, "gsi -1");
	for (i = 0; i < 3; i++)
		CHECK_EQ(bind((struct rf_interrupt){ .gsi = own[i] }), -EBUSY,
			 "gsi %u is the hypervisor's", own[i]);
	CHECK_EQ(hv_interrupt_end(0), -ENOENT, "end of no port");
	CHECK_EQ(hv_interrupt_end(1), -ENOENT, "end of no port");
	CHECK_EQ(hv_interrupt_end(~0UL), -ENOENT, "end of no port");
	test_audit();
}

/* --- good --- */

static volatile bool stop;

static void takes_events(void *argument)
{
	(void)argument;
	interrupts_on();
	while (!stop)
		hv_block();
	interrupts_off();
}

static void periodic(uint32_t port, uint32_t vcpu)
{
	uint32_t before = event_count(port);
	uint64_t end = clock_ns() + 10 * SECOND;

	CHECK_EQ(event_target(port, vcpu), 0, "to vCPU %u", vcpu);
	interrupts_on();
	while (event_count(port) < before + 20 && clock_ns() < end)
		hv_poll(clock_ns() + MILLISECOND);
	interrupts_off();
	CHECK(event_count(port) >= before + 20, "vCPU %u: %u interrupts", vcpu,
	      event_count(port) - before);
	CHECK_EQ(event_taker(port), vcpu, "taken by");
}

static uint32_t bind_clock(void)
{
	int64_t port = bind((struct rf_interrupt){ .gsi = CLOCK_GSI });

	if (port <= 0)
		ERROR("bind: %ld", port);
	return (uint32_t)port;
}

static void clock_interrupts(void)
{
	uint32_t port, before, id;

	event_hook = clock_again;
	port = bind_clock();
	CHECK_EQ(bind((struct rf_interrupt){ .gsi = CLOCK_GSI }), -EBUSY, "bound twice");
	CHECK_EQ(hv_event_send(port), -EINVAL, "send");
	CHECK_EQ(hv_event_connect(RF_DOMAIN_SELF, port), -ENOENT, "connect");
	CHECK_EQ(hv_interrupt_end(port), 0, "an edge needs no end");
	event_unmask(port);
	clock_start();
	for (id = 1; id < start_info->vcpus; id++)
		vcpu_start(id, takes_events, NULL);
	for (id = 0; id < start_info->vcpus; id++)
		periodic(port, id);
	periodic(port, 0);
	test_audit();
	/* One that comes now is late. */
	interrupts_off();
	CHECK_EQ(hv_event_close(port), 0, "close");
	CHECK_EQ(hv_event_close(port), -ENOENT, "close twice");
	CHECK_EQ(hv_interrupt_end(port), -ENOENT, "end when closed");
	interrupts_on();
	interrupts_off();
	before = event_count(port);
	interrupts_on();
	for (id = 0; id < 50; id++)
		hv_poll(clock_ns() + MILLISECOND);
	interrupts_off();
	CHECK_EQ(event_count(port), before, "closed");
	clock_stop();
}

/* Bound and closed while it comes, again and again. */
static void again_and_again(void)
{
	uint32_t i, port, taken = 0;

	clock_start();
	for (i = 0; i < 300; i++) {
		uint32_t before;

		port = bind_clock();
		before = event_count(port);
		event_unmask(port);
		clock_read(CLOCK_C);
		interrupts_on();
		if (i % 10 == 0)
			hv_poll(clock_ns() + 20 * MILLISECOND);
		interrupts_off();
		CHECK_EQ(hv_event_close(port), 0, "close");
		interrupts_on();
		interrupts_off();
		taken += event_count(port) - before;
	}
	clock_stop();
	CHECK(taken >= 30, "%u interrupts", taken);
	test_audit();
}

/* As many messages as there are vectors; each is told apart by address and data. */
static void all_messages(void)
{
	static uint32_t ports[1024], messages[1024];
	uint32_t count, i, j;
	int64_t port = 0;

	for (count = 0; count < 1024; count++) {
		struct rf_interrupt interrupt = { .kind = RF_INTERRUPT_MSI };

		port = hv_interrupt_bind(ADDRESS(&interrupt));
		if (port < 0)
			break;
		ports[count] = (uint32_t)port;
		CHECK_EQ(interrupt.msi_address >> 20, 0xfee, "address");
		messages[count] = (uint32_t)interrupt.msi_address | interrupt.msi_data;
		CHECK(interrupt.msi_data >= 0x30 && interrupt.msi_data < 0xf0, "data %#x",
		      interrupt.msi_data);
	}
	CHECK_EQ(port, -ENOSPC, "one more");
	CHECK(count >= 192 - 1, "%u messages", count);
	for (i = 0; i < count; i++)
		for (j = 0; j < i; j++)
			CHECK(messages[i] != messages[j], "messages %u and %u", i, j);
	test_audit();
	for (i = 0; i < count; i++)
		CHECK_EQ(hv_event_close(ports[i]), 0, "close");
	test_audit();
}

void test_main(void)
{
	uint32_t id;

	CHECK_EQ(bind((struct rf_interrupt){ .gsi = CLOCK_GSI }), -EINVAL, "without a page");
	event_init();
	refused();
	clock_interrupts();
	stop = true;
	for (id = 1; id < start_info->vcpus; id++) {
		hv_kick(id);
		vcpu_wait(id);
	}
	again_and_again();
	all_messages();
}
