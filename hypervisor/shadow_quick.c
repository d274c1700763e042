// SPDX-License-Identifier: BSD-2-Clause
/*
 * The quick way to fill a missing entry: without a walk, in a 2 MiB region that was filled lately.
 *
 * A region remembers both level-1 tables, and the guest's entries above with their values. While
 * those are unchanged a walk would come to the same level-1 table with the same rights, so the
 * quick way decides what the walk would. It only takes what is plainly allowed: everything else (A
 * or D to be set, a page of the other mode, memory that is not contiguous, an entry that is not
 * missing) is left to shadow_fill.c. And it refuses what is plainly not allowed: a write to a page that may
 * only be read, which after a fork is most faults.
 *
 * Locks: the half's. What is remembered goes when a table of the half is dropped or hidden from
 * users, and so whenever a frame leaves the domain, because then all tables are.
 */
#include "memory.h"
#include "shadow_table.h"
#include "vcpu.h"
#include "walk.h"

void shadow_quick_forget(struct shadow_half *half)
{
	for (unsigned i = 0; i < SHADOW_REGIONS; i++)
		half->region[i].number = SHADOW_REGION_NONE;
}

static struct shadow_region *region_of(struct shadow_half *half, uint64_t address)
{
	return &half->region[(address >> 21) % SHADOW_REGIONS];
}

static inline bool chunk_is_known(const struct shadow_region *region, uint64_t entry)
{
	return !((entry ^ region->chunk) & SHADOW_CHUNK_BITS);
}

/* Looks the chunk up; false: it is not all the domain's, or not contiguous. */
static __attribute__((noinline)) bool chunk_learn(const struct domain *d,
						  struct shadow_region *region, uint64_t entry)
{
	struct shadow_translation t = { 0 };

	if (!(entry & PTE_PRESENT) || shadow_translate_slow(d, &t, entry) == FRAME_NONE || !t.chunk)
		return false;
	region->chunk = t.chunk;
	region->delta = t.delta;
	return true;
}

/* Not where user mode is kept out of the slot: there each access decides what the slot holds. */
void shadow_quick_remember(struct shadow_half *half, uint64_t address, const struct walk *walk,
			   uint64_t *table)
{
	struct shadow_region *region = region_of(half, address);

	region->number = SHADOW_REGION_NONE;
	if (half->root && !half->user_table[pte_index(address, 4)])
		return;
	for (unsigned i = 0; i < 3; i++) {
		region->slot[i] = walk->slot[i];
		region->value[i] = walk->value[i];
	}
	region->guest = walk->leaf - pte_index(address, 1);
	region->table = table;
	region->used = shadow_used(table);
	region->allow = walk->upper | ~(PTE_WRITE | PTE_USER);
	region->deny = walk->upper & PTE_NO_EXECUTE;
	region->chunk = 0;
	chunk_learn(half->domain, region, walk->entry);
	region->number = address >> 21;
}

static inline bool region_is_current(const struct shadow_region *region, uint64_t address)
{
	return region->number == address >> 21 &&
	       __atomic_load_n(region->slot[0], __ATOMIC_RELAXED) == region->value[0] &&
	       __atomic_load_n(region->slot[1], __ATOMIC_RELAXED) == region->value[1] &&
	       __atomic_load_n(region->slot[2], __ATOMIC_RELAXED) == region->value[2];
}

uint64_t *shadow_quick_probe(struct shadow_half *half, uint64_t address, struct walk *walk)
{
	const struct shadow_region *region = region_of(half, address);

	if (!region_is_current(region, address))
		return NULL;
	walk->leaf = &region->guest[pte_index(address, 1)];
	walk->entry = __atomic_load_n(walk->leaf, __ATOMIC_RELAXED);
	walk->upper = (region->allow & (PTE_WRITE | PTE_USER)) | region->deny;
	walk->level = 1;
	return region->table;
}

/*
 * Bits that an effective entry must have; U must be as in `plain`. FAULT_WRITE is where W is, D is
 * 5 bits above.
 */
static inline uint64_t access_needs(uint64_t plain, uint32_t access)
{
	uint64_t write = access & FAULT_WRITE;

	return plain | write | write << 5;
}

_Static_assert(FAULT_WRITE == PTE_WRITE && FAULT_WRITE << 5 == PTE_DIRTY, "access_needs");

/* An effective entry has the rights of all levels. The chunk has been compared. */
static inline uint64_t leaf_of(const struct shadow_region *region, uint64_t entry)
{
	const struct shadow_rule rule = { .keep = PTE_PRESENT | PTE_WRITE | PTE_ACCESSED |
						  PTE_DIRTY | PTE_NO_EXECUTE,
					  .add = PTE_USER };

	return shadow_leaf(rule, (entry & PTE_ADDRESS) + region->delta, entry);
}

static inline uint64_t effective(const struct shadow_region *region, uint64_t entry)
{
	return (entry & region->allow) | region->deny;
}

