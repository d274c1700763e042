// SPDX-License-Identifier: BSD-2-Clause
/*
 * The hypervisor's address space: builds the tables that slots 256-271 of every root point to.
 *
 * Interface: paging.h; arch_table_init() and arch_frame_table_create() of arch.h. Checked by
 * paging_check.c. Locks: none. Tables change only while one processor runs; then they are as
 * they are until the machine stops. Odd: all level-3 tables exist from the beginning, so that
 * roots share them and a root made early is never out of date. The image is mapped twice, in
 * its own place and in the direct map; neither way can its text, its constants or the IDT be
 * written.
 */
#include "paging.h"

#include <stddef.h>

#include "arch.h"
#include "arch_cpu.h"
#include "assert.h"
#include "boot_info.h"
#include "control_registers.h"
#include "cpu_setup.h"
#include "device.h"
#include "early_alloc.h"
#include "image.h"
#include "layout.h"
#include "log.h"
#include "paging_tables.h"
#include "pte.h"
#include "string.h"

#define PAGE_SIZE     4096ULL
#define PAGE_MASK     (PAGE_SIZE - 1)
#define LARGE_SIZE    (2ULL << 20)
#define DIRECT_SIZE   (LAYOUT_DIRECT_MAP_END - LAYOUT_DIRECT_MAP)
#define DEVICES_SIZE  LARGE_SIZE
#define STACK_AREA    0x3000 /* guard page and interrupt stack */

#define RIGHTS_CODE   (PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY)
#define RIGHTS_READ   (RIGHTS_CODE | PTE_NO_EXECUTE)
#define RIGHTS_WRITE  (RIGHTS_READ | PTE_WRITE)
#define RIGHTS_DEVICE (RIGHTS_WRITE | PTE_CACHE_DISABLE | PTE_WRITE_THROUGH)
#define RIGHTS_TABLE  (PTE_PRESENT | PTE_WRITE | PTE_ACCESSED)

static uint64_t *master;
static uint64_t master_physical;
static uint64_t devices_used;
static uint32_t stacks_mapped;

static uint64_t *table_at(uint64_t entry)
{
	return arch_frame_pointer((entry & PTE_ADDRESS) >> 12);
}

/* The entry of a level for an address; makes the tables above it. */
static uint64_t *entry_for(uint64_t virtual, unsigned level)
{
	uint64_t *table = master;

	for (unsigned at = 4; at > level; at--) {
		uint64_t *entry = &table[pte_index(virtual, at)];

		if (!(*entry & PTE_PRESENT))
			*entry = early_alloc(1) | RIGHTS_TABLE;
		BUG_ON(at < 4 && (*entry & PTE_LARGE));
		table = table_at(*entry);
	}
	return &table[pte_index(virtual, level)];
}

static void map_page(uint64_t virtual, uint64_t physical, uint64_t rights, unsigned level)
{
	uint64_t *entry = entry_for(virtual, level);

	BUG_ON(*entry & PTE_PRESENT);
	*entry = physical | rights | (level > 1 ? PTE_LARGE : 0);
}

/* The largest page that fits here. */
static unsigned level_for(uint64_t virtual, uint64_t physical, uint64_t size)
{
	unsigned level = cpu_features.large_1g ? 3 : 2;

	while (level > 1 &&
	       (((virtual | physical) & (pte_span(level) - 1)) != 0 || size < pte_span(level)))
		level--;
	return level;
}

static void map(uint64_t virtual, uint64_t physical, uint64_t size, uint64_t rights)
{
	while (size != 0) {
		unsigned level = level_for(virtual, physical, size);

		map_page(virtual, physical, rights, level);
		virtual += pte_span(level);
		physical += pte_span(level);
		size -= pte_span(level);
	}
}

/* --- The image --- */

bool paging_is_constant(uint64_t physical)
{
	return (physical >= image_physical(image_start) &&
		physical < image_physical(image_rodata_end)) ||
	       (physical & ~PAGE_MASK) == image_physical(cpu_idt);
}

