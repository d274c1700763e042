// SPDX-License-Identifier: BSD-2-Clause
/*
 * Collects what the loader told us and puts it in order.
 *
 * Interface: boot_info.h for everyone, boot_collect.h for the readers of single protocols.
 * Locks: none, runs once on the boot processor before there is any other.
 * Odd: firmware maps overlap and come in any order. They are cut at every boundary that occurs in
 * them; each piece gets the most restrictive type that covers it. That is quadratic in at most
 * 128 entries.
 */
#include "boot_info.h"

#include <stdbool.h>

#include "boot.h"
#include "boot_collect.h"
#include "boot_protocol.h"
#include "layout.h"
#include "parse.h"
#include "printf.h"
#include "string.h"

#define EARLY_LIMIT    (1ULL << 32)
#define STRINGS_SIZE   (32 * 1024)
#define PAGE_MASK      4095ULL
/* Beyond every physical address there can be: such an entry is nonsense. */
#define PHYSICAL_LIMIT (1ULL << 52)

struct boot_info boot_info;

static struct boot_range found[BOOT_RANGES_MAX];
static uint32_t found_count;

static char strings[STRINGS_SIZE];
static uint32_t strings_used;

const void *boot_physical(uint64_t physical, uint64_t size, const char *what)
{
	if (physical == 0 || physical >= EARLY_LIMIT || size > EARLY_LIMIT - physical)
		boot_refuse("%s at %#lx, %lu bytes, is not in the low 4 GiB of memory", what,
			    physical, size);
	return (const void *)(LAYOUT_DIRECT_MAP + physical);
}

const char *boot_physical_string(uint64_t physical, uint64_t room, const char *what)
{
	const char *text;

	if (room > STRINGS_SIZE)
		room = STRINGS_SIZE;
	if (physical < EARLY_LIMIT && room > EARLY_LIMIT - physical)
		room = EARLY_LIMIT - physical;
	text = boot_physical(physical, room, what);
	for (uint64_t i = 0; i < room; i++)
		if (text[i] == '\0')
			return text;
	boot_refuse("%s has no end within %lu bytes", what, room);
}

void boot_add_range(uint64_t start, uint64_t size, uint32_t type)
{
	if (size == 0)
		return;
	if (start >= PHYSICAL_LIMIT || size > PHYSICAL_LIMIT - start)
		boot_refuse("memory map entry %u (%#lx, %lu bytes) ends beyond 2^52", found_count,
			    start, size);
	if (found_count == BOOT_RANGES_MAX)
		boot_refuse("the memory map has more than %u entries", BOOT_RANGES_MAX);
	if (type < BOOT_RAM || type > BOOT_UNUSABLE)
		type = BOOT_RESERVED;
	found[found_count++] = (struct boot_range){ start, size, type };
}

static const char *keep_string(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = strings + strings_used;

	if (size > STRINGS_SIZE - strings_used)
		boot_refuse("the modules' command lines are longer than %u bytes together",
			    STRINGS_SIZE);
	memcpy(copy, text, size);
	strings_used += (uint32_t)size;
	return copy;
}

/* The last part of a path, and of that the last characters if it is too long. */
static void set_file_name(struct boot_module *module, const char *path, size_t length)
{
	size_t start = length;

	while (start > 0 && path[start - 1] != '/' && length - start < BOOT_FILE_NAME_MAX - 1)
		start--;
	memcpy(module->file_name, path + start, length - start);
	module->file_name[length - start] = '\0';
}

/* Loaders differ on whether they pass the file's name: it is a first word that is not a role. */
static void take_apart(struct boot_module *module, const char *text)
{
	struct parse_words words = parse_start(text, strlen(text));
	struct parse_word first;

	snprintf(module->file_name, BOOT_FILE_NAME_MAX, "module %u", boot_info.module_count);
	if (parse_next(&words, &first) && !parse_equal(&first, "domain") &&
	    !parse_equal(&first, "initrd"))
		set_file_name(module, first.text, first.length);
	else
		words = parse_start(text, strlen(text));
	module->command_line = keep_string(parse_rest(&words).text);
}

void boot_add_module(uint64_t start, uint64_t size, const char *command_line)
{
	struct boot_module *module;

	if (start == 0 || start >= PHYSICAL_LIMIT || size > PHYSICAL_LIMIT - start)
		boot_refuse("module %u (%#lx, %lu bytes) cannot be in memory",
			    boot_info.module_count, start, size);
	if (boot_bundle_split(start, size))
		return;
	if (boot_info.module_count == BOOT_MODULES_MAX)
		boot_refuse("there are more than %u modules", BOOT_MODULES_MAX);
	module = &boot_info.modules[boot_info.module_count];
	module->start = start;
	module->size = size;
	take_apart(module, command_line);
	boot_info.module_count++;
}

void boot_set_command_line(const char *text)
{
	size_t size;

	while (*text == ' ')
		text++;
	size = strlen(text) + 1;
	if (size > BOOT_COMMAND_LINE_MAX)
		boot_refuse("the command line is longer than %u bytes", BOOT_COMMAND_LINE_MAX - 1);
	memcpy(boot_info.command_line, text, size);
}

