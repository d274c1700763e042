/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside the shadows: what shadow.c, shadow_fill.c, shadow_flush.c, shadow_pool.c and
 * shadow_audit.c share. Nobody else includes this.
 *
 * A half is a tree of shadow tables under one level-4 table: a root's user half, or the domain's
 * kernel half. The level-4 tables that the CPU loads are the views. A user half hangs in the kernel
 * view of its root, with NX, and in the user view, but for slots below which a leaf is for the
 * kernel only: these the user view does not have.
 */
#ifndef HYPERVISOR_SHADOW_TABLE_H
#define HYPERVISOR_SHADOW_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "arch.h"
#include "domain.h"
#include "frame.h"
#include "list.h"
#include "pte.h"
#include "shadow.h"
#include "walk.h"
#include "abi/counters.h"

#define SLOT_USER_END	   256
#define SLOT_KERNEL_FIRST  (SLOT_HYPERVISOR_LAST + 1)

/* A leaf that user mode may not use; only in user halves. One of the bits hardware ignores. */
#define SHADOW_KERNEL_ONLY (1ULL << 9)

/*
 * A leaf of device memory. It has the guest's cache attributes, which leaves of RAM have not: RAM
 * is always write-back. No entry of a guest becomes this bit, so a flush looks closely at it.
 */
#define SHADOW_DEVICE	   (1ULL << 10)

/*
 * A leaf of a frame that another domain has granted: it may be writable only if the grant says so. As
 * above, a flush looks closely at it.
 */
#define SHADOW_GRANTED	   (1ULL << 11)

/* What an entry that points to a table looks like: everything is decided at the leaves. */
#define SHADOW_TABLE_BITS  (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED)

static inline uint64_t *shadow_table(uint64_t entry)
{
	return arch_frame_pointer((entry & PTE_ADDRESS) >> 12);
}

static inline uint64_t shadow_table_mfn(const uint64_t *table)
{
	return arch_pointer_frame(table);
}

/* An entry that points to a lower table, not a leaf. */
static inline bool shadow_entry_is_table(uint64_t entry, unsigned level)
{
	return level > 1 && (entry & PTE_PRESENT) && !(entry & PTE_LARGE);
}

/*
 * Which entries of a table may not be zero: a bit of its frame's tag for each group of 8. So what
 * flushes, drops and the pool do takes time for what a table holds, not for its size. Bits are set
 * when an entry is written, and cleared when the pool zeroes the table.
 */
#define SHADOW_GROUP 8

static inline uint64_t *shadow_used(const uint64_t *table)
{
	return &frame_of(arch_pointer_frame(table))->tag;
}

/* The groups of entries [first, end), which are not none. */
static inline uint64_t shadow_groups(unsigned first, unsigned end)
{
	return (~0ULL << first / SHADOW_GROUP) & (~0ULL >> (63 - (end - 1) / SHADOW_GROUP));
}

/* The next index that may hold an entry, from this one on; PTE_ENTRIES: there is none. */
static inline unsigned shadow_next(uint64_t used, unsigned index)
{
	uint64_t left = index < PTE_ENTRIES ? used >> index / SHADOW_GROUP : 0;

	if (left & 1)
		return index;
	if (!left)
		return PTE_ENTRIES;
	return (index / SHADOW_GROUP + (unsigned)__builtin_ctzll(left)) * SHADOW_GROUP;
}

/*
 * Writes an entry. Of a level-4 table, one half is written under another lock than the other: so
 * the bit is set atomically, where it is not set yet.
 */
static inline void shadow_write(uint64_t *slot, uint64_t entry)
{
	uint64_t group = 1ULL << ((uintptr_t)slot / sizeof(*slot) % PTE_ENTRIES / SHADOW_GROUP);
	uint64_t *used = shadow_used(slot);

	if (!(__atomic_load_n(used, __ATOMIC_RELAXED) & group))
		__atomic_fetch_or(used, group, __ATOMIC_RELAXED);
	__atomic_store_n(slot, entry, __ATOMIC_RELAXED);
}

/* Writes a level-4 slot of a half, in all views of its root. */
static inline void shadow_half_set_slot(const struct shadow_half *half, unsigned slot,
					uint64_t entry)
{
	uint64_t in_kernel_view = entry && half->root ? entry | PTE_NO_EXECUTE : entry;

	shadow_write(&half->table[slot], in_kernel_view);
	if (half->root)
		shadow_write(&half->user_table[slot], entry);
}

/*
 * A guest's entry as a leaf: (entry & keep) | add, with the frame translated and W only with D. So
 * a leaf has the guest's own A, D and NX bits, and a flush sees with one comparison that nothing
 * changed.
 */