/* The guest has an entry that could be filled, and it is not. */
static inline bool is_missing(const struct shadow_region *region, unsigned index, uint64_t plain)
{
	return !region->table[index] && (__atomic_load_n(&region->guest[index], __ATOMIC_RELAXED) &
					 SHADOW_PLAIN_BITS) == plain;
}

/* When nothing next to an entry is missing, the smallest window is not worth looking at. */
static inline bool is_alone(const struct shadow_region *region, unsigned index, uint64_t plain)
{
	return !(index && is_missing(region, index - 1, plain)) &&
	       !(index < PTE_ENTRIES - 1 && is_missing(region, index + 1, plain));
}

static inline unsigned fill_window(struct shadow_half *half, struct shadow_region *region,
				   uint64_t address, uint64_t plain)
{
	uint64_t *table = region->table;
	unsigned first, end, filled = 0;

	shadow_window_choose(&half->window, address, &first, &end);
	if (end - first <= SHADOW_WINDOW_MIN && is_alone(region, pte_index(address, 1), plain))
		return 0;
	*region->used |= shadow_groups(first, end);
	for (unsigned i = first; i < end; i++) {
		uint64_t entry = __atomic_load_n(&region->guest[i], __ATOMIC_RELAXED);

		if ((entry & SHADOW_PLAIN_BITS) != plain || table[i])
			continue;
		if (!chunk_is_known(region, entry) && !chunk_learn(half->domain, region, entry))
			continue;
		__atomic_store_n(&table[i], leaf_of(region, effective(region, entry)),
				 __ATOMIC_RELAXED);
		filled++;
	}
	return filled;
}

/* The entry is effective, and all that the access needs. Apart, so that a fault for the guest stays short. */
static __attribute__((noinline)) int fill(struct shadow_half *half, struct shadow_region *region,
					  uint64_t address, uint64_t entry,
					  struct rf_counters *counters)
{
	unsigned index = pte_index(address, 1);
	uint64_t *slot = &region->table[index];

	if (*slot)
		return QUICK_UNKNOWN;
	if (!chunk_is_known(region, entry) && !chunk_learn(half->domain, region, entry))
		return QUICK_UNKNOWN;
	*region->used |= 1ULL << index / SHADOW_GROUP;
	__atomic_store_n(slot, leaf_of(region, entry), __ATOMIC_RELAXED);
	counters->fills++;
	counters->window_fills += fill_window(half, region, address, shadow_plain(half));
	return FILL_OK;
}

/* Whatever else the walk would find or set, it finds this: rights come before A and D. */
static inline bool is_denied(uint64_t entry, uint32_t access, uint64_t plain)
{
	return (plain & PTE_USER) && (access & FAULT_WRITE) &&
	       (entry & (PTE_USER | PTE_WRITE)) == PTE_USER && !walk_entry_reserved(entry, 1);
}

static inline __attribute__((always_inline)) int quick(struct shadow_half *half, uint64_t address,
						       uint32_t access, uint64_t plain,
						       struct rf_counters *counters)
{
	struct shadow_region *region = region_of(half, address);
	uint64_t needed = access_needs(plain, access);
	uint64_t entry;

	if (!region_is_current(region, address))
		return QUICK_UNKNOWN;
	entry = __atomic_load_n(&region->guest[pte_index(address, 1)], __ATOMIC_RELAXED);
	if (!(entry & PTE_PRESENT))
		return FILL_FAULT;
	entry = effective(region, entry);
	if ((entry & (needed | PTE_USER)) != needed)
		return is_denied(entry, access, plain) ? QUICK_DENIED : QUICK_UNKNOWN;
	if ((access & FAULT_FETCH) && (entry & PTE_NO_EXECUTE))
		return QUICK_UNKNOWN;
	return fill(half, region, address, entry, counters);
}

int shadow_quick(struct shadow_half *half, uint64_t address, uint32_t access,
		 struct rf_counters *counters)
{
	return quick(half, address, access, shadow_plain(half), counters);
}

/*
 * The kernel does not execute in the user half, whatever the guest's entries say: shadow_fill.c
 * sees to that.
 */
int shadow_quick_user(struct vcpu *v, uint64_t address, uint32_t access)
{
	const uint64_t plain = PTE_PRESENT | PTE_ACCESSED | PTE_USER;
	struct shadow_root *root = v->root;
	int result;

	if (address >= USER_MAP_END || (access & (FAULT_USER | FAULT_FETCH)) == FAULT_FETCH)
		return QUICK_UNKNOWN;
	spin_lock(&root->lock);
	result = quick(&root->half, address, access, plain, &v->counters);
	if (result == QUICK_DENIED && (access & FAULT_USER))
		root->fresh = false;
	spin_unlock(&root->lock);
	if (result == FILL_OK || result == QUICK_DENIED)
		v->page->dropped = 0;
	return result;
}
