/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of machine memory: who owns each, how many hold it, and a buddy allocator for the free
 * ones (frame.c).
 *
 * Every frame of RAM below frame_limit has a struct frame. Free frames hold zeroes (in debug
 * builds a poison pattern that is checked when the frame is given out): what one owner wrote,
 * the next never reads.
 */
#ifndef HYPERVISOR_FRAME_H
#define HYPERVISOR_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "list.h"

#define FRAME_SHIFT	12
#define FRAME_SIZE	4096ULL
#define FRAME_ORDER_2M	9
#define FRAME_ORDER_MAX 18 /* 1 GiB */
#define FRAME_NONE	(~0ULL)

enum frame_state {
	FRAME_INVALID, /* no RAM, or not ours to touch: firmware, devices */
	FRAME_FREE,
	FRAME_HYPERVISOR,
	FRAME_DOMAIN, /* memory of a domain */
	FRAME_SHADOW, /* in a domain's shadow pool */
	FRAME_LIMBO,  /* given back by its domain, but still held */
};

struct frame {
	struct list_node link; /* free list, or the list of its shadow pool */
	uint32_t references;   /* 1 for its owner, 1 for every other holder */
	uint16_t owner;	       /* domain number; FRAME_OWNER_NONE unless DOMAIN, SHADOW or LIMBO */
	uint8_t state;	       /* enum frame_state */
	uint8_t order;	       /* of the free block that starts here */
	uint64_t tag;	       /* SHADOW: level of the table, see shadow_pool.c */
};

#define FRAME_OWNER_NONE 0xffff

/*
 * How many of the 512 frames of each 2 MiB chunk belong to which one domain: lets 2 MiB shadows
 * be checked in O(1).
 */
struct frame_chunk {
	uint16_t owner;
	uint16_t owned;
};

extern struct frame *frame_table;
extern struct frame_chunk *frame_chunks;
extern uint64_t frame_limit; /* first mfn after the table */

struct boot_info;

/*
 * Builds the table from the map; `reserved` ranges are kept from the allocator (image, modules,
 * table itself).
 */
void frame_init(const struct boot_info *boot);

/*
 * 2^order contiguous frames, aligned to their size, zeroed, state HYPERVISOR, one reference.
 * FRAME_NONE: none left.
 */
uint64_t frame_alloc(unsigned order);
/* One specific frame; false when it is not free. */
bool frame_alloc_at(uint64_t mfn);
void frame_free(uint64_t mfn, unsigned order);
uint64_t frame_free_count(void);

/* Pages of zeroed memory for the hypervisor's own structures, by pointer; NULL: none left. */
void *frame_alloc_pointer(size_t bytes);
void frame_free_pointer(void *pointer, size_t bytes);

/*
 * Ownership. Assign: HYPERVISOR frames become a domain's. Release: drops the owner's reference;
 * freed with the last.
 */
void frame_assign(uint64_t mfn, unsigned order, uint16_t owner);
void frame_release(uint64_t mfn, uint16_t owner);
/* One more holder, only if `owner` owns it. */
bool frame_get(uint64_t mfn, uint16_t owner);
void frame_put(uint64_t mfn);

static inline struct frame *frame_of(uint64_t mfn)
{
	return &frame_table[mfn];
}

static inline bool frame_owned_by(uint64_t mfn, uint16_t owner)
{
	return mfn < frame_limit && frame_table[mfn].state == FRAME_DOMAIN &&
	       frame_table[mfn].owner == owner;
}

/* All 512 frames of the 2 MiB chunk that mfn lies in. */
static inline bool frame_chunk_owned_by(uint64_t mfn, uint16_t owner)
{
	const struct frame_chunk *chunk = &frame_chunks[mfn >> FRAME_ORDER_2M];

	return mfn < frame_limit && chunk->owned == 1U << FRAME_ORDER_2M && chunk->owner == owner;
}

#endif
