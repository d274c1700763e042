// SPDX-License-Identifier: BSD-2-Clause
/*
 * The rules for a domain's first memory: the image where its headers say, the start information in the
 * page after it, then page tables if the image has none; the initrd at the top.
 *
 * Interface: guest_layout.h. Locks: none, and no state.
 */
#include "guest_layout.h"

#include "pte.h"
#include "string.h"

#define PAGE	   4096ULL
#define LOW_MEMORY (1ULL << 32)

static uint64_t whole_pages(uint64_t bytes)
{
	return (bytes + PAGE - 1) & ~(PAGE - 1);
}

void guest_layout_place(struct guest_layout *layout, struct guest_image *image)
{
	*layout = (struct guest_layout){ .start_info = whole_pages(image->highest) };
	layout->end = layout->start_info + PAGE;
	if (!image->needs_tables)
		return;
	layout->tables = layout->end;
	layout->end += GUEST_LAYOUT_TABLES * PAGE;
	image->note.root = layout->tables;
}

bool guest_layout_place_initrd(struct guest_layout *layout, uint64_t memory, uint64_t size)
{
	uint64_t top = memory < LOW_MEMORY ? memory : LOW_MEMORY;

	if (size > top || top - whole_pages(size) < layout->end)
		return false;
	layout->initrd = top - whole_pages(size);
	return true;
}

/* The first GiB at RF_BOOT_MAP, by large pages: a table of each of the levels 4, 3 and 2. */
void guest_layout_table(const struct guest_layout *layout, unsigned number, uint64_t *table)
{
	const uint64_t flags = PTE_PRESENT | PTE_WRITE | PTE_ACCESSED | PTE_DIRTY;
	uint64_t next = (layout->tables + (number + 1) * PAGE) | flags;

	memset(table, 0, PAGE);
	if (number == 0)
		table[RF_BOOT_MAP >> 39 & 511] = next;
	if (number == 1)
		table[RF_BOOT_MAP >> 30 & 511] = next;
	for (uint64_t i = 0; number == 2 && i < PTE_ENTRIES; i++)
		table[i] = i << 21 | flags | PTE_LARGE;
}

void guest_layout_describe(struct rf_start_info *info, const struct guest_layout_facts *facts)
{
	memset(info, 0, sizeof(*info));
	info->magic = RF_START_MAGIC;
	info->abi_version = RF_ABI_VERSION;
	info->domain = facts->domain;
	info->vcpus = facts->vcpus;
	info->store_port = facts->store_port;
	info->memory_bytes = facts->memory_bytes;
	info->tsc_khz = facts->tsc_khz;
	info->initrd_start = facts->initrd_start;
	info->initrd_size = facts->initrd_size;
	info->ranges = 1;
	info->range[0] = (struct rf_start_range){ 0, facts->memory_bytes, RF_RANGE_RAM, 0 };
	if (facts->command_line_length)
		memcpy(info->command_line, facts->command_line, facts->command_line_length);
}
