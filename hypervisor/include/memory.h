/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain's memory: from guest frame numbers to machine frames (memory.c).
 *
 * The control domain's map is the identity: what it owns is what frame.h says it owns. Any
 * other domain has a table of 2 MiB slots, each either one contiguous chunk, or a table of 512
 * single frames, or empty.
 */
#ifndef HYPERVISOR_MEMORY_H
#define HYPERVISOR_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "arch.h"
#include "frame.h"
#include "index.h"
#include "spinlock.h"

struct domain;

struct memory {
	struct spinlock lock; /* for changes; readers are protected by quiesce.h */
	uint64_t *slots;      /* of 512 guest frames each: see below; NULL: identity */
	uint64_t slot_count;
	uint64_t frames; /* owned now */
	uint64_t frames_max;
	uint64_t generation; /* goes up when a frame leaves: guest_access.c's pointers die */
	uint64_t torn_down;  /* how far memory_teardown has come */
};

/*
 * A slot: the mfn of a chunk, or of a table of 512 words (mfn + 1, or 0), shifted by FRAME_SHIFT,
 * and one of these bits; or 0.
 */
#define MEMORY_SLOT_CHUNK 1ULL
#define MEMORY_SLOT_TABLE 2ULL

static inline uint64_t memory_find(const struct memory *m, uint16_t owner, uint64_t gfn)
{
	uint64_t index = gfn >> FRAME_ORDER_2M;
	uint64_t rest = gfn & ((1U << FRAME_ORDER_2M) - 1);
	uint64_t slot;
	const uint64_t *table;

	if (!m->slots)
		return frame_owned_by(gfn, owner) ? gfn : FRAME_NONE;
	if (index >= m->slot_count)
		return FRAME_NONE;
	slot = __atomic_load_n(&m->slots[index_clamp(index, m->slot_count)], __ATOMIC_ACQUIRE);
	if (slot & MEMORY_SLOT_CHUNK)
		return (slot >> FRAME_SHIFT) + rest;
	if (!slot)
		return FRAME_NONE;
	table = arch_frame_pointer(slot >> FRAME_SHIFT);
	return __atomic_load_n(&table[rest], __ATOMIC_ACQUIRE) - 1;
}

static inline uint64_t memory_find_2m(const struct memory *m, uint16_t owner, uint64_t gfn)
{
	uint64_t index = gfn >> FRAME_ORDER_2M;
	uint64_t slot;

	if (!m->slots)
		return frame_chunk_owned_by(gfn, owner) ? gfn : FRAME_NONE;
	if (index >= m->slot_count)
		return FRAME_NONE;
	slot = __atomic_load_n(&m->slots[index_clamp(index, m->slot_count)], __ATOMIC_ACQUIRE);
	return slot & MEMORY_SLOT_CHUNK ? slot >> FRAME_SHIFT : FRAME_NONE;
}

/*
 * memory_lookup() and memory_lookup_2m(), which take a domain, are in domain.h: the machine frame
 * of a guest frame, or of 512 contiguous ones at an aligned gfn; FRAME_NONE when there is none.
 */

/* A map for gfns 0 .. frames_max-1 (identity: no table). */
int memory_create(struct domain *d, uint64_t frames_max, bool identity);
/*
 * Allocates frames for [gfn, gfn+count), 2 MiB chunks where possible. All or nothing. Only for a
 * domain that has never run.
 */
int memory_fill(struct domain *d, uint64_t gfn, uint64_t count);
/*
 * Gives frames back; stops soon after `budget` of them were looked at; true when nothing is left.
 * Only for a domain that no longer runs.
 */
bool memory_teardown(struct domain *d, uint64_t budget);
void memory_destroy(struct domain *d);

/* One more holder of a frame of a domain that this CPU does not run, or FRAME_NONE. */
uint64_t memory_hold_other(struct domain *d, uint64_t gfn);

/* How much it may own; it keeps what it has. */
bool memory_limit_is_valid(const struct domain *d, uint64_t frames_max);
void memory_set_limit(struct domain *d, uint64_t frames_max);

int64_t do_memory_populate(uint64_t domain, uint64_t extents, uint64_t count);
int64_t do_memory_release(uint64_t domain, uint64_t extents, uint64_t count);

#endif
