// SPDX-License-Identifier: BSD-2-Clause
/*
 * Filling the shadows: one entry that was missing, and a window of its neighbours.
 *
 * The shadow_rule says what an entry of the guest becomes, and shadow_translate which frame it
 * maps: the domain's own, or none. Every entry that maps memory is made by shadow_leaf from these
 * two. Where the domain has nothing, there may be a frame that another has granted: in 4 KiB leaves
 * only, which are never wider than the grant (leaf_granted). Or the control domain may have device
 * memory: device_memory.c says so, and only what a fault asks for is filled with it.
 *
 * Most fills are made by shadow_quick.c; here is what it leaves.
 *
 * An entry is writable only if the guest's is writable and dirty: the first write to a clean page
 * comes here and sets D. A neighbour is filled only if the guest's entry has A, so A stays exact
 * but for flushes that Linux leaves out by intent. Cache attributes of the guest count for device
 * memory only: RAM is always write-back.
 *
 * Locks: the half's lock is held by the caller, so that what is read from the guest's tables and
 * what is installed belong together: a flush of another vCPU comes before both or after both.
 */
#include "device_memory.h"
#include "memory.h"
#include "shadow_table.h"
#include "vcpu.h"
#include "walk.h"
#include "abi/errno.h"

#define LARGE_MASK  (pte_span(2) - 1)
/* What a leaf leads to, and how it is cached. */
#define LEAF_TARGET (PTE_ADDRESS | PTE_WRITE_THROUGH | PTE_CACHE_DISABLE | PTE_PAT)

/* The 2 MiB at the end of the user half: their last page is never mapped. */
static inline bool region_is_last(uint64_t address)
{
	return (address | LARGE_MASK) == USER_HALF_END - 1;
}

uint64_t shadow_translate_slow(const struct domain *d, struct shadow_translation *t, uint64_t entry)
{
	uint64_t gfn = (entry & PTE_ADDRESS) >> 12;
	uint64_t first = gfn & ~(uint64_t)(PTE_ENTRIES - 1);
	uint64_t mfn = memory_lookup_2m(d, first);

	if (mfn == FRAME_NONE) {
		mfn = memory_lookup(d, gfn);
		return mfn == FRAME_NONE ? FRAME_NONE : mfn << 12;
	}
	t->chunk = entry;
	t->delta = (mfn - first) << 12;
	return (entry & PTE_ADDRESS) + t->delta;
}

/*
 * What only the kernel may use in a user half is marked; it does not execute what users may write:
 * SMEP.
 */
static uint64_t leaf_restrict(const struct shadow_half *half, uint64_t rights, uint64_t leaf)
{
	if (half->root)
		return rights & PTE_USER ? leaf : leaf | SHADOW_KERNEL_ONLY;
	return rights & PTE_USER ? leaf | PTE_NO_EXECUTE : leaf;
}

/*
 * Before a leaf for the kernel only comes below a slot: user mode, on other CPUs too, has it no
 * more.
 */
static void hide_from_user(struct shadow_half *half, uint64_t address)
{
	uint64_t *slot = &half->user_table[pte_index(address, 4)];

	if (!*slot)
		return;
	__atomic_store_n(slot, 0, __ATOMIC_RELAXED);
	shadow_quick_forget(half);
	shadow_half_shootdown(half);
}

/* A user needs a slot that was hidden: it starts anew, without what is for the kernel only. */
static void show_to_user(struct shadow_half *half, uint64_t address)
{
	struct list_node dropped = LIST_INIT(dropped);
	unsigned slot = pte_index(address, 4);

	if (half->user_table[slot] || !half->table[slot])
		return;
	shadow_half_unlink(half, slot, slot + 1, &dropped);
	shadow_half_shootdown(half);
	shadow_pool_return(half->domain, &dropped);
}

/* Other CPUs may hold what stood there before; nothing needs to be said when it only became looser.
 */
