// SPDX-License-Identifier: BSD-2-Clause
/*
 * From the first line of C to the first domain.
 *
 * Interface: main_start(), called by the boot code. Locks: none, one processor runs.
 */
#include "main.h"

#include "arch.h"
#include "boot.h"
#include "boot_info.h"
#include "command_line.h"
#include "exit_status.h"
#include "log.h"
#include "serial.h"

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
	arch_machine_exit(EXIT_SUCCESS);
}
