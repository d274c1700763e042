// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads the firmware's tables: from the root pointer to the MADT (processors, interrupt
 * controllers), the FADT (clock) and the DSDT it names (how to turn the machine off).
 *
 * Interface: acpi.h. Locks: none, runs once at boot.
 * Every length is checked before what it covers is read, and every table's sum. Nothing here is
 * a reason to refuse: without a MADT there is one processor.
 */
#include "acpi.h"

#include <stdbool.h>
#include <stddef.h>

#include "aml.h"
#include "boot_info.h"
#include "layout.h"
#include "log.h"
#include "string.h"

#define EARLY_LIMIT	  (1ULL << 32)
#define TABLE_MAX	  (1U << 20)
#define RSDP_SIZE_1	  20

#define MADT_LOCAL_APIC	  0
#define MADT_IOAPIC	  1
#define MADT_LOCAL_X2APIC 9
#define MADT_CPU_ENABLED  0x1
#define FADT_DSDT	  40
#define FADT_CONTROL	  64 /* the two registers of power management: 4 bytes each */
#define FADT_CENTURY	  108
#define FADT_DSDT_LONG	  140 /* where the short address is zero */

struct rsdp {
	char signature[8];
	uint8_t checksum;
	char oem[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
} __attribute__((packed));

struct table {
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char names[26];
	uint8_t body[];
} __attribute__((packed));

struct madt_entry {
	uint8_t type;
	uint8_t length;
	union {
		struct {
			uint8_t processor;
			uint8_t apic_id;
			uint32_t flags;
		} __attribute__((packed)) local_apic;
		struct {
			uint8_t id;
			uint8_t reserved;
			uint32_t address;
			uint32_t first_interrupt;
		} __attribute__((packed)) ioapic;
		struct {
			uint16_t reserved;
			uint32_t apic_id;
			uint32_t flags;
			uint32_t processor;
		} __attribute__((packed)) local_x2apic;
	};
} __attribute__((packed));

#define MADT_ENTRY_SIZE(part)                                                                      \
	(offsetof(struct madt_entry, part) + sizeof(((struct madt_entry *)0)->part))
/* In the body: address of the local APIC and flags. */
#define MADT_FIRST_ENTRY 8

struct acpi_info acpi_info;

static const void *at(uint64_t physical, uint64_t size)
{
	if (physical == 0 || physical >= EARLY_LIMIT || size > EARLY_LIMIT - physical)
		return NULL;
	return (const void *)(LAYOUT_DIRECT_MAP + physical);
}

/* A table whose length and sum are right, or NULL. */
static const struct table *table_at(uint64_t physical)
{
	const struct table *t = at(physical, sizeof(*t));
	uint8_t sum = 0;

	if (!t || t->length < sizeof(*t) || t->length > TABLE_MAX || !at(physical, t->length)) {
		log_warning("acpi: the table at %#lx is not where or as long as it may be; ignored",
			    physical);
		return NULL;
	}
	for (uint32_t i = 0; i < t->length; i++)
		sum += ((const uint8_t *)t)[i];
	if (sum != 0) {
		log_warning("acpi: the table at %#lx (%.4s) has a wrong sum; ignored", physical,
			    t->signature);
		return NULL;
	}
	return t;
}

static void add_cpu(uint32_t apic_id)
{
	for (uint32_t i = 0; i < acpi_info.cpu_count; i++)
		if (acpi_info.cpus[i] == apic_id)
			return;
	if (acpi_info.cpu_count < ACPI_CPUS_MAX)
		acpi_info.cpus[acpi_info.cpu_count++] = apic_id;
}

static void add_ioapic(uint32_t address, uint32_t first_interrupt)
{
	if (acpi_info.ioapic_count == ACPI_IOAPICS_MAX)
		return;
	acpi_info.ioapic_gsis[acpi_info.ioapic_count] = first_interrupt;
	acpi_info.ioapics[acpi_info.ioapic_count++] = address;
}

static void read_madt_entry(const struct madt_entry *e)
{
	if (e->type == MADT_LOCAL_APIC && e->length >= MADT_ENTRY_SIZE(local_apic)) {
		if (e->local_apic.flags & MADT_CPU_ENABLED)
			add_cpu(e->local_apic.apic_id);
	} else if (e->type == MADT_LOCAL_X2APIC && e->length >= MADT_ENTRY_SIZE(local_x2apic)) {
		if (e->local_x2apic.flags & MADT_CPU_ENABLED)
			add_cpu(e->local_x2apic.apic_id);
	} else if (e->type == MADT_IOAPIC && e->length >= MADT_ENTRY_SIZE(ioapic)) {
		add_ioapic(e->ioapic.address, e->ioapic.first_interrupt);
	}
}

static void read_madt(const struct table *t)
{
	uint32_t size = t->length - (uint32_t)sizeof(*t), offset = MADT_FIRST_ENTRY;

	while (offset < size && size - offset >= 2) {
		const struct madt_entry *e = (const void *)(t->body + offset);

		if (e->length < 2 || e->length > size - offset) {
			log_warning(
				"acpi: the MADT's entry at %u has a length of %u; the rest is ignored",
				offset, e->length);
			return;
		}
		read_madt_entry(e);
		offset += e->length;
	}
}

static uint32_t read_u32(const struct table *t, uint32_t offset)
{
	uint32_t value;

	memcpy(&value, (const uint8_t *)t + offset, sizeof(value));
	return value;
}

static const struct table *find_dsdt(const struct table *fadt)
{
	uint64_t physical = read_u32(fadt, FADT_DSDT);

	if (physical == 0 && fadt->length >= FADT_DSDT_LONG + sizeof(physical))
		memcpy(&physical, (const uint8_t *)fadt + FADT_DSDT_LONG, sizeof(physical));
	return table_at(physical);
}

static void read_off(const struct table *fadt)
{
	const struct table *dsdt = find_dsdt(fadt);

	if (!dsdt || !aml_find_off(dsdt->body, dsdt->length - sizeof(*dsdt), acpi_info.off_types))
		return;
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t port = read_u32(fadt, FADT_CONTROL + 4 * i);

		acpi_info.off_ports[i] = port <= UINT16_MAX ? (uint16_t)port : 0;
	}
}