struct shadow_rule {
	uint64_t keep;
	uint64_t add;
};

/* Leaves that flushes and fills look at again need all of these to be as the rule makes them. */
#define SHADOW_LEAF_BITS                                                                           \
	(PTE_ADDRESS | PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED | PTE_DIRTY |             \
	 PTE_NO_EXECUTE | SHADOW_DEVICE | SHADOW_GRANTED)

static inline struct shadow_rule shadow_rule(uint64_t upper)
{
	return (struct shadow_rule){
		.keep = PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY | PTE_NO_EXECUTE |
			(upper & PTE_WRITE),
		.add = PTE_USER | (upper & PTE_NO_EXECUTE),
	};
}

/* The entry is present and accessed; machine: what it maps. */
static inline uint64_t shadow_leaf(struct shadow_rule rule, uint64_t machine, uint64_t entry)
{
	uint64_t leaf = (entry & rule.keep) | rule.add | machine;

	/* W only with D, which is 5 bits above it. */
	return leaf & ((entry >> 5) | ~PTE_WRITE);
}

/* Where a leaf has the third bit of its cache attributes. */
static inline uint64_t shadow_pat_bit(unsigned level)
{
	return level > 1 ? PTE_PAT_LARGE : PTE_PAT;
}

/* All that a leaf of device memory has beside what the rule gives it. */
static inline uint64_t shadow_device_mask(unsigned level)
{
	return SHADOW_DEVICE | PTE_WRITE_THROUGH | PTE_CACHE_DISABLE | shadow_pat_bit(level);
}

/* What it has for an entry of the guest at another level, or the same. */
static inline uint64_t shadow_device_bits(uint64_t entry, unsigned guest_level, unsigned level)
{
	uint64_t bits = SHADOW_DEVICE | (entry & (PTE_WRITE_THROUGH | PTE_CACHE_DISABLE));

	return entry & shadow_pat_bit(guest_level) ? bits | shadow_pat_bit(level) : bits;
}

/* What a guest's entry is worth where the frame was granted for reading only. */
static inline uint64_t shadow_without_write(uint64_t entry, bool write)
{
	return write ? entry : entry & ~PTE_WRITE;
}

/* The place of a page (shadow.h): a half is a number below 2 * SHADOW_ROOTS. */
static inline uint64_t shadow_place(const struct shadow_half *half, uint64_t address)
{
	uint64_t root = half->root ? (uint64_t)(half->root - half->domain->shadow.roots) : 0;

	return (address & ~(FRAME_SIZE - 1)) | root << 1 | 1;
}

_Static_assert(2 * SHADOW_ROOTS <= FRAME_SIZE, "a place has a root and a page");

/* The machine frame of a leaf. */
static inline uint64_t shadow_leaf_mfn(uint64_t leaf, unsigned level)
{
	return (leaf & PTE_ADDRESS & ~(pte_span(level) - 1)) >> 12;
}

/*
 * What an entry must be to be filled without a closer look: present, accessed, for users in a user
 * half and not for them in the kernel half (where SMEP takes execution away; those are rare).
 */
#define SHADOW_PLAIN_BITS (PTE_PRESENT | PTE_ACCESSED | PTE_USER)

static inline uint64_t shadow_plain(const struct shadow_half *half)
{
	return PTE_PRESENT | PTE_ACCESSED | (half->root ? PTE_USER : 0);
}

/* The frames of one chunk are contiguous: what was found for one entry holds for its neighbours. */
struct shadow_translation {
	uint64_t chunk; /* an entry that maps to it; 0: none yet */
	uint64_t delta; /* from guest to machine address */
};

#define SHADOW_CHUNK_BITS ((PTE_ADDRESS & ~(pte_span(2) - 1)) | PTE_PRESENT)

/* shadow.c. The lock of the half is held by the caller of everything below. */
/* Every CPU that could have a translation of the half forgets it. */
void shadow_half_shootdown(const struct shadow_half *half);
/* Finds a root that has a shadow, and locks it; NULL: it has none. */
struct shadow_root *shadow_root_lock(struct domain *d, uint64_t gfn);
/* Makes room in the pool. No lock of the shadow is held. */
void shadow_reclaim(struct vcpu *v);
/* Takes level-4 slots [first, end) out of a half; their tables go on the list. */
void shadow_half_unlink(struct shadow_half *half, unsigned first, unsigned end,
			struct list_node *dropped);