static void leaf_install(struct shadow_half *half, uint64_t address, uint64_t *slot, uint64_t leaf)
{
	uint64_t old = *slot;

	if (leaf & SHADOW_KERNEL_ONLY)
		hide_from_user(half, address);
	shadow_write(slot, leaf);
	if ((old & PTE_PRESENT) && (((old ^ leaf) & LEAF_TARGET) || (old & ~leaf & PTE_WRITE) ||
				    (leaf & ~old & PTE_NO_EXECUTE)))
		shadow_half_shootdown(half);
}

/*
 * The table below a slot; made, if there is none. A 2 MiB leaf gives way to a table of 4 KiB
 * entries.
 */
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
		shadow_write(&table[index], entry);
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

/* The 4 KiB leaf of a frame that another domain has granted, no wider than that; 0: it is not. */
static uint64_t leaf_granted(const struct shadow_half *half, uint64_t address, uint64_t gfn,
			     struct shadow_rule rule, uint64_t entry)
{
	bool write;
	uint64_t mfn =
		grant_map_fill(&half->domain->grant_map, gfn, shadow_place(half, address), &write);

	if (mfn == FRAME_NONE)
		return 0;
	return shadow_leaf(rule, mfn << 12, shadow_without_write(entry, write)) | SHADOW_GRANTED;
}

/* The leaf where the domain has no memory of its own; 0: there is nothing that it may map. */
static __attribute__((noinline)) uint64_t leaf_elsewhere(const struct shadow_half *half,
							 uint64_t address, uint64_t gfn,
							 const struct walk *walk, unsigned level)
{
	const struct shadow_rule rule = shadow_rule(walk->upper);
	uint64_t leaf = 0;

	if (level == 1)
		leaf = leaf_granted(half, address, gfn, rule, walk->entry);
	if (leaf || !device_memory_allowed(half->domain, gfn, pte_span(level) >> 12))
		return leaf;
	return shadow_leaf(rule, gfn << 12, walk->entry) |
	       shadow_device_bits(walk->entry, walk->level, level);
}

/*
 * The leaf of a level for an address that was walked; 0: there is nothing that the domain may map.
 */
static uint64_t leaf_make(const struct shadow_half *half, uint64_t address, const struct walk *walk,
			  unsigned level)
{
	uint64_t gfn = walk_gfn(walk->entry, walk->level, address & ~(pte_span(level) - 1));
	uint64_t mfn = level > 1 ? memory_lookup_2m(half->domain, gfn)
				 : memory_lookup(half->domain, gfn);
	uint64_t leaf;

	if (__builtin_expect(mfn == FRAME_NONE, 0))
		leaf = leaf_elsewhere(half, address, gfn, walk, level);
	else
		leaf = shadow_leaf(shadow_rule(walk->upper), mfn << 12, walk->entry);
	if (!leaf)
		return 0;
	return leaf_restrict(half, walk_rights(walk->upper, walk->entry),
			     level > 1 ? leaf | PTE_LARGE : leaf);
}

/*
 * A 2 MiB leaf where the guest has one and its memory is contiguous. FILL_FAULT: not possible here;
 * a table of 4 KiB entries stays until the guest flushes it.
 */
static int fill_large(struct shadow_half *half, uint64_t address, const struct walk *walk)
{
	uint64_t leaf = leaf_make(half, address, walk, 2);
	uint64_t *table;
	uint64_t *slot;

	if (!leaf || region_is_last(address))
		return FILL_FAULT;
	table = table_at(half, address, 2);
	if (!table)
		return FILL_NO_MEMORY;
	slot = &table[pte_index(address, 2)];
	if (shadow_entry_is_table(*slot, 2))
		return FILL_FAULT;
	leaf_install(half, address, slot, leaf);
	return FILL_OK;
}

/*
 * Entries [first, end) of a level-1 table that are missing there and present and accessed in the
 * guest's. Reserved bits need no look: at level 1 they are of the address, and no domain has memory
 * there.
 */
