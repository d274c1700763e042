// SPDX-License-Identifier: BSD-2-Clause
/*
 * The resync flush: instead of dropping what a range holds and taking a fault for each page again,
 * the guest's entries are read once more. What still maps the same frame is tightened in place, the
 * rest is dropped.
 *
 * The work is bounded: after RESYNC_BUDGET entries the tables that remain in the range are unlinked
 * whole, which is always right, as dropping more than was asked for costs faults, nothing else.
 *
 * Locks: the half's lock is held by the caller. CPUs are told once, at the end; tables go back to
 * the pool after that.
 */
#include "cpu.h"
#include "memory.h"
#include "shadow_table.h"
#include "tlb.h"
#include "vcpu.h"
#include "walk.h"

#define RESYNC_BUDGET 32768

struct resync {
	struct shadow_half *half;
	bool identity; /* guest frame numbers are machine frame numbers */
	bool changed;
	uint64_t keep, add; /* how an entry that is as its leaf compares: see resync_entries */
	uint64_t chunk;	    /* the 2 MiB in which the last entry's frame was, as guest addresses, */
	uint64_t delta;	    /* and what makes them the machine's: see entry_translate */
	uint32_t budget;
	uint64_t visited;
	struct list_node dropped;
};

static void entry_unlink(struct resync *r, uint64_t *slot, unsigned level)
{
	uint64_t entry = *slot;

	if (level == 4)
		shadow_half_set_slot(r->half, slot - r->half->table, 0);
	else
		__atomic_store_n(slot, 0, __ATOMIC_RELAXED);
	if (shadow_entry_is_table(entry, level)) {
		shadow_quick_forget(r->half);
		shadow_pool_drop(&r->dropped, (entry & PTE_ADDRESS) >> 12, level - 1);
	}
	r->changed = true;
}

/*
 * What may stay of a leaf that maps the right frame, when the guest's entry with the rights of the
 * levels above it is `guest`: 0, or the leaf without what is not allowed any more. A leaf whose A
 * was cleared goes: its next use must set A. One that may be written now is made so, as that would be
 * its next fault.
 */
static uint64_t leaf_tighten(const struct shadow_half *half, uint64_t leaf, uint64_t guest)
{
	const uint64_t needed = PTE_PRESENT | PTE_ACCESSED;
	const uint64_t writable = PTE_WRITE | PTE_DIRTY;

	if ((guest & needed) != needed)
		return 0;
	if (half->root && !(guest & PTE_USER) && !(leaf & SHADOW_KERNEL_ONLY))
		return 0;
	leaf = (guest & writable) == writable ? leaf | PTE_WRITE : leaf & ~PTE_WRITE;
	if (!half->root && (guest & PTE_USER))
		leaf |= PTE_NO_EXECUTE;
	return (leaf & ~PTE_DIRTY) | (guest & (PTE_NO_EXECUTE | PTE_DIRTY));
}

/* Writes what may stay; CPUs must be told unless it only became looser or the same. */
static void leaf_update(struct resync *r, uint64_t *slot, uint64_t leaf, uint64_t tight)
{
	if (tight == leaf)
		return;
	__atomic_store_n(slot, tight, __ATOMIC_RELAXED);
	if ((leaf & ~tight) || (tight & ~leaf & PTE_NO_EXECUTE))
		r->changed = true;
}

/* The guest's entry as if the levels above had no say: its W, U and NX are those of the whole path.
 */
static inline uint64_t entry_effective(uint64_t upper, uint64_t entry)
{
	return (entry & (upper | ~(PTE_WRITE | PTE_USER))) | (upper & PTE_NO_EXECUTE);
}

/* Whether a leaf of device memory is cached as the guest's entry says now. */
static bool leaf_same_cache(uint64_t leaf, unsigned level, uint64_t guest, unsigned guest_level)
{
	if (!(leaf & SHADOW_DEVICE))
		return true;
	return (leaf & shadow_device_mask(level)) == shadow_device_bits(guest, guest_level, level);
}

/* No guest frame is there. */
#define NO_CHUNK UINT64_MAX

static uint64_t entry_translate_slow(struct resync *r, uint64_t entry)
{
	uint64_t gfn = (entry & PTE_ADDRESS) >> FRAME_SHIFT;
	uint64_t first = gfn & ~((1ULL << FRAME_ORDER_2M) - 1);
	uint64_t mfn = memory_lookup_2m(r->half->domain, first);

	if (mfn == FRAME_NONE) {
		mfn = memory_lookup(r->half->domain, gfn);
		return (entry & ~PTE_ADDRESS) | ((mfn << FRAME_SHIFT) & PTE_ADDRESS);
	}
	r->chunk = gfn >> FRAME_ORDER_2M;
	r->delta = (mfn - first) << FRAME_SHIFT;
	return entry + r->delta;
}