static void map_image(void)
{
	uint64_t end = image_physical(image_end);

	for (uint64_t p = image_physical(image_start); p < end; p += PAGE_SIZE) {
		uint64_t rights = paging_is_constant(p) ? RIGHTS_READ : RIGHTS_WRITE;

		map_page(LAYOUT_DIRECT_MAP + p, p, rights, 1);
		if (p < image_physical(image_text_end))
			rights = RIGHTS_CODE;
		map_page(LAYOUT_IMAGE + p, p, rights, 1);
	}
}

/* --- The direct map --- */

/* RAM without the image. */
static void map_ram(uint64_t start, uint64_t end)
{
	uint64_t image_first = image_physical(image_start), image_last = image_physical(image_end);

	if (start < image_last && image_first < end) {
		if (start < image_first)
			map(LAYOUT_DIRECT_MAP + start, start, image_first - start, RIGHTS_WRITE);
		start = image_last;
	}
	if (start < end)
		map(LAYOUT_DIRECT_MAP + start, start, end - start, RIGHTS_WRITE);
}

/* The firmware's tables; a page may hold the end of one range and the beginning of the next. */
static void map_tables(uint64_t start, uint64_t end)
{
	for (uint64_t p = start & ~PAGE_MASK; p < end; p += PAGE_SIZE) {
		uint64_t *entry = entry_for(LAYOUT_DIRECT_MAP + p, 1);

		if (!(*entry & PTE_PRESENT))
			*entry = p | RIGHTS_READ;
	}
}

static void map_ranges(void)
{
	for (uint32_t i = 0; i < boot_info.range_count; i++) {
		const struct boot_range *r = &boot_info.ranges[i];

		if (r->type == BOOT_RAM)
			map_ram(r->start, r->start + r->size);
		else if (r->type == BOOT_ACPI || r->type == BOOT_NVS)
			map_tables(r->start, r->start + r->size);
	}
}

/* What the direct map has no room for does not exist for anyone. */
static void cut_ranges(void)
{
	while (boot_info.range_count != 0) {
		struct boot_range *last = &boot_info.ranges[boot_info.range_count - 1];

		if (last->start + last->size <= DIRECT_SIZE)
			return;
		if (last->type == BOOT_RAM)
			log_warning("paging: memory above %lu GiB is not used", DIRECT_SIZE >> 30);
		if (last->start < DIRECT_SIZE)
			last->size = DIRECT_SIZE - last->start;
		else
			boot_info.range_count--;
	}
}

void paging_init(void)
{
	cut_ranges();
	master_physical = early_alloc(1);
	master = arch_frame_pointer(master_physical >> 12);
	for (unsigned slot = SLOT_HYPERVISOR_FIRST; slot <= SLOT_HYPERVISOR_LAST; slot++)
		master[slot] = early_alloc(1) | RIGHTS_TABLE;
	map_image();
	map_ranges();
	cr3_write(master_physical);
	early_alloc_use_all();
}

uint64_t paging_master_cr3(void)
{
	return master_physical;
}

const uint64_t *paging_master(void)
{
	return master;
}

void arch_table_init(uint64_t *level4)
{
	memcpy(level4 + SLOT_HYPERVISOR_FIRST, master + SLOT_HYPERVISOR_FIRST,
	       (SLOT_HYPERVISOR_LAST - SLOT_HYPERVISOR_FIRST + 1) * sizeof(*master));
}

/* --- Devices and stacks --- */

void *paging_map_device(uint64_t physical, uint64_t size)
{
	uint64_t offset = physical & PAGE_MASK;
	uint64_t length = (offset + size + PAGE_MASK) & ~PAGE_MASK;
	uint64_t virtual = LAYOUT_DEVICES + devices_used;

	BUG_ON(length > DEVICES_SIZE - devices_used);
	device_keep(physical, size);
	devices_used += length;
	for (uint64_t i = 0; i < length; i += PAGE_SIZE)
		map_page(virtual + i, physical - offset + i, RIGHTS_DEVICE, 1);
	return (void *)(virtual + offset);
}