static unsigned fill_from_table(const struct shadow_half *half, uint64_t *table, uint64_t base,
				const uint64_t *guest, uint64_t upper, struct shadow_translation *t,
				unsigned first, unsigned end)
{
	const struct shadow_rule rule = shadow_rule(upper);
	const uint64_t wanted = shadow_plain(half);
	const struct domain *d = half->domain;
	unsigned filled = 0;

	if (half->root && !(upper & PTE_USER))
		return 0;
	for (unsigned i = first; i < end; i++) {
		uint64_t entry, machine, leaf;

		if (table[i])
			continue;
		entry = __atomic_load_n(&guest[i], __ATOMIC_RELAXED);
		if ((entry & SHADOW_PLAIN_BITS) != wanted)
			continue;
		machine = shadow_translate(d, t, entry);
		if (__builtin_expect(machine == FRAME_NONE, 0))
			leaf = leaf_granted(half, base + i * FRAME_SIZE,
					    (entry & PTE_ADDRESS) >> 12, rule, entry);
		else
			leaf = shadow_leaf(rule, machine, entry);
		if (!leaf)
			continue;
		__atomic_store_n(&table[i], leaf, __ATOMIC_RELAXED);
		filled++;
	}
	return filled;
}

static uint64_t leaf_within_large(const struct shadow_half *half, uint64_t address, uint64_t gfn,
				  struct shadow_rule rule, const struct walk *walk)
{
	uint64_t mfn = memory_lookup(half->domain, gfn);

	if (mfn == FRAME_NONE)
		return leaf_granted(half, address, gfn, rule, walk->entry);
	return shadow_leaf(rule, mfn << 12, walk->entry);
}

/* The same where the guest has one large entry and the memory behind it is not contiguous. */
static unsigned fill_from_large(const struct shadow_half *half, uint64_t *table, uint64_t address,
				const struct walk *walk, unsigned first, unsigned end)
{
	const uint64_t gfn = walk_gfn(walk->entry, walk->level, address & ~LARGE_MASK);
	const struct shadow_rule rule = shadow_rule(walk->upper);
	unsigned filled = 0;

	if ((walk->entry & SHADOW_PLAIN_BITS) != shadow_plain(half) ||
	    (half->root && !(walk->upper & PTE_USER)))
		return 0;
	for (unsigned i = first; i < end; i++) {
		uint64_t leaf =
			table[i] ? 0
				 : leaf_within_large(half, (address & ~LARGE_MASK) + i * FRAME_SIZE,
						     gfn + i, rule, walk);

		if (!leaf)
			continue;
		__atomic_store_n(&table[i], leaf, __ATOMIC_RELAXED);
		filled++;
	}
	return filled;
}

static unsigned fill_around(const struct shadow_half *half, uint64_t *table, uint64_t address,
			    const struct walk *walk, unsigned first, unsigned end)
{
	struct shadow_translation t = { 0 };

	*shadow_used(table) |= shadow_groups(first, end);
	if (walk->level > 1)
		return fill_from_large(half, table, address, walk, first, end);
	return fill_from_table(half, table, address & ~LARGE_MASK,
			       walk->leaf - pte_index(address, 1), walk->upper, &t, first, end);
}

/* access: what the guest's tables allow; a grant may not. */
static int fill_small(struct shadow_half *half, uint64_t address, const struct walk *walk,
		      uint32_t access)
{
	uint64_t leaf = leaf_make(half, address, walk, 1);
	unsigned first, end;
	uint64_t *table;

	if (!leaf || (access & ~leaf & FAULT_WRITE))
		return FILL_FAULT;
	table = table_at(half, address, 1);
	if (!table)
		return FILL_NO_MEMORY;
	leaf_install(half, address, &table[pte_index(address, 1)], leaf);
	if (walk->level == 1)
		shadow_quick_remember(half, address, walk, table);
	shadow_window_choose(&half->window, address, &first, &end);
	vcpu_current()->counters.window_fills +=
		fill_around(half, table, address, walk, first, end);
	return FILL_OK;
}

