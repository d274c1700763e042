// SPDX-License-Identifier: BSD-2-Clause
/*
 * Bundles: one file that carries several modules with their command lines, for loaders that pass
 * a single module, or none with a command line (QEMU with PVH). tests/bundle makes them.
 *
 * Interface: boot_collect.h. Locks: none, see boot_info.c.
 * The parts are not copied, only pointed to: the file stays where it was loaded.
 */
#include "boot_collect.h"

#include "boot.h"
#include "boot_info.h"
#include "string.h"

#define MAGIC "RFBUNDLE"

/* All little-endian; offsets are from the beginning of the file. */
struct bundle_header {
	char magic[8];
	uint32_t version; /* 1 */
	uint32_t count;
};

struct bundle_entry {
	uint64_t offset; /* of the part, a multiple of 4096 */
	uint64_t size;
	uint64_t command_line;	    /* offset of a string that ends with a zero byte */
	uint64_t command_line_size; /* with the zero byte */
};

static void add_part(uint64_t base, uint64_t size, uint32_t number, const struct bundle_entry *e)
{
	const char *text;

	if (e->offset % 4096 != 0 || e->offset > size || e->size > size - e->offset)
		boot_refuse("bundle part %u (offset %#lx, %lu bytes) is unaligned or not inside "
			    "the bundle of %lu bytes",
			    number, e->offset, e->size, size);
	if (e->command_line > size || e->command_line_size > size - e->command_line)
		boot_refuse("the command line of bundle part %u is not inside the bundle", number);
	text = boot_physical_string(base + e->command_line, e->command_line_size,
				    "the command line of a bundle's part");
	boot_add_module(base + e->offset, e->size, text);
}

bool boot_bundle_split(uint64_t physical, uint64_t size)
{
	static bool inside;
	const struct bundle_header *header;
	const struct bundle_entry *entries;

	if (size < sizeof(*header))
		return false;
	header = boot_physical(physical, size, "a module");
	if (memcmp(header->magic, MAGIC, sizeof(header->magic)) != 0)
		return false;
	if (inside)
		boot_refuse("a bundle has a bundle among its parts");
	if (header->version != 1)
		boot_refuse("the bundle has version %u, expected 1", header->version);
	if (header->count > BOOT_MODULES_MAX ||
	    header->count * sizeof(*entries) > size - sizeof(*header))
		boot_refuse("the bundle says it has %u parts, more than it has room for (or than "
			    "%u)",
			    header->count, BOOT_MODULES_MAX);
	inside = true;
	entries = (const struct bundle_entry *)(header + 1);
	for (uint32_t i = 0; i < header->count; i++)
		add_part(physical, size, i, &entries[i]);
	inside = false;
	return true;
}
