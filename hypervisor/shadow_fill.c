// SPDX-License-Identifier: BSD-2-Clause
/*
 * Filling the shadows: one entry that was missing, and a window of its neighbours.
 *
 * leaf_make is the one place where an entry that maps memory is made, and frame_for the one place that says which frame: the
 * domain's own, or none.
 *
 * An entry is writable only if the guest's is writable and dirty: the first write to a clean page comes here and sets D. A
 * neighbour is filled only if the guest's entry has A, so A stays exact but for flushes that Linux leaves out by intent.
 * Cache attributes of the guest are ignored: RAM is always write-back.
 *
 * Locks: the half's lock is held by the caller, so that what is read from the guest's tables and what is installed belong
 * together: a flush of another vCPU comes before both or after both.
 */
#include "memory.h"
#include "shadow_table.h"
#include "vcpu.h"
#include "walk.h"
#include "abi/errno.h"

#define LARGE_MASK (pte_span(2) - 1)

/* The 2 MiB at the end of the user half: their last page is never mapped. */
static inline bool region_is_last(uint64_t address)
{
	return (address | LARGE_MASK) == USER_HALF_END - 1;
}

static uint64_t leaf_make(const struct shadow_half *half, uint64_t mfn, uint64_t rights,
			  uint64_t entry)
{
	uint64_t leaf = (mfn << 12) | PTE_PRESENT | PTE_USER | PTE_ACCESSED |
			(rights & PTE_NO_EXECUTE);

	if ((rights & PTE_WRITE) && (entry & PTE_DIRTY))
		leaf |= PTE_WRITE | PTE_DIRTY;
	if (half->root)
		return rights & PTE_USER ? leaf : leaf | SHADOW_KERNEL_ONLY;
	/* The guest kernel does not execute what its users may write: SMEP. */
	return rights & PTE_USER ? leaf | PTE_NO_EXECUTE : leaf;
}

/* Before a leaf for the kernel only comes below a slot: user mode, on other CPUs too, has it no more. */
static void hide_from_user(const struct shadow_half *half, uint64_t address)
{
	uint64_t *slot = &half->user_table[pte_index(address, 4)];

	if (!*slot)
		return;
	__atomic_store_n(slot, 0, __ATOMIC_RELAXED);
	shadow_half_shootdown(half);
}

/* A user needs a slot that was hidden: it starts anew, without what is for the kernel only. */
static void show_to_user(const struct shadow_half *half, uint64_t address)
{
	struct list_node dropped = LIST_INIT(dropped);
	unsigned slot = pte_index(address, 4);

	if (half->user_table[slot] || !half->table[slot])
		return;
	shadow_half_unlink(half, slot, slot + 1, &dropped);
	shadow_half_shootdown(half);
	shadow_pool_return(half->domain, &dropped);
}

/* Other CPUs may hold what stood there before; nothing needs to be said when it only became looser. */
static void leaf_install(const struct shadow_half *half, uint64_t address, uint64_t *slot,
			 uint64_t leaf)
{
	uint64_t old = *slot;

	if (leaf & SHADOW_KERNEL_ONLY)
		hide_from_user(half, address);
	__atomic_store_n(slot, leaf, __ATOMIC_RELAXED);
	if ((old & PTE_PRESENT) && (((old ^ leaf) & PTE_ADDRESS) || (old & ~leaf & PTE_WRITE) ||
				    (leaf & ~old & PTE_NO_EXECUTE)))
		shadow_half_shootdown(half);
}