/*
 * The guest's entry with the machine frame in it; where there is none, like no leaf. Neighbours lie in one
 * chunk, most often, so the last one is remembered: a frame that leaves the domain meanwhile has all shadows
 * dropped, after this flush.
 */
static inline uint64_t entry_translate(struct resync *r, uint64_t entry)
{
	if ((entry & PTE_ADDRESS) >> (FRAME_SHIFT + FRAME_ORDER_2M) != r->chunk)
		return entry_translate_slow(r, entry);
	return entry + r->delta;
}

static bool leaf_same_frame(struct resync *r, uint64_t leaf, uint64_t guest)
{
	uint64_t entry = r->identity ? guest : entry_translate(r, guest);

	return !((entry ^ leaf) & PTE_ADDRESS);
}

/* The guest's entry for a granted frame, with the rights of the grant; 0: not that frame any more. */
static uint64_t entry_granted(const struct domain *d, uint64_t leaf, uint64_t guest)
{
	bool write;
	uint64_t mfn = grant_lookup(d, (guest & PTE_ADDRESS) >> 12, &write);

	return mfn == (leaf & PTE_ADDRESS) >> 12 ? shadow_without_write(guest, write) : 0;
}

static void resync_leaf(struct resync *r, uint64_t *slot, uint64_t guest)
{
	uint64_t leaf = *slot;
	uint64_t tight = 0;

	if (leaf & SHADOW_GRANTED)
		tight = leaf_tighten(r->half, leaf, entry_granted(r->half->domain, leaf, guest));
	else if (leaf_same_frame(r, leaf, guest) && leaf_same_cache(leaf, 1, guest, 1))
		tight = leaf_tighten(r->half, leaf, guest);
	leaf_update(r, slot, leaf, tight);
}

/*
 * Most entries have not changed: that shows in one comparison of the leaf with what the rule makes of
 * the guest's entry, whose frame is the machine's, or is looked up. U is compared as well: in a
 * user half both have it, in the kernel half the leaf only. (An entry with W and without D differs
 * from its leaf, and is looked at closely every time.) False: there was nothing.
 */
static inline __attribute__((always_inline)) bool
resync_entries(struct resync *r, uint64_t *table, const uint64_t *guest, uint64_t upper,
	       unsigned count, uint64_t only_in_leaf, bool translate)
{
	const uint64_t keep = r->keep, add = r->add;
	bool any = false;

	for (unsigned i = 0; i < count; i++) {
		uint64_t leaf = table[i];
		uint64_t entry;

		if (!leaf)
			continue;
		any = true;
		entry = __atomic_load_n(&guest[i], __ATOMIC_RELAXED);
		if (translate)
			entry = entry_translate(r, entry);
		if ((((entry & keep) | add) ^ leaf ^ only_in_leaf) & SHADOW_LEAF_BITS)
			resync_leaf(r, &table[i],
				    entry_effective(upper,
						    __atomic_load_n(&guest[i], __ATOMIC_RELAXED)));
	}
	return any;
}

static __attribute__((noinline)) bool resync_user_entries(struct resync *r, uint64_t *table,
							  const uint64_t *guest, uint64_t upper,
							  unsigned count)
{
	return resync_entries(r, table, guest, upper, count, 0, false);
}

static __attribute__((noinline)) bool resync_translated_entries(struct resync *r, uint64_t *table,
								const uint64_t *guest,
								uint64_t upper, unsigned count)
{
	return resync_entries(r, table, guest, upper, count, 0, true);
}

static __attribute__((noinline)) bool resync_kernel_entries(struct resync *r, uint64_t *table,
							    const uint64_t *guest, uint64_t upper,
							    unsigned count)
{
	return resync_entries(r, table, guest, upper, count, PTE_USER, false);
}

/*
 * Eight groups at a time, from the first to the last that were used. Those that turn out to be
 * empty are used no more.
 */