uint64_t paging_stack_top(uint32_t cpu, uint32_t ist)
{
	uint64_t own = LAYOUT_STACKS + (uint64_t)cpu * PAGING_STACKS_STRIDE + PAGE_SIZE +
		       PAGING_STACK_SIZE;

	return own + (uint64_t)ist * STACK_AREA;
}

static void map_stack(uint64_t top, uint64_t size)
{
	for (uint64_t address = top - size; address < top; address += PAGE_SIZE)
		map_page(address, early_alloc(1), RIGHTS_WRITE, 1);
}

void paging_map_stacks(uint32_t cpu)
{
	_Static_assert(STACK_AREA == PAGING_IST_STACK_SIZE + PAGE_SIZE,
		       "a guard page below each stack");
	_Static_assert(PAGE_SIZE + PAGING_STACK_SIZE + IST_COUNT * STACK_AREA <=
			       PAGING_STACKS_STRIDE,
		       "the stacks of one CPU do not reach the next one's");

	map_stack(paging_stack_top(cpu, 0), PAGING_STACK_SIZE);
	for (uint32_t ist = 1; ist <= IST_COUNT; ist++)
		map_stack(paging_stack_top(cpu, ist), PAGING_IST_STACK_SIZE);
	stacks_mapped = cpu + 1;
}

uint32_t paging_stacks_mapped(void)
{
	return stacks_mapped;
}

/* --- The frame table --- */

/* Memory of its own for this part. */
static void table_back(uint64_t virtual, uint64_t end)
{
	while (virtual < end) {
		uint64_t size = virtual % LARGE_SIZE == 0 && end - virtual >= LARGE_SIZE
					? LARGE_SIZE
					: PAGE_SIZE;

		map(virtual, early_alloc(size / PAGE_SIZE), size, RIGHTS_WRITE);
		virtual += size;
	}
}

/* No RAM here: all of it shows the same page, and whole 2 MiB share a table of nothing else. */
static void table_leave_empty(uint64_t virtual, uint64_t end)
{
	static uint64_t zeroes, table;

	if (zeroes == 0 && virtual < end) {
		zeroes = early_alloc(1);
		table = early_alloc(1);
		for (unsigned i = 0; i < PTE_ENTRIES; i++)
			table_at(table)[i] = zeroes | RIGHTS_READ;
	}
	while (virtual < end) {
		if (virtual % LARGE_SIZE == 0 && end - virtual >= LARGE_SIZE) {
			*entry_for(virtual, 2) = table | RIGHTS_TABLE;
			virtual += LARGE_SIZE;
		} else {
			map_page(virtual, zeroes, RIGHTS_READ, 1);
			virtual += PAGE_SIZE;
		}
	}
}

void *arch_frame_table_create(const struct boot_info *boot, uint64_t limit, size_t entry_size)
{
	uint64_t end = (LAYOUT_FRAME_TABLE + limit * entry_size + PAGE_MASK) & ~PAGE_MASK;
	uint64_t done = LAYOUT_FRAME_TABLE;

	BUG_ON(end > LAYOUT_DIRECT_MAP);
	for (uint32_t i = 0; i < boot->range_count; i++) {
		const struct boot_range *r = &boot->ranges[i];
		uint64_t first = LAYOUT_FRAME_TABLE + (r->start >> 12) * entry_size;
		uint64_t last = LAYOUT_FRAME_TABLE + ((r->start + r->size) >> 12) * entry_size;

		first &= ~PAGE_MASK;
		last = (last + PAGE_MASK) & ~PAGE_MASK;
		if (r->type != BOOT_RAM || last <= done || first >= end)
			continue;
		table_leave_empty(done, first);
		done = first > done ? first : done;
		last = last < end ? last : end;
		table_back(done, last);
		done = last;
	}
	table_leave_empty(done, end);
	return (void *)LAYOUT_FRAME_TABLE;
}
