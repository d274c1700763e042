// SPDX-License-Identifier: BSD-2-Clause
/*
 * Looks at the hypervisor's tables as the processor will, and panics at the first rule that
 * does not hold.
 *
 * Interface: paging_self_check() of paging.h. Locks: none, nothing changes these tables while
 * it runs. The rules: nothing is for users; nothing is writable and executable; only the
 * image's text is executable, and all of it is; text, constants and IDT cannot be written under
 * any address; every stack is there, and the pages below and above it are not; nothing is
 * mapped outside the hypervisor's slots; the processor honours all this in ring 0, too
 * (CR0.WP).
 */
#include "paging.h"

#include "arch.h"
#include "arch_cpu.h"
#include "control_registers.h"
#include "cpu_setup.h"
#include "image.h"
#include "instructions.h"
#include "layout.h"
#include "log.h"
#include "paging_tables.h"
#include "panic.h"
#include "processor.h"
#include "pte.h"

#define PAGE_SIZE 4096ULL

struct survey {
	uint64_t pages; /* of any size */
	uint64_t executable;
	uint64_t writable;
	uint64_t guards;
};

static _Noreturn void fail(uint64_t virtual, const char *what)
{
	panic("paging: self-check: the page at %#lx %s", virtual, what);
}

/* Any part of a page that may be large. */
static bool covers_constant(uint64_t physical, uint64_t size)
{
	uint64_t end = image_physical(image_end);

	for (uint64_t p = image_physical(image_start); p < end; p += PAGE_SIZE)
		if (p >= physical && p < physical + size && paging_is_constant(p))
			return true;
	return false;
}

static void check_page(struct survey *survey, uint64_t virtual, uint64_t entry, unsigned level,
		       uint64_t rights)
{
	uint64_t size = pte_span(level);
	uint64_t physical = entry & PTE_ADDRESS & ~(size - 1);

	if (rights & PTE_USER)
		fail(virtual, "is for users");
	if ((rights & PTE_WRITE) && !(rights & PTE_NO_EXECUTE))
		fail(virtual, "is writable and executable");
	if (!(rights & PTE_NO_EXECUTE) &&
	    (virtual < (uint64_t)image_start || virtual + size > (uint64_t)image_text_end))
		fail(virtual, "is executable, but no text");
	if ((rights & PTE_WRITE) && covers_constant(physical, size))
		fail(virtual, "is writable, but shows text, constants or the IDT");
	survey->pages++;
	survey->executable += !(rights & PTE_NO_EXECUTE);
	survey->writable += (rights & PTE_WRITE) != 0;
}

/*
 * `rights`: what the levels above allow. No-execute adds up, the others must be allowed
 * everywhere.
 */
static void check_table(struct survey *survey, const uint64_t *table, unsigned level, uint64_t base,
			uint64_t rights)
{
	for (unsigned i = 0; i < PTE_ENTRIES; i++) {
		uint64_t entry = table[i], virtual = base + i * pte_span(level);
		uint64_t now = (rights & entry & (PTE_WRITE | PTE_USER)) |
			       ((rights | entry) & PTE_NO_EXECUTE);

		if (!(entry & PTE_PRESENT))
			continue;
		if (level == 4) {
			virtual = (uint64_t)((int64_t)(virtual << 16) >> 16);
			if (i < SLOT_HYPERVISOR_FIRST || i > SLOT_HYPERVISOR_LAST)
				fail(virtual, "is outside the hypervisor's slots");
		}
		if (level == 1 || (level < 4 && (entry & PTE_LARGE)))
			check_page(survey, virtual, entry, level, now);
		else
			check_table(survey, arch_frame_pointer((entry & PTE_ADDRESS) >> 12),
				    level - 1, virtual, now);
	}
}

/* The entry that maps an address; not present: none does. */
static uint64_t look_up(uint64_t virtual)
{
	const uint64_t *table = paging_master();
	uint64_t entry = 0;

	for (unsigned level = 4; level >= 1; level--) {
		entry = table[pte_index(virtual, level)];
		if (!(entry & PTE_PRESENT) || level == 1 || (level < 4 && (entry & PTE_LARGE)))
			break;
		table = arch_frame_pointer((entry & PTE_ADDRESS) >> 12);
	}
	return entry;
}

static void check_text(void)
{
	for (uint64_t p = (uint64_t)image_start; p < (uint64_t)image_text_end; p += PAGE_SIZE)
		if ((look_up(p) & (PTE_PRESENT | PTE_WRITE | PTE_NO_EXECUTE)) != PTE_PRESENT)
			fail(p, "is text and cannot be executed");
	for (uint64_t p = (uint64_t)image_text_end; p < (uint64_t)image_rodata_end; p += PAGE_SIZE)
		if ((look_up(p) & (PTE_PRESENT | PTE_WRITE)) != PTE_PRESENT)
			fail(p, "is constant and cannot be read");
}

static void check_stack(struct survey *survey, uint64_t top, uint64_t size)
{
	uint64_t bottom = top - size;

	for (uint64_t p = bottom; p < top; p += PAGE_SIZE)
		if (!(look_up(p) & PTE_PRESENT))
			fail(p, "is part of a stack and absent");
	if (look_up(bottom - PAGE_SIZE) & PTE_PRESENT)
		fail(bottom - PAGE_SIZE, "is a guard page and present");
	if (look_up(top) & PTE_PRESENT)
		fail(top, "is above a stack and present");
	survey->guards++;
}

/* Whatever happens later, the pages around each stack stay absent. */
const char *arch_audit(void)
{
	for (uint32_t cpu = 0; cpu < paging_stacks_mapped(); cpu++)
		for (uint32_t stack = 0; stack <= IST_COUNT; stack++) {
			uint64_t top = paging_stack_top(cpu, stack);
			uint64_t size = stack ? PAGING_IST_STACK_SIZE : PAGING_STACK_SIZE;

			if ((look_up(top) | look_up(top - size - PAGE_SIZE)) & PTE_PRESENT)
				return "I8: a guard page is present";
		}
	return NULL;
}

void paging_self_check(void)
{
	struct survey survey = { 0 };

	if ((cr3_read() & PTE_ADDRESS) != paging_master_cr3())
		panic("paging: self-check: other tables are in use");
	if (!(cr0_read() & CR0_WP))
		panic("paging: self-check: the processor does not protect pages from the hypervisor");
	check_table(&survey, paging_master(), 4, 0, PTE_WRITE | PTE_USER);
	check_text();
	for (uint32_t cpu = 0; cpu < paging_stacks_mapped(); cpu++) {
		check_stack(&survey, paging_stack_top(cpu, 0), PAGING_STACK_SIZE);
		for (uint32_t ist = 1; ist <= IST_COUNT; ist++)
			check_stack(&survey, paging_stack_top(cpu, ist), PAGING_IST_STACK_SIZE);
	}
	log_info(
		"paging: self-check passed: %lu pages, %lu writable, %lu executable, none both, none for users, "
		"%lu guard pages absent",
		survey.pages, survey.writable, survey.executable, survey.guards);
}