void boot_set_loader(const char *name)
{
	snprintf(boot_info.loader, sizeof(boot_info.loader), "%s", name);
}

/* --- Order in the memory map --- */

static void sort_boundaries(uint64_t *values, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		uint64_t value = values[i];
		uint32_t j;

		for (j = i; j > 0 && values[j - 1] > value; j--)
			values[j] = values[j - 1];
		values[j] = value;
	}
}

/* From harmless to deadly; ACPI tables must not be taken for RAM, nor anything for tables. */
static uint32_t severity(uint32_t type)
{
	static const uint8_t order[] = {
		[BOOT_RAM] = 1,	     [BOOT_ACPI] = 2,	  [BOOT_NVS] = 3,
		[BOOT_RESERVED] = 4, [BOOT_UNUSABLE] = 5,
	};

	return order[type];
}

/* The most restrictive type that covers [start, end), which no boundary cuts; 0 for a hole. */
static uint32_t type_of_piece(uint64_t start, uint64_t end)
{
	uint32_t type = 0;

	for (uint32_t i = 0; i < found_count; i++) {
		struct boot_range *r = &found[i];

		if (r->start <= start && r->start + r->size >= end &&
		    (type == 0 || severity(r->type) > severity(type)))
			type = r->type;
	}
	return type;
}

static void append_piece(uint64_t start, uint64_t end, uint32_t type)
{
	uint32_t count = boot_info.range_count;
	struct boot_range *last = count ? &boot_info.ranges[count - 1] : NULL;

	if (last && last->type == type && last->start + last->size == start) {
		last->size += end - start;
		return;
	}
	if (count == BOOT_RANGES_MAX)
		boot_refuse("the memory map has more than %u ranges once overlaps are resolved",
			    BOOT_RANGES_MAX);
	boot_info.ranges[boot_info.range_count++] = (struct boot_range){ start, end - start, type };
}

/* RAM is handed out by the page: what is left of a page at either end is not used. */
static void trim_ram(void)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < boot_info.range_count; i++) {
		struct boot_range r = boot_info.ranges[i];

		if (r.type == BOOT_RAM) {
			uint64_t start = (r.start + PAGE_MASK) & ~PAGE_MASK;
			uint64_t end = (r.start + r.size) & ~PAGE_MASK;

			if (start >= end)
				continue;
			r = (struct boot_range){ start, end - start, BOOT_RAM };
		}
		boot_info.ranges[kept++] = r;
	}
	boot_info.range_count = kept;
}

static void resolve_ranges(void)
{
	uint64_t boundaries[2 * BOOT_RANGES_MAX];
	uint32_t count = 0;

	for (uint32_t i = 0; i < found_count; i++) {
		boundaries[count++] = found[i].start;
		boundaries[count++] = found[i].start + found[i].size;
	}
	sort_boundaries(boundaries, count);
	for (uint32_t i = 0; i + 1 < count; i++) {
		uint64_t start = boundaries[i], end = boundaries[i + 1];
		uint32_t type = start < end ? type_of_piece(start, end) : 0;

		if (type != 0)
			append_piece(start, end, type);
	}
	trim_ram();
	if (boot_info.range_count == 0)
		boot_refuse("the loader (%s) passed no memory map", boot_info.loader);
}

/* A module must be in RAM, all of it, and not where the image or another module is. */
static void check_module(uint32_t number)
{
	const struct boot_module *m = &boot_info.modules[number];
	uint64_t end = m->start + m->size;

	for (uint32_t i = 0; i < boot_info.range_count; i++) {
		const struct boot_range *r = &boot_info.ranges[i];

		if (r->type == BOOT_RAM && m->start >= r->start && end <= r->start + r->size)
			return;
	}
	boot_refuse("module %s (%#lx, %lu bytes) is not in RAM", m->file_name, m->start, m->size);
}

const char *boot_range_name(uint32_t type)
{
	static const char *const names[] = {
		[BOOT_RAM] = "RAM",	 [BOOT_RESERVED] = "reserved", [BOOT_ACPI] = "ACPI tables",
		[BOOT_NVS] = "ACPI NVS", [BOOT_UNUSABLE] = "unusable",
	};

	return type >= BOOT_RAM && type <= BOOT_UNUSABLE ? names[type] : "unknown";
}

void boot_info_read(uint32_t protocol, uint64_t physical)
{
	boot_set_loader("unnamed loader");
	switch (protocol) {
	case BOOT_PROTOCOL_MULTIBOOT1:
		boot_info.protocol = "Multiboot 1";
		boot_multiboot1_read(physical);
		break;
	case BOOT_PROTOCOL_MULTIBOOT2:
		boot_info.protocol = "Multiboot 2";
		boot_multiboot2_read(physical);
		break;
	case BOOT_PROTOCOL_PVH:
		boot_info.protocol = "PVH";
		boot_pvh_read(physical);
		break;
	default:
		boot_refuse("the loader speaks neither Multiboot nor PVH (magic number %#x)",
			    protocol);
	}
	resolve_ranges();
	for (uint32_t i = 0; i < boot_info.module_count; i++)
		check_module(i);
}
