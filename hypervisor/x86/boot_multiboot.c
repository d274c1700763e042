// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads what loaders leave behind under Multiboot, versions 1 and 2.
 *
 * Interface: boot_collect.h. Locks: none, see boot_info.c.
 * Odd: under version 1 some loaders begin the command line with the name of the hypervisor's own
 * file; GRUB 2 does not.
 */
#include "boot_collect.h"

#include "boot.h"
#include "boot_info.h"
#include "string.h"

#define INFO_LIMIT	 (1024 * 1024) /* larger tables are nonsense */

/* --- Version 1 --- */

#define HAS_COMMAND_LINE (1 << 2)
#define HAS_MODULES	 (1 << 3)
#define HAS_MEMORY_MAP	 (1 << 6)
#define HAS_LOADER_NAME	 (1 << 9)

struct multiboot1_info {
	uint32_t flags;
	uint32_t memory_lower, memory_upper;
	uint32_t boot_device;
	uint32_t command_line;
	uint32_t module_count, modules;
	uint32_t symbols[4];
	uint32_t memory_map_length, memory_map;
	uint32_t drives_length, drives;
	uint32_t configuration_table;
	uint32_t loader_name;
};

struct multiboot1_module {
	uint32_t start, end;
	uint32_t string;
	uint32_t reserved;
};

struct multiboot1_range {
	uint32_t size; /* of what follows: the next entry is 4 + size on */
	uint64_t start, length;
	uint32_t type;
} __attribute__((packed));

static void read_ranges1(uint32_t physical, uint32_t length)
{
	const uint8_t *table = boot_physical(physical, length, "the memory map");

	if (length > INFO_LIMIT)
		boot_refuse("the memory map is %u bytes long", length);
	for (uint32_t at = 0; length - at >= sizeof(struct multiboot1_range);) {
		const struct multiboot1_range *r = (const void *)(table + at);

		if (r->size < sizeof(*r) - sizeof(r->size) || r->size > length - at - 4)
			boot_refuse("memory map entry at byte %u says it has %u bytes", at,
				    r->size);
		boot_add_range(r->start, r->length, r->type);
		at += r->size + 4;
	}
}

static void read_modules1(uint32_t physical, uint32_t count)
{
	const struct multiboot1_module *modules;

	if (count > BOOT_MODULES_MAX)
		boot_refuse("there are more than %u modules", BOOT_MODULES_MAX);
	if (count == 0)
		return;
	modules = boot_physical(physical, count * sizeof(*modules), "the module list");
	for (uint32_t i = 0; i < count; i++) {
		const struct multiboot1_module *m = &modules[i];

		if (m->end < m->start)
			boot_refuse("module %u ends (%#x) before it starts (%#x)", i, m->end,
				    m->start);
		boot_add_module(m->start, m->end - m->start,
				m->string == 0 ? ""
					       : boot_physical_string(m->string, INFO_LIMIT,
								      "a module's command line"));
	}
}

static const char *without_first_word(const char *text)
{
	while (*text != '\0' && *text != ' ')
		text++;
	return text;
}

void boot_multiboot1_read(uint64_t physical)
{
	const struct multiboot1_info *info = boot_physical(physical, sizeof(*info),
							   "boot "
							   "information");

	if (info->flags & HAS_LOADER_NAME)
		boot_set_loader(
			boot_physical_string(info->loader_name, INFO_LIMIT, "the loader's name"));
	if ((info->flags & HAS_COMMAND_LINE) && info->command_line != 0) {
		const char *text =
			boot_physical_string(info->command_line, INFO_LIMIT, "the command line");

		if (strncmp(boot_info.loader, "GRUB 2", 6) != 0)
			text = without_first_word(text);
		boot_set_command_line(text);
	}
	if (info->flags & HAS_MEMORY_MAP)
		read_ranges1(info->memory_map, info->memory_map_length);
	if (info->flags & HAS_MODULES)
		read_modules1(info->modules, info->module_count);
	boot_info.acpi_rsdp = boot_acpi_search_bios();
}

/* --- Version 2 --- */

enum {
	TAG_END = 0,
	TAG_COMMAND_LINE = 1,
	TAG_LOADER_NAME = 2,
	TAG_MODULE = 3,
	TAG_MEMORY_MAP = 6,
	TAG_EFI64 = 12,
	TAG_ACPI_OLD = 14,
	TAG_ACPI_NEW = 15,
};

struct multiboot2_tag {
	uint32_t type;
	uint32_t size; /* with this header; the next one is 8-aligned */
};