static void resync_table(struct resync *r, uint64_t *table, const struct walk *walk, unsigned first,
			 unsigned end)
{
	const bool plain = r->half->root ? walk->upper & PTE_USER : r->identity;
	const struct shadow_rule rule = shadow_rule(walk->upper);
	const uint64_t *guest = walk->leaf - first;
	uint64_t *all = shadow_used(table);
	uint64_t used = *all & shadow_groups(first, end);

	r->keep = plain ? rule.keep | PTE_ADDRESS | PTE_USER : 0;
	r->add = rule.add & ~PTE_USER;

	while (used) {
		unsigned low = (unsigned)__builtin_ctzll(used);
		uint64_t groups = used & (0xffULL << (low & ~7U));
		unsigned at = low * SHADOW_GROUP;
		unsigned stop = (64 - (unsigned)__builtin_clzll(groups)) * SHADOW_GROUP;
		bool any;

		if (at < first)
			at = first;
		if (stop > end)
			stop = end;
		if (r->half->root && r->identity)
			any = resync_user_entries(r, &table[at], &guest[at], walk->upper,
						  stop - at);
		else if (r->half->root)
			any = resync_translated_entries(r, &table[at], &guest[at], walk->upper,
							stop - at);
		else
			any = resync_kernel_entries(r, &table[at], &guest[at], walk->upper,
						    stop - at);
		if (!any && !((at | stop) % SHADOW_GROUP))
			*all &= ~groups;
		r->visited += stop - at;
		used ^= groups;
	}
}

static void resync_large(struct resync *r, uint64_t *slot, uint64_t address,
			 const struct walk *walk)
{
	uint64_t leaf = *slot, tight = 0;
	uint64_t gfn = walk_gfn(walk->entry, walk->level, address), mfn = gfn;

	r->visited++;
	if (!(leaf & SHADOW_DEVICE))
		mfn = memory_lookup_2m(r->half->domain, gfn);
	if (mfn == shadow_leaf_mfn(leaf, 2) && leaf_same_cache(leaf, 2, walk->entry, walk->level))
		tight = leaf_tighten(r->half, leaf, entry_effective(walk->upper, walk->entry));
	leaf_update(r, slot, leaf, tight);
}

/* One slot of level 2: [start, last] lies within its 2 MiB. */
static void resync_region(struct resync *r, uint64_t *slot, uint64_t start, uint64_t last)
{
	unsigned first = pte_index(start, 1), end = pte_index(last, 1) + 1;
	bool large = *slot & PTE_LARGE;
	enum walk_kind kind = WALK_TABLE;
	struct walk walk;

	if (!shadow_quick_probe(r->half, start, &walk))
		kind = walk_probe(r->half->domain, r->half->guest_root, start, &walk);
	if (large && kind == WALK_LARGE) {
		resync_large(r, slot, start & ~(pte_span(2) - 1), &walk);
	} else if (!large && kind == WALK_TABLE && r->budget >= end - first) {
		r->budget -= end - first;
		resync_table(r, shadow_table(*slot), &walk, first, end);
	} else {
		entry_unlink(r, slot, 2);
	}
}

static void resync_level(struct resync *r, uint64_t *table, unsigned level, uint64_t start,
			 uint64_t last);

static void resync_slot(struct resync *r, uint64_t *slot, unsigned level, uint64_t start,
			uint64_t last)
{
	/* Level-4 slots of the kernel half stand in every kernel view: they stay. */
	bool unlinkable = level < 4 || r->half->root;

	if (r->budget)
		r->budget--;
	if (!r->budget && unlinkable)
		entry_unlink(r, slot, level);
	else if (level == 2)
		resync_region(r, slot, start, last);
	else
		resync_level(r, shadow_table(*slot), level - 1, start, last);
}

/* What of a group of slots lies within [start, last]; false: nothing is left in it. */
static bool resync_group(struct resync *r, uint64_t *table, unsigned level, unsigned at,
			 unsigned stop, uint64_t start, uint64_t last)
{
	const uint64_t span = pte_span(level);
	const uint64_t base = start & ~(span * PTE_ENTRIES - 1);
	bool any = false;

	for (unsigned i = at; i < stop; i++) {
		uint64_t address = base + i * span, address_last = address + span - 1;

		if (!table[i])
			continue;
		resync_slot(r, &table[i], level, address > start ? address : start,
			    address_last < last ? address_last : last);
		any |= table[i] != 0;
	}
	return any;
}

/*
 * [start, last] lies within one table. Groups that turn out to be empty are used no more; a level-4 table
 * has slots of both halves, each under its own lock, so there they stay.
 */
static void resync_level(struct resync *r, uint64_t *table, unsigned level, uint64_t start,
			 uint64_t last)
{
	const unsigned first = pte_index(start, level), end = pte_index(last, level) + 1;
	uint64_t *all = shadow_used(table);

	for (uint64_t used = *all & shadow_groups(first, end); used; used &= used - 1) {
		unsigned group = (unsigned)__builtin_ctzll(used);
		unsigned at = group * SHADOW_GROUP, stop = at + SHADOW_GROUP;
		bool whole = at >= first && stop <= end;
		bool any = resync_group(r, table, level, at > first ? at : first,
					stop < end ? stop : end, start, last);

		if (!any && whole && level < 4)
			*all &= ~(1ULL << group);
	}
}