static int fill_walk(struct shadow_half *half, uint64_t address, uint32_t access, uint32_t *error)
{
	int result = FILL_FAULT;
	struct walk walk;
	uint32_t found;

	found = walk_guest(half->domain, half->guest_root, address, access, &walk);
	if (found == WALK_RETRY)
		return FILL_OK;
	if (found != WALK_OK) {
		*error = found & ~WALK_FAULT;
		return FILL_FAULT;
	}
	if (access & FAULT_USER)
		show_to_user(half, address);
	if (walk.level > 1)
		result = fill_large(half, address, &walk);
	if (result == FILL_FAULT)
		result = fill_small(half, address, &walk, access);
	/* The guest maps a frame it does not have, or may only read. */
	*error = access | FAULT_PRESENT | FAULT_RESERVED;
	return result;
}

/* The kernel view maps the user half without execution, whatever U says. */
static int fetch_from_user_half(struct shadow_half *half, uint64_t address, uint32_t *error)
{
	struct walk walk;
	uint32_t found = walk_guest(half->domain, half->guest_root, address, FAULT_FETCH, &walk);

	*error = found & WALK_FAULT ? found & ~WALK_FAULT : FAULT_FETCH | FAULT_PRESENT;
	return found == WALK_RETRY ? FILL_OK : FILL_FAULT;
}

int shadow_fill(struct shadow_half *half, uint64_t address, uint32_t access, uint32_t *error)
{
	int result;

	if (half->root && (access & (FAULT_FETCH | FAULT_USER)) == FAULT_FETCH)
		return fetch_from_user_half(half, address, error);
	result = fill_walk(half, address, access, error);
	vcpu_current()->counters.fills += result == FILL_OK;
	return result;
}

/* A region that was not filled lately. */
static int fill_range_walk(struct shadow_half *half, uint64_t start, uint64_t end)
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
	if (kind == WALK_TABLE)
		shadow_quick_remember(half, start, &walk, table);
	return fill_around(half, table, start, &walk, first, first + ((end - start) >> 12));
}

int shadow_fill_range(struct shadow_half *half, uint64_t start, uint64_t end)
{
	unsigned first = pte_index(start, 1);
	struct walk walk;
	uint64_t *table = shadow_quick_probe(half, start, &walk);

	if (!table)
		return fill_range_walk(half, start, end);
	return fill_around(half, table, start, &walk, first, first + ((end - start) >> 12));
}

/* --- Before it is used --- */

/* As much as a flush looks at: 128 MiB. */
#define PREFILL_REGIONS 64

/* What is there already may be used as the guest's entries say now; then what is missing is filled. */
static void prefill(struct shadow_root *root, uint64_t start, uint64_t end)
{
	vcpu_current()->page->dropped = 0;
	if (end > USER_MAP_END)
		end = USER_MAP_END;
	if (start < end)
		shadow_resync(&root->half, start, end - 1);
	for (unsigned i = 0; i < PREFILL_REGIONS && start < end; i++) {
		uint64_t next = (start | (pte_span(2) - 1)) + 1;
		int filled = shadow_fill_range(&root->half, start, next < end ? next : end);

		if (filled < 0)
			break;
		vcpu_current()->counters.prefills += filled;
		start = next;
	}
}

void shadow_prefill(struct domain *d, uint64_t root_gfn, uint64_t start, uint64_t end)
{
	struct shadow_root *root = shadow_root_lock(d, root_gfn);

	if (!root)
		return;
	prefill(root, start, end);
	spin_unlock(&root->lock);
}

/* The guest may write it meanwhile: it is read once, and any value will do. */
void shadow_prefill_asked(struct vcpu *v)
{
	uint64_t asked = __atomic_load_n(&v->page->prefill, __ATOMIC_RELAXED);
	uint64_t start = asked & ~(FRAME_SIZE - 1), more = asked & (FRAME_SIZE - 1);

	__atomic_store_n(&v->page->prefill, 0, __ATOMIC_RELAXED);
	if (start >= USER_MAP_END)
		return;
	spin_lock(&v->root->lock);
	prefill(v->root, start, start + (more + 1) * FRAME_SIZE);
	spin_unlock(&v->root->lock);
}
