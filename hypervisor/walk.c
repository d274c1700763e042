// SPDX-License-Identifier: BSD-2-Clause
/*
 * The software walk of a guest's page tables.
 *
 * It behaves as a CPU with NX, CR0.WP and SMEP on and SMAP, PKU and PCID off: the same permissions, the same error codes, the
 * same A and D bits. A table in a frame that the domain does not own is reported as a reserved-bit fault: the guest's mistake.
 *
 * No locks. An entry is read once; A and D are set by compare-and-exchange on what was read, so a concurrent change by the
 * guest is seen and the level is read again, a bounded number of times. Frames cannot go away under the walk: quiesce.h.
 */
#include "walk.h"

#include "arch.h"
#include "domain.h"
#include "memory.h"

#define WALK_ATTEMPTS 8

static uint64_t reserved_address_bits;

void walk_init(unsigned physical_bits)
{
	reserved_address_bits = PTE_ADDRESS & ~((1ULL << physical_bits) - 1);
}

static inline bool entry_is_leaf(uint64_t entry, unsigned level)
{
	return level == 1 || (level < 4 && (entry & PTE_LARGE));
}

bool walk_entry_reserved(uint64_t entry, unsigned level)
{
	uint64_t reserved = reserved_address_bits;

	if (level == 4)
		reserved |= PTE_LARGE;
	else if (level > 1 && (entry & PTE_LARGE))
		reserved |= (pte_span(level) - 1) & ~0x1fffULL;
	return entry & reserved;
}

static uint64_t *table_entry(const struct domain *d, uint64_t gfn, uint64_t address, unsigned level)
{
	uint64_t mfn = memory_lookup(d, gfn);

	if (mfn == FRAME_NONE)
		return NULL;
	return (uint64_t *)arch_frame_pointer(mfn) + pte_index(address, level);
}

/* Adds bits to an entry that was read as *entry; false when it has changed meanwhile, and is read again. */
static inline bool entry_set(uint64_t *slot, uint64_t *entry, uint64_t bits)
{
	if ((*entry & bits) == bits)
		return true;
	if (!__atomic_compare_exchange_n(slot, entry, *entry | bits, false, __ATOMIC_RELAXED,
					 __ATOMIC_RELAXED))
		return false;
	*entry |= bits;
	return true;
}

static bool access_allowed(uint64_t rights, uint32_t access)
{
	if ((access & FAULT_USER) && !(rights & PTE_USER))
		return false;
	if ((access & FAULT_WRITE) && !(rights & PTE_WRITE))
		return false;
	if (!(access & FAULT_FETCH))
		return true;
	if (rights & PTE_NO_EXECUTE)
		return false;
	return (access & FAULT_USER) || !(rights & PTE_USER);
}

uint32_t walk_guest(const struct domain *d, uint64_t root_gfn, uint64_t address, uint32_t access,
		    struct walk *walk)
{
	uint64_t upper = PTE_WRITE | PTE_USER;
	uint64_t gfn = root_gfn;
	unsigned attempts = 0;
	unsigned level = 4;

	while (attempts++ < WALK_ATTEMPTS + 4) {
		uint64_t *slot = table_entry(d, gfn, address, level);
		uint64_t entry;

		if (!slot)
			return WALK_FAULT | access | FAULT_PRESENT | FAULT_RESERVED;
		entry = __atomic_load_n(slot, __ATOMIC_RELAXED);
		if (!(entry & PTE_PRESENT))
			return WALK_FAULT | access;
		if (walk_entry_reserved(entry, level))
			return WALK_FAULT | access | FAULT_PRESENT | FAULT_RESERVED;
		if (!entry_is_leaf(entry, level)) {
			if (!entry_set(slot, &entry, PTE_ACCESSED))
				continue;
			upper = walk_rights(upper, entry);
			gfn = (entry & PTE_ADDRESS) >> 12;
			level--;
			continue;
		}
		if (!access_allowed(walk_rights(upper, entry), access))
			return WALK_FAULT | access | FAULT_PRESENT;
		if (!entry_set(slot, &entry,
			       access & FAULT_WRITE ? PTE_ACCESSED | PTE_DIRTY : PTE_ACCESSED))
			continue;
		*walk = (struct walk){ .leaf = slot,
				       .entry = entry,
				       .upper = upper,
				       .level = level };
		return WALK_OK;
	}
	return WALK_RETRY;
}

enum walk_kind walk_probe(const struct domain *d, uint64_t root_gfn, uint64_t address,
			  struct walk *walk)
{
	uint64_t upper = PTE_WRITE | PTE_USER;
	uint64_t gfn = root_gfn;

	for (unsigned level = 4;; level--) {
		uint64_t *slot = table_entry(d, gfn, address, level);
		uint64_t entry;

		if (!slot)
			return WALK_NONE;
		entry = __atomic_load_n(slot, __ATOMIC_RELAXED);
		*walk = (struct walk){ .leaf = slot,
				       .entry = entry,
				       .upper = upper,
				       .level = level };
		if (level == 1)
			return WALK_TABLE;
		if (!(entry & PTE_PRESENT) || walk_entry_reserved(entry, level))
			return WALK_NONE;
		if (entry_is_leaf(entry, level))
			return WALK_LARGE;
		/* A CPU keeps nothing that it found through an entry without A. */
		if (!(entry & PTE_ACCESSED))
			return WALK_NONE;
		upper = walk_rights(upper, entry);
		gfn = (entry & PTE_ADDRESS) >> 12;
	}
}
