// SPDX-License-Identifier: BSD-2-Clause
/*
 * Starts the other processors, one after the other.
 *
 * Interface: platform.h. Locks: none. The boot processor hands over by smp_starting and follows
 * `state`, which the started one writes; all of them wait, asleep, until smp_start() has
 * counted and compared them and lets them go on together. A processor that does not answer, or
 * cannot do what the first one can, is put back to sleep by INIT and left out; the next one
 * gets its number and stacks. Odd: the page of the low megabyte that they start in is borrowed,
 * and given back as it was.
 */
#include "platform.h"

#include <stddef.h>

#include "acpi.h"
#include "apic.h"
#include "arch.h"
#include "boot_info.h"
#include "command_line.h"
#include "cpu.h"
#include "cpu_setup.h"
#include "image.h"
#include "instructions.h"
#include "log.h"
#include "machine.h"
#include "paging.h"
#include "panic.h"
#include "smp.h"
#include "string.h"
#include "tsc.h"

#define PAGE_SIZE   4096ULL
#define LOW_LIMIT   0xa0000ULL

#define MS	    1000000ULL
#define INIT_WAIT   (10 * MS)
/* Generous, since on a busy host a virtual processor may not run for seconds. */
#define FIRST_WAIT  (20 * MS)
#define ANSWER_WAIT (5000 * MS)
#define TSC_ROUNDS  4

enum smp_state {
	SMP_NOTHING,
	SMP_DIFFERENT, /* lacks something the first one has, or has more */
	SMP_ANSWERED,
	SMP_PROBE, /* read your cycle counter */
	SMP_PROBED,
	SMP_READY,
};

/* As in smp_boot.S. */
struct smp_words {
	uint32_t early_cr3;
	uint16_t gdt_limit;
	uint32_t gdt_base;
	uint32_t long_offset;
	uint16_t long_selector;
} __attribute__((packed));

extern const char smp_trampoline[], smp_trampoline_gdt[], smp_trampoline_long[],
	smp_trampoline_words[], smp_trampoline_end[];

struct cpu *smp_starting;
uint64_t smp_master_cr3;
uint64_t smp_stack;

static uint32_t state;
static uint64_t probed_tsc;
static bool released;
static uint8_t borrowed[PAGE_SIZE];

static enum smp_state state_read(void)
{
	return __atomic_load_n(&state, __ATOMIC_SEQ_CST);
}

static void state_write(enum smp_state to)
{
	__atomic_store_n(&state, to, __ATOMIC_SEQ_CST);
}

/* --- On the processor that starts --- */

/* Answers until the boot processor has seen enough. */
static void answer_probes(void)
{
	for (int i = 0; i < TSC_ROUNDS; i++) {
		while (state_read() != SMP_PROBE)
			arch_cpu_relax();
		probed_tsc = tsc_read();
		state_write(SMP_PROBED);
	}
}

static bool is_equal(void)
{
	struct cpu_features mine;

	cpu_features_read(&mine);
	return memcmp(&mine, &cpu_features, sizeof(mine)) == 0;
}

_Noreturn void smp_cpu_start(struct cpu *cpu)
{
	if (!is_equal()) {
		state_write(SMP_DIFFERENT);
		for (;;)
			asm volatile("cli; hlt");
	}
	state_write(SMP_ANSWERED);
	cpu_setup(cpu);
	cpu_record();
	apic_init_cpu();
	answer_probes();
	state_write(SMP_READY);
	while (!__atomic_load_n(&released, __ATOMIC_ACQUIRE))
		arch_idle();
	main_cpu_ready(cpu);
}

/* --- On the boot processor --- */

/* Until the state is not `from`; false: it took too long. */
static bool wait_while(enum smp_state from, uint64_t ns)
{
	uint64_t end = arch_time_ns() + ns;

	while (state_read() == from) {
		if (arch_time_ns() > end)
			return false;
		arch_cpu_relax();
	}
	return true;
}

/* A page of RAM below the video memory; 0: none. */
static uint64_t find_low_page(void)
{
	for (uint32_t i = boot_info.range_count; i-- > 0;) {
		const struct boot_range *r = &boot_info.ranges[i];
		uint64_t end = r->start + r->size < LOW_LIMIT ? r->start + r->size : LOW_LIMIT;
		uint64_t first = r->start > PAGE_SIZE ? r->start : PAGE_SIZE;

		if (r->type == BOOT_RAM && end >= first + PAGE_SIZE)
			return end - PAGE_SIZE;
	}
	return 0;
}