static void read_table(uint64_t physical)
{
	const struct table *t = table_at(physical);

	if (t && memcmp(t->signature, "APIC", 4) == 0) {
		read_madt(t);
	} else if (t && memcmp(t->signature, "FACP", 4) == 0 && t->length > FADT_CENTURY) {
		acpi_info.century = ((const uint8_t *)t)[FADT_CENTURY];
		read_off(t);
	}
}

/* A list of tables: addresses of 4 or 8 bytes. */
static void read_list(const struct table *list, uint32_t width)
{
	uint32_t count = (list->length - (uint32_t)sizeof(*list)) / width;

	for (uint32_t i = 0; i < count; i++) {
		uint64_t physical = 0;

		memcpy(&physical, list->body + i * width, width);
		read_table(physical);
	}
}

void acpi_init(void)
{
	const struct rsdp *rsdp = at(boot_info.acpi_rsdp, sizeof(*rsdp));
	const struct table *list = NULL;
	uint32_t width = 8;

	if (rsdp && rsdp->revision >= 2 && rsdp->xsdt != 0)
		list = table_at(rsdp->xsdt);
	if (rsdp && !list) {
		list = table_at(rsdp->rsdt);
		width = 4;
	}
	if (list)
		read_list(list, width);
	if (acpi_info.cpu_count == 0)
		log_warning("acpi: no table of processors: only the first one is used");
	else
		log_info("acpi: %u processors, %u interrupt controllers", acpi_info.cpu_count,
			 acpi_info.ioapic_count);
}
