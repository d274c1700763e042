// SPDX-License-Identifier: BSD-2-Clause
/*
 * Local interrupt controllers: timer, interrupts between processors, NMIs. All other sources
 * are masked here.
 *
 * Interface: apic.h; arch_timer_program(), arch_cpu_interrupt(), arch_cpu_nmi() of arch.h.
 * Locks: none. Each processor uses its own controller, with interrupts off. Only a panic sends
 * from an NMI, and so may come between the two writes of the old interface's command; it does
 * not return to them. Odd: the registers are reached by MSRs (x2APIC) where the processor can,
 * else by a page of device memory; the numbers are the same, divided by 16. The timer counts
 * the cycle counter down (TSC deadline) where it can, else its own clock, whose rate is
 * measured on the boot processor.
 */
#include "apic.h"

#include "arch.h"
#include "boot.h"
#include "cpu.h"
#include "cpu_setup.h"
#include "device.h"
#include "instructions.h"
#include "ioapic.h"
#include "line.h"
#include "log.h"
#include "msr.h"
#include "paging.h"
#include "port.h"
#include "processor.h"
#include "timer.h"
#include "tsc.h"
#include "watchdog.h"

#define APIC_ID		    0x020
#define APIC_TASK_PRIORITY  0x080
#define APIC_EOI	    0x0b0
#define APIC_SPURIOUS	    0x0f0
#define APIC_ERROR_STATUS   0x280
#define APIC_COMMAND_LOW    0x300
#define APIC_COMMAND_HIGH   0x310
#define APIC_LVT_TIMER	    0x320
#define APIC_LVT_THERMAL    0x330
#define APIC_LVT_COUNTERS   0x340
#define APIC_LVT_LINT0	    0x350
#define APIC_LVT_LINT1	    0x360
#define APIC_LVT_ERROR	    0x370
#define APIC_TIMER_INITIAL  0x380
#define APIC_TIMER_CURRENT  0x390
#define APIC_TIMER_DIVIDE   0x3e0
#define APIC_REGISTERS_SIZE 0x1000
/* Writes to what follows the registers are messages to processors: any vector, to any of them. */
#define APIC_MESSAGES_SIZE  0x100000

#define BASE_X2APIC	    0x400
#define BASE_ENABLED	    0x800
#define BASE_ADDRESS	    0x000ffffffffff000ULL

#define SPURIOUS_ENABLE	    0x100
#define LVT_MASKED	    0x10000
#define LVT_TSC_DEADLINE    0x40000
#define DIVIDE_BY_1	    0xb

#define COMMAND_NMI	    0x00400
#define COMMAND_INIT	    0x00500
#define COMMAND_STARTUP	    0x00600
#define COMMAND_PENDING	    0x01000
#define COMMAND_ASSERT	    0x04000
#define COMMAND_ALL_OTHERS  0xc0000
#define PENDING_POLLS	    1000000

#define PIC1_DATA	    0x21
#define PIC2_DATA	    0xa1

#define MEASURE_NS	    3000000ULL
#define MEASURE_TRIES	    3
/* Of interrupts that should not come, so many are reported. */
#define REPORTS_MAX	    16

static volatile uint32_t *registers_page;
static uint64_t ticks_per_ns; /* of the timer, times 2^32; unused with TSC deadline */
static bool stopping;
static uint32_t reports;

static uint32_t apic_read(uint32_t offset)
{
	if (cpu_features.x2apic)
		return (uint32_t)msr_read(MSR_X2APIC + (offset >> 4));
	return registers_page[offset / 4];
}

static void apic_write(uint32_t offset, uint32_t value)
{
	if (cpu_features.x2apic)
		msr_write(MSR_X2APIC + (offset >> 4), value);
	else
		registers_page[offset / 4] = value;
}

/* --- Sending --- */

static void send(uint32_t target, uint32_t command)
{
	if (cpu_features.x2apic) {
		/* This write may pass earlier stores, unlike the one to device memory. */
		asm volatile("mfence; lfence" : : : "memory");
		msr_write(MSR_X2APIC + (APIC_COMMAND_LOW >> 4), (uint64_t)target << 32 | command);
		return;
	}
	for (uint32_t i = 0; i < PENDING_POLLS && (apic_read(APIC_COMMAND_LOW) & COMMAND_PENDING);
	     i++)
		arch_cpu_relax();
	apic_write(APIC_COMMAND_HIGH, target << 24);
	apic_write(APIC_COMMAND_LOW, command);
}

void arch_cpu_interrupt(const struct cpu *cpu)
{
	send(cpu->arch.apic_id, COMMAND_ASSERT | VECTOR_CALL);
}

void arch_cpu_nmi(const struct cpu *cpu)
{
	send(cpu->arch.apic_id, COMMAND_ASSERT | COMMAND_NMI);
}

void apic_send_init(uint32_t apic_id)
{
	send(apic_id, COMMAND_ASSERT | COMMAND_INIT);
}

void apic_send_startup(uint32_t apic_id, uint8_t page)
{
	send(apic_id, COMMAND_ASSERT | COMMAND_STARTUP | page);
}

void apic_stop_others(void)
{
	__atomic_store_n(&stopping, true, __ATOMIC_SEQ_CST);
	send(0, COMMAND_ALL_OTHERS | COMMAND_ASSERT | COMMAND_NMI);
}

uint32_t apic_id(void)
{
	uint32_t id = apic_read(APIC_ID);

	return cpu_features.x2apic ? id : id >> 24;
}

/* --- Receiving --- */

