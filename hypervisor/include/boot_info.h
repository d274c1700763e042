/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the loader told us, in one form whatever the loader: command line, memory map, modules.
 *
 * Everything is copied, so that the loader's own tables and strings need not be kept; only the
 * modules themselves stay where they were loaded. Filled in once by boot_info_read(), read-only
 * from then on: no locks. Whatever is malformed ends in boot_refuse().
 */
#ifndef HYPERVISOR_BOOT_INFO_H
#define HYPERVISOR_BOOT_INFO_H

#include <stdint.h>

#define BOOT_RANGES_MAX	      128
#define BOOT_MODULES_MAX      32
#define BOOT_COMMAND_LINE_MAX 1024
#define BOOT_FILE_NAME_MAX    64

enum boot_range_type {
	BOOT_RAM = 1,
	BOOT_RESERVED = 2,
	BOOT_ACPI = 3, /* usable once the tables in it are not needed any more */
	BOOT_NVS = 4,
	BOOT_UNUSABLE = 5,
};

struct boot_range {
	uint64_t start;
	uint64_t size;
	uint32_t type;
};

struct boot_module {
	uint64_t start; /* physical */
	uint64_t size;
	/* Without the file name: begins with `domain` or `initrd`, or is empty. */
	const char *command_line;
	/* For messages: as the loader or the bundle gave it, else "module N". */
	char file_name[BOOT_FILE_NAME_MAX];
};

struct boot_info {
	const char *protocol; /* "Multiboot 1", ... */
	char loader[BOOT_FILE_NAME_MAX];
	char command_line[BOOT_COMMAND_LINE_MAX];

	/* Sorted and disjoint; where the firmware's ranges overlap, RAM gives way. RAM is made of
	 * whole pages. */
	struct boot_range ranges[BOOT_RANGES_MAX];
	uint32_t range_count;

	struct boot_module modules[BOOT_MODULES_MAX];
	uint32_t module_count;

	uint64_t acpi_rsdp; /* physical, 0 if there is none */
};

extern struct boot_info boot_info;

/* Read what the loader left at `physical`; needs the early direct map of the low 4 GiB. */
void boot_info_read(uint32_t protocol, uint64_t physical);

const char *boot_range_name(uint32_t type);

#endif