/* The table below a slot; made, if there is none. A 2 MiB leaf gives way to a table of 4 KiB entries. */
static uint64_t *table_below(const struct shadow_half *half, uint64_t *table, uint64_t address,
			     unsigned level)
{
	unsigned index = pte_index(address, level);
	uint64_t old = table[index];
	uint64_t *below;
	uint64_t entry;

	if (shadow_entry_is_table(old, level))
		return shadow_table(old);
	below = shadow_pool_alloc(half->domain, half->domain->shadow.pool.reserve);
	if (!below)
		return NULL;
	entry = (shadow_table_mfn(below) << 12) | SHADOW_TABLE_BITS;
	if (level == 4)
		shadow_half_set_slot(half, index, entry);
	else
		__atomic_store_n(&table[index], entry, __ATOMIC_RELAXED);
	if (old)
		shadow_half_shootdown(half);
	return below;
}

/* The table of a level that holds the address's entry, or NULL: no memory. */
static uint64_t *table_at(const struct shadow_half *half, uint64_t address, unsigned level)
{
	uint64_t *table = half->table;

	for (unsigned at = 4; table && at > level; at--)
		table = table_below(half, table, address, at);
	return table;
}

/*
 * A 2 MiB leaf where the guest has one and its memory is contiguous. FILL_FAULT: not possible here; a table of 4 KiB entries
 * stays until the guest flushes it.
 */
static int fill_large(const struct shadow_half *half, uint64_t address, const struct walk *walk)
{
	uint64_t gfn = walk_gfn(walk->entry, walk->level, address & ~LARGE_MASK);
	uint64_t mfn = memory_lookup_2m(half->domain, gfn);
	uint64_t *table;
	uint64_t *slot;

	if (mfn == FRAME_NONE || region_is_last(address))
		return FILL_FAULT;
	table = table_at(half, address, 2);
	if (!table)
		return FILL_NO_MEMORY;
	slot = &table[pte_index(address, 2)];
	if (shadow_entry_is_table(*slot, 2))
		return FILL_FAULT;
	leaf_install(half, address, slot,
		     PTE_LARGE | leaf_make(half, mfn, walk_rights(walk->upper, walk->entry),
					   walk->entry));
	return FILL_OK;
}

/* Indices [*first, *end) to look at around an entry. */
static void window_choose(struct shadow_window *window, uint64_t address, unsigned *first,
			  unsigned *end)
{
	uint64_t page = address >> 12;
	unsigned index = pte_index(address, 1);

	if (page == window->next && window->size)
		window->size = window->size >= PTE_ENTRIES / 4 ? PTE_ENTRIES : window->size * 4;
	else
		window->size = SHADOW_WINDOW_MIN;
	*first = index & ~(window->size - 1);
	*end = *first + window->size;
	window->next = page - index + *end;
	if (*end == PTE_ENTRIES && region_is_last(address))
		*end = PTE_ENTRIES - 1;
}

/* One neighbour; true when it was filled. `entry` is the guest's. */
static inline bool fill_neighbour(const struct shadow_half *half, uint64_t *slot, uint64_t upper,
				  uint64_t entry, uint64_t gfn)
{
	uint64_t rights = walk_rights(upper, entry);
	uint64_t mfn;

	if (half->root && !(rights & PTE_USER))
		return false;
	mfn = memory_lookup(half->domain, gfn);
	if (mfn == FRAME_NONE)
		return false;
	__atomic_store_n(slot, leaf_make(half, mfn, rights, entry), __ATOMIC_RELAXED);
	return true;
}

/*
 * Entries [first, end) of a level-1 table that are missing there and present and accessed in the guest's. Reserved bits need no
 * look: at level 1 they are of the address, and no domain has memory there.
 */
static unsigned fill_from_table(const struct shadow_half *half, uint64_t *table,
				const uint64_t *guest, uint64_t upper, unsigned first, unsigned end)
{
	const uint64_t wanted = PTE_PRESENT | PTE_ACCESSED;
	unsigned filled = 0;

	for (unsigned i = first; i < end; i++) {
		uint64_t entry;

		if (table[i])
			continue;
		entry = __atomic_load_n(&guest[i], __ATOMIC_RELAXED);
		if ((entry & wanted) != wanted)
			continue;
		filled +=
			fill_neighbour(half, &table[i], upper, entry, (entry & PTE_ADDRESS) >> 12);
	}
	return filled;
}