static void report(const char *what, uint32_t value)
{
	if (__atomic_fetch_add(&reports, 1, __ATOMIC_RELAXED) < REPORTS_MAX)
		log_warning("apic: %s %#x on processor %u", what, value, this_cpu()->id);
}

static void handle_error(void)
{
	apic_write(APIC_ERROR_STATUS, 0);
	report("error", apic_read(APIC_ERROR_STATUS));
}

void apic_interrupt(uint8_t vector)
{
	bool device = vector >= LINE_VECTOR_FIRST && vector <= LINE_VECTOR_LAST;

	if (vector == VECTOR_SPURIOUS)
		return;
	/* What is level triggered must be masked before it is acknowledged, or it comes again. */
	if (device && !line_interrupt(vector))
		report("unexpected vector of a device", vector);
	apic_write(APIC_EOI, 0);
	if (device)
		return;
	if (vector == VECTOR_TIMER)
		timer_interrupt();
	else if (vector == VECTOR_ERROR)
		handle_error();
	else if (vector != VECTOR_CALL)
		report("unexpected vector", vector);
}

void apic_nmi(const struct registers *registers)
{
	while (__atomic_load_n(&stopping, __ATOMIC_RELAXED))
		asm volatile("cli; hlt");
	watchdog_nmi(registers);
}

void apic_hold_devices(bool hold)
{
	apic_write(APIC_TASK_PRIORITY, hold ? LINE_VECTOR_LAST : 0);
}

/* --- The timer --- */

void arch_timer_program(uint64_t deadline_ns)
{
	uint64_t now, ticks;

	if (cpu_features.tsc_deadline) {
		/* Zero means never; a value in the past, at once. */
		msr_write(MSR_TSC_DEADLINE, deadline_ns == TIMER_NEVER ? 0 : tsc_at(deadline_ns));
		return;
	}
	if (deadline_ns == TIMER_NEVER) {
		apic_write(APIC_TIMER_INITIAL, 0);
		return;
	}
	now = arch_time_ns();
	ticks = 1;
	if (deadline_ns > now)
		ticks += (uint64_t)((unsigned __int128)(deadline_ns - now) * ticks_per_ns >> 32);
	/* Too far for the counter: it ends early, and the timer code programs the rest. */
	apic_write(APIC_TIMER_INITIAL, ticks < UINT32_MAX ? (uint32_t)ticks : UINT32_MAX);
}

/* Rather too many ticks than too few: an interrupt before its time is one more interrupt. */
static uint64_t measure_once(void)
{
	uint64_t start, ns;
	uint32_t ticks;

	apic_write(APIC_TIMER_INITIAL, UINT32_MAX);
	start = arch_time_ns();
	tsc_delay(MEASURE_NS);
	ns = arch_time_ns() - start;
	ticks = UINT32_MAX - apic_read(APIC_TIMER_CURRENT);
	apic_write(APIC_TIMER_INITIAL, 0);
	if (ticks == 0)
		boot_refuse("the timer of the local interrupt controller does not run");
	return ((uint64_t)ticks << 32) / ns;
}

static void measure_timer(void)
{
	ticks_per_ns = measure_once();
	for (int i = 1; i < MEASURE_TRIES; i++) {
		uint64_t again = measure_once();

		if (again < ticks_per_ns)
			ticks_per_ns = again;
	}
	log_info("apic: timer at %lu kHz", ticks_per_ns * 1000000 >> 32);
}

/* --- Setting up --- */

static void enable(void)
{
	uint64_t base = msr_read(MSR_APIC_BASE) | BASE_ENABLED;

	/* From off to x2APIC there is no direct way. */
	msr_write(MSR_APIC_BASE, base);
	if (cpu_features.x2apic)
		msr_write(MSR_APIC_BASE, base | BASE_X2APIC);
}

void apic_init_cpu(void)
{
	enable();
	apic_write(APIC_TASK_PRIORITY, 0);
	apic_write(APIC_LVT_LINT0, LVT_MASKED);
	apic_write(APIC_LVT_LINT1, LVT_MASKED);
	apic_write(APIC_LVT_THERMAL, LVT_MASKED);
	apic_write(APIC_LVT_COUNTERS, LVT_MASKED);
	apic_write(APIC_LVT_ERROR, VECTOR_ERROR);
	apic_write(APIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER,
		   VECTOR_TIMER | (cpu_features.tsc_deadline ? LVT_TSC_DEADLINE : 0));
	/* The mode must be set before the first deadline is. */
	asm volatile("mfence; lfence" : : : "memory");
	arch_timer_program(TIMER_NEVER);
	apic_write(APIC_ERROR_STATUS, 0);
	apic_write(APIC_ERROR_STATUS, 0);
	apic_write(APIC_EOI, 0);
}

void apic_init(void)
{
	uint64_t base = msr_read(MSR_APIC_BASE);

	device_keep(base & BASE_ADDRESS, APIC_MESSAGES_SIZE);
	if (!cpu_features.x2apic)
		registers_page = paging_map_device(base & BASE_ADDRESS, APIC_REGISTERS_SIZE);
	port_write8(PIC1_DATA, 0xff);
	port_write8(PIC2_DATA, 0xff);
	ioapic_init();
	line_init();
	apic_init_cpu();
	if (!cpu_features.tsc_deadline)
		measure_timer();
	log_info("apic: %s, timer by %s", cpu_features.x2apic ? "x2APIC" : "xAPIC",
		 cpu_features.tsc_deadline ? "TSC deadline" : "its own clock");
}