static void resync_page(struct resync *r, uint64_t *slot, const struct walk *walk)
{
	r->visited++;
	if (*slot)
		resync_leaf(r, slot, entry_effective(walk->upper, walk->entry));
}

/* A range within 2 MiB that were filled lately: both level-1 tables are known. */
static bool resync_remembered(struct resync *r, uint64_t start, uint64_t last)
{
	unsigned first = pte_index(start, 1), end = pte_index(last, 1) + 1;
	uint64_t *table = NULL;
	struct walk walk;

	if ((start ^ last) < pte_span(2))
		table = shadow_quick_probe(r->half, start, &walk);
	if (table && end - first == 1)
		resync_page(r, &table[first], &walk);
	else if (table)
		resync_table(r, table, &walk, first, end);
	return table;
}

void shadow_resync(struct shadow_half *half, uint64_t start, uint64_t last)
{
	struct resync r = {
		.half = half,
		.identity = half->domain->control,
		.chunk = NO_CHUNK,
		.budget = RESYNC_BUDGET,
		.dropped = LIST_INIT(r.dropped),
	};

	if (!resync_remembered(&r, start, last))
		resync_level(&r, half->table, 4, start, last);
	if (r.changed)
		shadow_half_shootdown(half);
	if (!list_empty(&r.dropped))
		shadow_pool_return(half->domain, &r.dropped);
	vcpu_current()->counters.resynced += r.visited;
}

/* Takes out the entry of a page, if there is one; false: it is within a larger one. */
static bool page_unlink(const struct shadow_half *half, uint64_t address)
{
	uint64_t *slot = &half->table[pte_index(address, 4)];

	for (unsigned level = 4; level > 1; level--) {
		if (!*slot)
			return true;
		if (!shadow_entry_is_table(*slot, level))
			return false;
		slot = &shadow_table(*slot)[pte_index(address, level - 1)];
	}
	__atomic_store_n(slot, 0, __ATOMIC_RELAXED);
	return true;
}

void shadow_shootdown(struct domain *d)
{
	arch_memory_barrier();
	tlb_shootdown(__atomic_load_n(&d->shadow.cpus, __ATOMIC_RELAXED));
}

/* One that is being made is not there before it is complete. */
static struct shadow_root *lock_root_number(struct shadow *s, uint64_t number)
{
	struct shadow_root *root = &s->roots[number & (SHADOW_ROOTS - 1)];

	spin_lock(&s->lock);
	if (root->gfn == FRAME_NONE)
		root = NULL;
	else
		spin_lock(&root->lock);
	spin_unlock(&s->lock);
	return root;
}

/* If the root is another one by now, that loses an entry, and gets it back by a fault. */
void shadow_drop_place(struct domain *d, uint64_t place)
{
	uint64_t address = place & ~(FRAME_SIZE - 1);
	struct shadow *s = &d->shadow;
	struct shadow_root *root;

	if (address_is_kernel_half(address)) {
		spin_lock(&s->kernel_lock);
		page_unlink(&s->kernel_half, address);
		spin_unlock(&s->kernel_lock);
		return;
	}
	root = lock_root_number(s, place >> 1);
	if (!root)
		return;
	page_unlink(&root->half, address);
	spin_unlock(&root->lock);
}

static bool loaded_only_here(const struct shadow_root *root)
{
	return __atomic_load_n(&root->loaded, __ATOMIC_RELAXED) == 1ULL << this_cpu()->id;
}

/* A CPU that loads the root meanwhile may still have seen the entry: then it is told. */
void shadow_drop_page(struct vcpu *v, uint64_t address)
{
	struct shadow_root *root = v->root;

	spin_lock(&root->lock);
	if (loaded_only_here(root) && page_unlink(&root->half, address)) {
		arch_memory_barrier();
		if (loaded_only_here(root))
			arch_tlb_flush_page(address);
		else
			shadow_half_shootdown(&root->half);
		v->page->dropped = address & ~(FRAME_SIZE - 1);
	}
	spin_unlock(&root->lock);
}

void shadow_flush_range(struct domain *d, uint64_t root_gfn, uint64_t start, uint64_t end)
{
	struct shadow_root *root = shadow_root_lock(d, root_gfn);

	if (!root)
		return;
	shadow_resync(&root->half, start, end - 1);
	vcpu_current()->counters.flushes++;
	spin_unlock(&root->lock);
}

void shadow_flush_kernel(struct domain *d, uint64_t start, uint64_t last)
{
	struct shadow *s = &d->shadow;

	spin_lock(&s->kernel_lock);
	__atomic_fetch_add(&s->kernel_generation, 1, __ATOMIC_SEQ_CST);
	shadow_resync(&s->kernel_half, start, last);
	vcpu_current()->counters.flushes++;
	spin_unlock(&s->kernel_lock);
}
