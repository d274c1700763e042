// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads the start information of the PVH protocol, version 1 (with a memory map).
 *
 * Interface: boot_collect.h. Locks: none, see boot_info.c.
 */
#include "boot_collect.h"

#include "boot.h"
#include "boot_info.h"
#include "boot_protocol.h"

struct pvh_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t module_count;
	uint64_t modules;
	uint64_t command_line;
	uint64_t rsdp;
	uint64_t memory_map;
	uint32_t memory_map_count;
	uint32_t reserved;
};

struct pvh_module {
	uint64_t start, size;
	uint64_t command_line;
	uint64_t reserved;
};

struct pvh_range {
	uint64_t start, size;
	uint32_t type, reserved;
};

#define STRING_ROOM (16 * 1024)

static void read_ranges(uint64_t physical, uint32_t count)
{
	const struct pvh_range *ranges;

	if (count > BOOT_RANGES_MAX)
		boot_refuse("the memory map has more than %u entries", BOOT_RANGES_MAX);
	if (count == 0)
		return;
	ranges = boot_physical(physical, count * sizeof(*ranges), "the memory map");
	for (uint32_t i = 0; i < count; i++)
		boot_add_range(ranges[i].start, ranges[i].size, ranges[i].type);
}

static void read_modules(uint64_t physical, uint32_t count)
{
	const struct pvh_module *modules;

	if (count > BOOT_MODULES_MAX)
		boot_refuse("there are more than %u modules", BOOT_MODULES_MAX);
	if (count == 0)
		return;
	modules = boot_physical(physical, count * sizeof(*modules), "the module list");
	for (uint32_t i = 0; i < count; i++)
		boot_add_module(modules[i].start, modules[i].size,
				modules[i].command_line == 0
					? ""
					: boot_physical_string(modules[i].command_line, STRING_ROOM,
							       "a module's command line"));
}

void boot_pvh_read(uint64_t physical)
{
	const struct pvh_info *info = boot_physical(physical, sizeof(*info), "boot information");

	if (info->magic != BOOT_PROTOCOL_PVH)
		boot_refuse("the PVH start information has the magic number %#x", info->magic);
	if (info->version < 1)
		boot_refuse("the PVH start information has no memory map (version 0)");
	if (info->command_line != 0)
		boot_set_command_line(
			boot_physical_string(info->command_line, STRING_ROOM, "the command line"));
	read_ranges(info->memory_map, info->memory_map_count);
	read_modules(info->modules, info->module_count);
	boot_info.acpi_rsdp = info->rsdp != 0 ? info->rsdp : boot_acpi_search_bios();
}