static void write_trampoline(uint64_t page)
{
	char *to = arch_frame_pointer(page / PAGE_SIZE);
	struct smp_words *words = (void *)(to + (smp_trampoline_words - smp_trampoline));

	memcpy(borrowed, to, PAGE_SIZE);
	memcpy(to, smp_trampoline, (size_t)(smp_trampoline_end - smp_trampoline));
	words->early_cr3 = (uint32_t)image_physical(boot_l4);
	words->gdt_base = (uint32_t)(page + (uint64_t)(smp_trampoline_gdt - smp_trampoline));
	words->long_offset = (uint32_t)(page + (uint64_t)(smp_trampoline_long - smp_trampoline));
}

/* True when the new processor's cycle counter was read between two reads of ours, each time. */
static bool counters_agree(void)
{
	for (int i = 0; i < TSC_ROUNDS; i++) {
		uint64_t before = tsc_read();

		state_write(SMP_PROBE);
		if (!wait_while(SMP_PROBE, ANSWER_WAIT) || probed_tsc < before ||
		    probed_tsc > tsc_read())
			return false;
	}
	return true;
}

/* What went wrong, or NULL. */
static const char *start_one(struct cpu *cpu, uint8_t page)
{
	smp_stack = cpu->arch.stack_top;
	state_write(SMP_NOTHING);
	__atomic_store_n(&smp_starting, cpu, __ATOMIC_SEQ_CST);
	apic_send_startup(cpu->arch.apic_id, page);
	if (!wait_while(SMP_NOTHING, FIRST_WAIT)) {
		apic_send_startup(cpu->arch.apic_id, page);
		if (!wait_while(SMP_NOTHING, ANSWER_WAIT))
			return "does not answer";
	}
	if (state_read() == SMP_DIFFERENT)
		return "has other features than the first one";
	if (!counters_agree())
		return "has a cycle counter that does not agree with the first one's";
	return wait_while(SMP_PROBED, ANSWER_WAIT) ? NULL : "does not answer any more";
}

/* Its number is the next free one. */
static void start_or_leave_out(uint32_t id, uint8_t page)
{
	struct cpu *cpu = &cpus[cpu_count];
	const char *trouble;

	cpu->arch.apic_id = id;
	trouble = start_one(cpu, page);
	if (!trouble) {
		cpu->online = true;
		cpu_count++;
		return;
	}
	__atomic_store_n(&smp_starting, NULL, __ATOMIC_SEQ_CST);
	apic_send_init(id);
	tsc_delay(INIT_WAIT);
	log_warning("smp: the processor with APIC id %u %s: left out", id, trouble);
}

static bool can_reach(uint32_t id)
{
	return id != cpus[0].arch.apic_id && (cpu_features.x2apic || id < 0xff);
}

static void start_all(uint32_t wanted, uint64_t page)
{
	write_trampoline(page);
	smp_master_cr3 = paging_master_cr3();
	for (uint32_t i = 0; i < acpi_info.cpu_count; i++)
		if (can_reach(acpi_info.cpus[i]))
			apic_send_init(acpi_info.cpus[i]);
	tsc_delay(INIT_WAIT);
	for (uint32_t i = 0; i < acpi_info.cpu_count && cpu_count < wanted; i++)
		if (can_reach(acpi_info.cpus[i]))
			start_or_leave_out(acpi_info.cpus[i], (uint8_t)(page / PAGE_SIZE));
	memcpy(arch_frame_pointer(page / PAGE_SIZE), borrowed, PAGE_SIZE);
}

uint32_t smp_cpus_wanted(void)
{
	uint32_t there = acpi_info.cpu_count ? acpi_info.cpu_count : 1;

	return there < command_line.cpus ? there : (uint32_t)command_line.cpus;
}

void smp_start(void)
{
	uint32_t wanted = smp_cpus_wanted();
	uint64_t page = find_low_page();

	cpu_record();
	if (wanted > 1 && page == 0)
		log_warning("smp: no page below 1 MiB for the other processors to start in");
	else if (wanted > 1)
		start_all(wanted, page);
	/* The last tables that map anything writable and executable, or the low half. */
	memset(boot_l4, 0, (size_t)(boot_stack - boot_l4));
	log_info("smp: %u of %u processors in use", cpu_count,
		 acpi_info.cpu_count ? acpi_info.cpu_count : 1);
	cpu_check();
	paging_self_check();
	machine_set_stop_hook(apic_stop_others);
	__atomic_store_n(&released, true, __ATOMIC_RELEASE);
	for (uint32_t i = 1; i < cpu_count; i++)
		arch_cpu_interrupt(&cpus[i]);
}