/* shadow_pool.c: tables. Alloc: zeroed; NULL when that would leave fewer than `reserve` frames. */
int shadow_pool_create(struct domain *d, uint64_t frames);
/*
 * Gives back at most `budget` frames of a pool whose tables have all been dropped; true: none is
 * left.
 */
bool shadow_pool_shrink(struct domain *d, uint64_t budget);
uint64_t *shadow_pool_alloc(struct domain *d, uint64_t reserve);
/*
 * A table that no entry points to any more; level: of its entries. To be given back after the
 * shootdown.
 */
void shadow_pool_drop(struct list_node *dropped, uint64_t mfn, unsigned level);
/* Gives back what was dropped: O(1). What hangs below is found when the tables are used again. */
void shadow_pool_return(struct domain *d, struct list_node *dropped);

/* shadow_fill.c */
#define FILL_OK	       0
#define FILL_NO_MEMORY 1
#define FILL_FAULT     2 /* the guest's tables do not allow it */
/* Fills address and what is around it; *error as in shadow_fault. */
int shadow_fill(struct shadow_half *half, uint64_t address, uint32_t access, uint32_t *error);
/*
 * Fills what is present and accessed in a range, within one 2 MiB region. Returns entries filled,
 * or -ENOMEM.
 */
int shadow_fill_range(struct shadow_half *half, uint64_t start, uint64_t end);
/* What `prefill` of the vCPU page names. The half is not locked. */
void shadow_prefill_asked(struct vcpu *v);

/* The machine address that a present level-1 entry maps, FRAME_NONE: the domain has nothing there. */
uint64_t shadow_translate_slow(const struct domain *d, struct shadow_translation *t,
			       uint64_t entry);
static inline uint64_t shadow_translate(const struct domain *d, struct shadow_translation *t,
					uint64_t entry)
{
	if (__builtin_expect(((entry ^ t->chunk) & SHADOW_CHUNK_BITS) != 0, 0))
		return shadow_translate_slow(d, t, entry);
	return (entry & PTE_ADDRESS) + t->delta;
}

/*
 * Indices [*first, *end) to look at around an entry: wider after each fault that follows the last
 * window. The first one has its entry in the middle, so that which neighbours it brings is not a
 * matter of how a program happens to lie in memory.
 */
static inline void shadow_window_choose(struct shadow_window *window, uint64_t address,
					unsigned *first, unsigned *end)
{
	uint64_t page = address >> 12;
	unsigned index = page % PTE_ENTRIES;

	if (page == window->next && window->size) {
		window->size = window->size >= PTE_ENTRIES / 4 ? PTE_ENTRIES : window->size * 4;
		*first = index & ~(window->size - 1);
	} else {
		window->size = SHADOW_WINDOW_MIN;
		*first = index < SHADOW_WINDOW_MIN / 2 ? 0 : index - SHADOW_WINDOW_MIN / 2;
	}
	*end = *first + window->size < PTE_ENTRIES ? *first + window->size : PTE_ENTRIES;
	window->next = page - index + *end;
	if (window->next == USER_HALF_END >> 12)
		*end = PTE_ENTRIES - 1;
}

/*
 * shadow_quick.c: FILL_OK, FILL_FAULT when the entry is not present, QUICK_DENIED when it is and must not
 * be written (in a user half), or QUICK_UNKNOWN: nothing is known, nothing was done.
 */
#define QUICK_UNKNOWN 3
#define QUICK_DENIED  4
int shadow_quick(struct shadow_half *half, uint64_t address, uint32_t access,
		 struct rf_counters *counters);
/* The same for a fault in the user half, which need not be locked. */
int shadow_quick_user(struct vcpu *v, uint64_t address, uint32_t access);
/*
 * As walk_probe, for an address whose level-1 table is remembered: the shadow's level-1 table, NULL
 * if it is not.
 */
uint64_t *shadow_quick_probe(struct shadow_half *half, uint64_t address, struct walk *walk);
/* The address was walked to, with a leaf of level 1, and filled in this level-1 table. */
void shadow_quick_remember(struct shadow_half *half, uint64_t address, const struct walk *walk,
			   uint64_t *table);
/* A table of the half is dropped, or a frame leaves the domain. */
void shadow_quick_forget(struct shadow_half *half);

/*
 * shadow_flush.c: reads the guest's entries in [start, last] again; tightens, drops, and shoots
 * down.
 */
void shadow_resync(struct shadow_half *half, uint64_t start, uint64_t last);
/*
 * The guest gets a fault for having written a page of the root's user half that it may only read: the page is dropped,
 * and the vCPU page says so, if that concerns no other CPU. The half is not locked.
 */
void shadow_drop_page(struct vcpu *v, uint64_t address);

#endif