/* The same where the guest has one large entry and the memory behind it is not contiguous. */
static unsigned fill_from_large(const struct shadow_half *half, uint64_t *table, uint64_t address,
				const struct walk *walk, unsigned first, unsigned end)
{
	uint64_t gfn = walk_gfn(walk->entry, walk->level, address & ~LARGE_MASK);
	unsigned filled = 0;

	for (unsigned i = first; i < end; i++)
		if (!table[i])
			filled +=
				fill_neighbour(half, &table[i], walk->upper, walk->entry, gfn + i);
	return filled;
}

static unsigned fill_around(const struct shadow_half *half, uint64_t *table, uint64_t address,
			    const struct walk *walk, unsigned first, unsigned end)
{
	if (walk->level > 1)
		return fill_from_large(half, table, address, walk, first, end);
	return fill_from_table(half, table, walk->leaf - pte_index(address, 1), walk->upper, first,
			       end);
}

static int fill_small(const struct shadow_half *half, uint64_t address, const struct walk *walk,
		      unsigned *filled)
{
	uint64_t mfn = memory_lookup(half->domain, walk_gfn(walk->entry, walk->level, address));
	unsigned first, end;
	uint64_t *table;

	if (mfn == FRAME_NONE)
		return FILL_FAULT;
	table = table_at(half, address, 1);
	if (!table)
		return FILL_NO_MEMORY;
	leaf_install(half, address, &table[pte_index(address, 1)],
		     leaf_make(half, mfn, walk_rights(walk->upper, walk->entry), walk->entry));
	window_choose(half->window, address, &first, &end);
	*filled += fill_around(half, table, address, walk, first, end);
	return FILL_OK;
}

int shadow_fill(const struct shadow_half *half, uint64_t address, uint32_t access, uint32_t *error)
{
	struct rf_counters *counters = &vcpu_current()->counters;
	int result = FILL_FAULT;
	unsigned filled = 0;
	struct walk walk;
	uint32_t found;

	found = walk_guest(half->domain, half->guest_root, address, access, &walk);
	if (found == WALK_RETRY)
		return FILL_OK;
	if (found != WALK_OK) {
		*error = found & ~WALK_FAULT;
		return FILL_FAULT;
	}
	/* The kernel view maps the user half without execution, whatever U says. */
	if (half->root && (access & (FAULT_FETCH | FAULT_USER)) == FAULT_FETCH) {
		*error = access | FAULT_PRESENT;
		return FILL_FAULT;
	}
	if (access & FAULT_USER)
		show_to_user(half, address);
	if (walk.level > 1)
		result = fill_large(half, address, &walk);
	if (result == FILL_FAULT)
		result = fill_small(half, address, &walk, &filled);
	/* The guest maps a frame it does not have. */
	*error = access | FAULT_PRESENT | FAULT_RESERVED;
	counters->fills += result == FILL_OK;
	counters->window_fills += filled;
	return result;
}

int shadow_fill_range(const struct shadow_half *half, uint64_t start, uint64_t end)
{
	unsigned first = pte_index(start, 1);
	struct walk walk;
	enum walk_kind kind = walk_probe(half->domain, half->guest_root, start, &walk);
	uint64_t *table;

	if (kind == WALK_NONE || (kind == WALK_LARGE && !(walk.entry & PTE_ACCESSED)))
		return 0;
	if (kind == WALK_LARGE && half->root && !(walk.upper & walk.entry & PTE_USER))
		return 0;
	if (kind == WALK_LARGE && fill_large(half, start, &walk) == FILL_OK)
		return 1;
	table = table_at(half, start, 1);
	if (!table)
		return -ENOMEM;
	return fill_around(half, table, start, &walk, first, first + ((end - start) >> 12));
}
