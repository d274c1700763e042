/* SPDX-License-Identifier: BSD-2-Clause */
/* What the firmware's tables say about processors and interrupt controllers (acpi.c). */
#ifndef X86_ACPI_H
#define X86_ACPI_H

#include <stdint.h>

#define ACPI_CPUS_MAX	 256
#define ACPI_IOAPICS_MAX 16

struct acpi_info {
	uint32_t cpus[ACPI_CPUS_MAX]; /* APIC ids of the processors that are enabled */
	uint32_t cpu_count;
	uint64_t ioapics[ACPI_IOAPICS_MAX];	/* physical addresses */
	uint32_t ioapic_gsis[ACPI_IOAPICS_MAX]; /* number of the first input of each */
	uint32_t ioapic_count;
	uint16_t off_ports[2]; /* that turn the machine off; 0: none */
	uint8_t off_types[2];  /* and what each is told */
	uint8_t century;       /* CMOS register of the clock's century; 0: unknown */
};

extern struct acpi_info acpi_info;

/*
 * Before paging_init(): the tables may lie in what is not mapped later. Damaged tables count as
 * absent, with a warning.
 */
void acpi_init(void);

#endif
