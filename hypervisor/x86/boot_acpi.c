// SPDX-License-Identifier: BSD-2-Clause
/*
 * Finds the ACPI root pointer (RSDP), where loaders do not say where it is.
 *
 * Interface: boot_collect.h. Locks: none, see boot_info.c.
 * The firmware's own is preferred to a copy made by the loader, since the control domain can read
 * it, too. Anything that does not look right counts as not found: this is no reason to refuse.
 */
#include "boot_collect.h"

#include <stddef.h>

#include "layout.h"
#include "string.h"

#define EBDA_SEGMENT   0x40e /* in the BIOS data area */
#define EBDA_SEARCHED  1024
#define BIOS_START     0xe0000
#define BIOS_SIZE      0x20000

#define RSDP_SIZE_1    20
#define RSDP_SIZE_2    36
#define EFI_SIGNATURE  0x5453595320494249ULL /* "IBI SYST" */
#define EFI_TABLES_MAX 256

struct efi_system_table {
	uint64_t signature;
	uint32_t revision, header_size, checksum, reserved;
	uint64_t unused[10];
	uint64_t table_count;
	uint64_t tables;
};

struct efi_table {
	uint8_t guid[16];
	uint64_t address;
};

static const uint8_t acpi2_guid[16] = {
	0x71, 0xe8, 0x68, 0x88, 0xf1, 0xe4, 0xd3, 0x11,
	0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81,
};

static bool rsdp_valid(const uint8_t *rsdp)
{
	uint8_t sum = 0;

	if (memcmp(rsdp, "RSD PTR ", 8) != 0)
		return false;
	for (uint32_t i = 0; i < RSDP_SIZE_1; i++)
		sum += rsdp[i];
	return sum == 0;
}

static const uint8_t *physical_bytes(uint64_t physical)
{
	return (const uint8_t *)(LAYOUT_DIRECT_MAP + physical);
}

static uint64_t search(uint64_t physical, uint64_t size)
{
	for (uint64_t at = physical; at + RSDP_SIZE_2 <= physical + size; at += 16)
		if (rsdp_valid(physical_bytes(at)))
			return at;
	return 0;
}

uint64_t boot_acpi_search_bios(void)
{
	uint16_t segment;
	uint64_t rsdp = 0;

	memcpy(&segment, physical_bytes(EBDA_SEGMENT), sizeof(segment));
	if (segment >= 0x8000 && segment < 0xa000)
		rsdp = search((uint64_t)segment << 4, EBDA_SEARCHED);
	return rsdp != 0 ? rsdp : search(BIOS_START, BIOS_SIZE);
}

static bool below_4g(uint64_t physical, uint64_t size)
{
	return physical != 0 && physical % 8 == 0 && physical < (1ULL << 32) - size;
}

uint64_t boot_acpi_search_efi(uint64_t system_table)
{
	const struct efi_system_table *system;
	const struct efi_table *tables;

	if (!below_4g(system_table, sizeof(*system)))
		return 0;
	system = (const void *)physical_bytes(system_table);
	if (system->signature != EFI_SIGNATURE || system->table_count > EFI_TABLES_MAX ||
	    !below_4g(system->tables, system->table_count * sizeof(*tables)))
		return 0;
	tables = (const void *)physical_bytes(system->tables);
	for (uint64_t i = 0; i < system->table_count; i++)
		if (memcmp(tables[i].guid, acpi2_guid, sizeof(acpi2_guid)) == 0 &&
		    tables[i].address < (1ULL << 32) - RSDP_SIZE_2 &&
		    rsdp_valid(physical_bytes(tables[i].address)))
			return tables[i].address;
	return 0;
}

uint64_t boot_acpi_keep_copy(const void *rsdp, uint32_t size)
{
	static uint8_t copy[RSDP_SIZE_2] __attribute__((aligned(16)));

	if (size < RSDP_SIZE_1 || !rsdp_valid(rsdp))
		return 0;
	memcpy(copy, rsdp, size < RSDP_SIZE_2 ? size : RSDP_SIZE_2);
	return (uint64_t)copy - LAYOUT_IMAGE;
}
