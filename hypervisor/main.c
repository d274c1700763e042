// SPDX-License-Identifier: BSD-2-Clause
/*
 * From the first line of C to the first domain.
 *
 * Interface: main_start(), called by the boot code on the boot processor, and main_cpu_ready(),
 * called by smp_start() on each further one. Locks: none; the order of the calls below is what
 * matters, and each says in its header what must come before it.
 */
#include "main.h"

#include "arch.h"
#include "boot.h"
#include "boot_info.h"
#include "build.h"
#include "command_line.h"
#include "console.h"
#include "cpu.h"
#include "cpu_setup.h"
#include "entry.h"
#include "frame.h"
#include "log.h"
#include "platform.h"
#include "sched.h"
#include "serial.h"
#include "vcpu_state.h"
#include "walk.h"
#include "watchdog.h"

/* Less is of no use to anyone, and everything after this may count on it. */
#define RAM_MINIMUM (32 << 20)

static uint64_t count_ram(void)
{
	uint64_t ram = 0;

	for (uint32_t i = 0; i < boot_info.range_count; i++)
		if (boot_info.ranges[i].type == BOOT_RAM)
			ram += boot_info.ranges[i].size;
	return ram;
}

static void print_boot_info(void)
{
	log_info("loaded by %s (%s), command line '%s'", boot_info.loader, boot_info.protocol,
		 boot_info.command_line);
	for (uint32_t i = 0; i < boot_info.range_count; i++) {
		const struct boot_range *r = &boot_info.ranges[i];

		log_info("memory %012lx-%012lx %s", r->start, r->start + r->size - 1,
			 boot_range_name(r->type));
	}
	log_info("%lu MiB of RAM, ACPI root pointer at %#lx", count_ram() >> 20,
		 boot_info.acpi_rsdp);
	for (uint32_t i = 0; i < boot_info.module_count; i++) {
		const struct boot_module *m = &boot_info.modules[i];

		log_info("module %u: %s, %lu KiB at %#lx, '%s'", i, m->file_name,
			 (m->size + 1023) >> 10, m->start, m->command_line);
	}
}

static void start_machine(void)
{
	platform_init();
	frame_init(&boot_info);
	walk_init(cpu_features.physical_bits);
	vcpu_state_init();
	for (uint32_t i = 0; i < CONFIG_MAX_CPUS; i++)
		sched_init_cpu(&cpus[i]);
	smp_start();
	log_info("%u CPUs, %lu MiB of RAM free", cpu_count,
		 frame_free_count() >> (20 - FRAME_SHIFT));
}

void main_cpu_ready(struct cpu *cpu)
{
	(void)cpu;
	vcpu_state_init_cpu();
	watchdog_start_cpu();
	entry_run();
}

void main_start(uint32_t protocol, uint64_t info)
{
	serial_init();
	log_info("Ringfence " HYPERVISOR_VERSION);
	boot_info_read(protocol, info);
	command_line_parse(boot_info.command_line);
	print_boot_info();
	if (count_ram() < RAM_MINIMUM)
		boot_refuse("%lu KiB of RAM, at least %u KiB are needed", count_ram() >> 10,
			    RAM_MINIMUM >> 10);
	if (boot_info.module_count == 0)
		boot_refuse("no module: nothing to run as the control domain");
	start_machine();
	build_domains(&boot_info);
	console_start();
	watchdog_start_cpu();
	entry_run();
}
