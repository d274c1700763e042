// SPDX-License-Identifier: BSD-2-Clause
/*
 * The software walk of a guest's page tables.
 *
 * It behaves as a CPU with NX, CR0.WP and SMEP on and SMAP, PKU and PCID off: the same permissions,
 * the same error codes, the same A and D bits. A table in a frame that the domain does not own is
 * reported as a reserved-bit fault: the guest's mistake.
 *
 * No locks. An entry is read once; A and D are set by compare-and-exchange on what was read, so a
 * concurrent change by the guest is seen and the walk starts again, a bounded number of times.
 * Frames cannot go away under the walk: quiesce.h.
 */
#include "walk.h"

#include "arch.h"
#include "domain.h"
#include "memory.h"

#define WALK_ATTEMPTS 8

/* Bits that must be zero in an entry that is no large leaf, by level. */
static uint64_t reserved_bits[5] = { [4] = PTE_LARGE };

void walk_init(unsigned physical_bits)
{
	for (unsigned level = 1; level <= 4; level++)
		reserved_bits[level] = PTE_ADDRESS & ~((1ULL << physical_bits) - 1);
	reserved_bits[4] |= PTE_LARGE;
}

static inline bool entry_is_leaf(uint64_t entry, unsigned level)
{
	return level == 1 || (level < 4 && (entry & PTE_LARGE));
}

bool walk_entry_reserved(uint64_t entry, unsigned level)
{
	uint64_t reserved = reserved_bits[level];

	if ((entry & PTE_LARGE) && (level == 2 || level == 3))
		reserved |= (pte_span(level) - 1) & ~0x1fffULL;
	return entry & reserved;
}

static inline __attribute__((always_inline)) uint64_t *
table_entry(const struct domain *d, uint64_t gfn, uint64_t address, unsigned level)
{
	uint64_t mfn = memory_lookup(d, gfn);

	if (mfn == FRAME_NONE)
		return NULL;
	return (uint64_t *)arch_frame_pointer(mfn) + pte_index(address, level);
}

/*
 * Adds bits to an entry that was read as *entry; false when it has changed meanwhile, and is read
 * again.
 */
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

/* The leaf has been found: may the access be made, and what does it leave in the entry? */
static inline uint32_t walk_leaf(uint64_t *slot, uint64_t entry, unsigned level, uint64_t upper,
				 uint32_t access, struct walk *walk)
{
	if (walk_entry_reserved(entry, level))
		return WALK_FAULT | access | FAULT_PRESENT | FAULT_RESERVED;
	if (!access_allowed(walk_rights(upper, entry), access))
		return WALK_FAULT | access | FAULT_PRESENT;
	if (!entry_set(slot, &entry,
		       access & FAULT_WRITE ? PTE_ACCESSED | PTE_DIRTY : PTE_ACCESSED))
		return WALK_RETRY;
	walk->leaf = slot;
	walk->entry = entry;
	walk->upper = upper;
	walk->level = level;
	return WALK_OK;
}

static uint32_t walk_once(const struct domain *d, uint64_t root_gfn, uint64_t address,
			  uint32_t access, struct walk *walk)
{
	/* What all levels allow so far: W, U, and execution where NX is. */
	uint64_t allowed = PTE_WRITE | PTE_USER | PTE_NO_EXECUTE;
	uint64_t gfn = root_gfn;
	uint64_t *slot;
	uint64_t entry;

#pragma GCC unroll 4
	for (unsigned level = 4; level; level--) {
		uint64_t upper = allowed ^ PTE_NO_EXECUTE;

		slot = table_entry(d, gfn, address, level);
		if (__builtin_expect(!slot, 0))
			return WALK_FAULT | access | FAULT_PRESENT | FAULT_RESERVED;
		entry = __atomic_load_n(slot, __ATOMIC_RELAXED);
		if (!(entry & PTE_PRESENT))
			return WALK_FAULT | access;
		if (entry_is_leaf(entry, level))
			return walk_leaf(slot, entry, level, upper, access, walk);
		if (__builtin_expect((entry & reserved_bits[level]) != 0, 0))
			return WALK_FAULT | access | FAULT_PRESENT | FAULT_RESERVED;
		if (!entry_set(slot, &entry, PTE_ACCESSED))
			return WALK_RETRY;
		walk->slot[level - 2] = slot;
		walk->value[level - 2] = entry;
		allowed &= entry ^ PTE_NO_EXECUTE;
		gfn = (entry & PTE_ADDRESS) >> 12;
	}
	return WALK_RETRY; /* not reached: level 1 has only leaves */
}

uint32_t walk_guest(const struct domain *d, uint64_t root_gfn, uint64_t address, uint32_t access,
		    struct walk *walk)
{
	uint32_t result = WALK_RETRY;

	for (unsigned i = 0; i < WALK_ATTEMPTS && result == WALK_RETRY; i++)
		result = walk_once(d, root_gfn, address, access, walk);
	return result;
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
		walk->leaf = slot;
		walk->entry = entry;
		walk->upper = upper;
		walk->level = level;
		if (level == 1)
			return WALK_TABLE;
		if (!(entry & PTE_PRESENT) || walk_entry_reserved(entry, level))
			return WALK_NONE;
		if (entry_is_leaf(entry, level))
			return WALK_LARGE;
		/* A CPU keeps nothing that it found through an entry without A. */
		if (!(entry & PTE_ACCESSED))
			return WALK_NONE;
		walk->slot[level - 2] = slot;
		walk->value[level - 2] = entry;
		upper = walk_rights(upper, entry);
		gfn = (entry & PTE_ADDRESS) >> 12;
	}
}