struct multiboot2_module {
	struct multiboot2_tag tag;
	uint32_t start, end;
	char string[];
};

struct multiboot2_ranges {
	struct multiboot2_tag tag;
	uint32_t entry_size, entry_version;
};

struct multiboot2_range {
	uint64_t start, length;
	uint32_t type, reserved;
};

struct multiboot2_pointer {
	struct multiboot2_tag tag;
	uint64_t address;
};

/* What can only be looked for once all tags are read. */
static uint64_t efi_system_table;
static uint64_t rsdp_copy;

static void need_size(const struct multiboot2_tag *tag, uint64_t size)
{
	if (tag->size < size)
		boot_refuse("a Multiboot 2 tag of type %u has %u bytes, expected %lu", tag->type,
			    tag->size, size);
}

/* The string that starts `offset` bytes into a tag, with its end inside the tag. */
static const char *tag_string(const struct multiboot2_tag *tag, uint32_t offset)
{
	const char *text = (const char *)tag;

	need_size(tag, offset + 1);
	for (uint32_t i = offset; i < tag->size; i++)
		if (text[i] == '\0')
			return text + offset;
	boot_refuse("the string in a Multiboot 2 tag of type %u has no end", tag->type);
}

static void read_ranges2(const struct multiboot2_tag *tag)
{
	const struct multiboot2_ranges *ranges = (const void *)tag;
	const uint8_t *at = (const uint8_t *)(ranges + 1);
	const uint8_t *end = (const uint8_t *)tag + tag->size;

	need_size(tag, sizeof(*ranges));
	if (ranges->entry_size < sizeof(struct multiboot2_range))
		boot_refuse("the memory map has entries of %u bytes", ranges->entry_size);
	for (; (uint64_t)(end - at) >= ranges->entry_size; at += ranges->entry_size) {
		const struct multiboot2_range *r = (const void *)at;

		boot_add_range(r->start, r->length, r->type);
	}
}

static void read_module2(const struct multiboot2_tag *tag)
{
	const struct multiboot2_module *m = (const void *)tag;
	const char *text = tag_string(tag, sizeof(*m));

	if (m->end < m->start)
		boot_refuse("a module ends (%#x) before it starts (%#x)", m->end, m->start);
	boot_add_module(m->start, m->end - m->start, text);
}

static void read_tag(const struct multiboot2_tag *tag)
{
	switch (tag->type) {
	case TAG_COMMAND_LINE:
		boot_set_command_line(tag_string(tag, sizeof(*tag)));
		break;
	case TAG_LOADER_NAME:
		boot_set_loader(tag_string(tag, sizeof(*tag)));
		break;
	case TAG_MODULE:
		read_module2(tag);
		break;
	case TAG_MEMORY_MAP:
		read_ranges2(tag);
		break;
	case TAG_EFI64:
		need_size(tag, sizeof(struct multiboot2_pointer));
		efi_system_table = ((const struct multiboot2_pointer *)tag)->address;
		break;
	case TAG_ACPI_OLD:
		if (rsdp_copy != 0)
			break;
		/* fall through */
	case TAG_ACPI_NEW:
		rsdp_copy = boot_acpi_keep_copy(tag + 1, tag->size - sizeof(*tag));
		break;
	}
}

void boot_multiboot2_read(uint64_t physical)
{
	const uint32_t *header = boot_physical(physical, 8, "boot information");
	uint32_t total = header[0];
	const uint8_t *info;

	if (total < 16 || total > INFO_LIMIT)
		boot_refuse("the boot information says it has %u bytes", total);
	info = boot_physical(physical, total, "boot information");
	for (uint32_t at = 8; total - at >= sizeof(struct multiboot2_tag);) {
		const struct multiboot2_tag *tag = (const void *)(info + at);

		if (tag->size < sizeof(*tag) || tag->size > total - at)
			boot_refuse("a Multiboot 2 tag of type %u says it has %u bytes", tag->type,
				    tag->size);
		if (tag->type == TAG_END)
			break;
		read_tag(tag);
		at += (tag->size + 7) & ~7U;
		if (at > total)
			break;
	}

	if (efi_system_table != 0)
		boot_info.acpi_rsdp = boot_acpi_search_efi(efi_system_table);
	else
		boot_info.acpi_rsdp = boot_acpi_search_bios();
	if (boot_info.acpi_rsdp == 0)
		boot_info.acpi_rsdp = rsdp_copy;
}
