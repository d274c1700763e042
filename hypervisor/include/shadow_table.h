/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside the shadows: what shadow.c, shadow_fill.c, shadow_flush.c, shadow_pool.c and shadow_audit.c share. Nobody else
 * includes this.
 *
 * A half is a tree of shadow tables under one level-4 table: a root's user half, or the domain's kernel half. The level-4
 * tables that the CPU loads are the views. A user half hangs in the kernel view of its root, with NX, and in the user view, but
 * for slots below which a leaf is for the kernel only: these the user view does not have.
 */
#ifndef HYPERVISOR_SHADOW_TABLE_H
#define HYPERVISOR_SHADOW_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "arch.h"
#include "domain.h"
#include "list.h"
#include "pte.h"
#include "shadow.h"

#define SLOT_USER_END	   256
#define SLOT_KERNEL_FIRST  (SLOT_HYPERVISOR_LAST + 1)

/* A leaf that user mode may not use; only in user halves. One of the bits hardware ignores. */
#define SHADOW_KERNEL_ONLY (1ULL << 9)

/* What an entry that points to a table looks like: everything is decided at the leaves. */
#define SHADOW_TABLE_BITS  (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED)

struct shadow_half {
	struct domain *domain;
	struct shadow_root *root; /* NULL: the kernel half */
	uint64_t guest_root;	  /* gfn of the guest's level-4 table */
	uint64_t *table;	  /* level 4: the kernel view's, or the master of the kernel half */
	uint64_t *user_table;	  /* the user view's level 4 for a user half, else NULL */
	struct shadow_window *window;
};

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

/* Writes a level-4 slot of a half, in all views of its root. */
static inline void shadow_half_set_slot(const struct shadow_half *half, unsigned slot,
					uint64_t entry)
{
	uint64_t in_kernel_view = entry && half->root ? entry | PTE_NO_EXECUTE : entry;

	__atomic_store_n(&half->table[slot], in_kernel_view, __ATOMIC_RELAXED);
	if (half->root)
		__atomic_store_n(&half->user_table[slot], entry, __ATOMIC_RELAXED);
}

/* shadow.c: the halves. The lock of the half is held by the caller of everything below. */
void shadow_half_user(struct domain *d, struct shadow_root *root, struct shadow_half *half);
void shadow_half_kernel(struct domain *d, struct shadow_half *half);
/* Every CPU that could have a translation of the half forgets it. */
void shadow_half_shootdown(const struct shadow_half *half);
/* Finds a root that has a shadow, and locks it; NULL: it has none. */
struct shadow_root *shadow_root_lock(struct domain *d, uint64_t gfn);
/* Makes room in the pool. No lock of the shadow is held. */
void shadow_reclaim(struct vcpu *v);
/* Takes level-4 slots [first, end) out of a half; their tables go on the list. */
void shadow_half_unlink(const struct shadow_half *half, unsigned first, unsigned end,
			struct list_node *dropped);

/* shadow_pool.c: tables. Alloc: zeroed; NULL when that would leave fewer than `reserve` frames. */
int shadow_pool_create(struct domain *d, uint64_t frames);
void shadow_pool_destroy(struct domain *d);
uint64_t *shadow_pool_alloc(struct domain *d, uint64_t reserve);
/* A table that no entry points to any more; level: of its entries. To be given back after the shootdown. */
void shadow_pool_drop(struct list_node *dropped, uint64_t mfn, unsigned level);
/* Gives back what was dropped: O(1). What hangs below is found when the tables are used again. */
void shadow_pool_return(struct domain *d, struct list_node *dropped);

/* shadow_fill.c */
#define FILL_OK	       0
#define FILL_NO_MEMORY 1
#define FILL_FAULT     2 /* the guest's tables do not allow it */
/* Fills address and what is around it; *error as in shadow_fault. */
int shadow_fill(const struct shadow_half *half, uint64_t address, uint32_t access, uint32_t *error);
/* Fills what is present and accessed in a range, within one 2 MiB region. Returns entries filled, or -ENOMEM. */
int shadow_fill_range(const struct shadow_half *half, uint64_t start, uint64_t end);

/* shadow_flush.c: reads the guest's entries in [start, last] again; tightens, drops, and shoots down. */
void shadow_resync(const struct shadow_half *half, uint64_t start, uint64_t last);

#endif
