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

#include "index.h"
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
	union {
		struct {
			uint32_t references; /* 1 for its owner, 1 for every other holder */
			uint16_t owner; /* domain; FRAME_OWNER_NONE unless DOMAIN, SHADOW, LIMBO */
			uint8_t state;	/* enum frame_state */
			uint8_t order;	/* of the free block that starts here; see shadow_pool.c */
		};
		uint64_t word; /* the four at once, for compare-and-exchange */
	};
	uint64_t tag; /* SHADOW: which entries were used, see shadow_table.h; else FRAME_TAG_* */
};

/* tag of a frame that is FREE, or HYPERVISOR since boot */
#define FRAME_TAG_NONE	 0
#define FRAME_TAG_DIRTY	 1 /* free, to be zeroed when it is given out */
#define FRAME_TAG_MODULE 2 /* holds part of a boot module */
#define FRAME_TAG_LOW	 3 /* below 1 MiB: for the control domain */
#define FRAME_TAG_TAKEN	 4 /* will be the control domain's, once there is one */

#define FRAME_OWNER_NONE 0xffff

/*
 * How many of the 512 frames of each 2 MiB chunk belong to which one domain: lets 2 MiB shadows
 * be checked in O(1).
 */
struct frame_chunk {
	union {
		struct {
			uint16_t owner;
			uint16_t owned; /* 0: no frame of the chunk is any domain's */
		};
		uint32_t word;
	};
};

extern struct frame *frame_table;
extern struct frame_chunk *frame_chunks;
extern uint64_t frame_limit; /* first mfn after the table */
extern uint64_t frame_total; /* frames of RAM */

struct boot_info;

/*
 * Builds the table from the map. The allocator gets what is RAM, at or above 1 MiB, in no module,
 * and neither the image nor in early_alloc_ranges(), which it ends.
 */
void frame_init(const struct boot_info *boot);
/* The modules are not needed any more. */
void frame_free_modules(const struct boot_info *boot);

/*
 * 2^order contiguous frames, aligned to their size, zeroed, state HYPERVISOR, one reference.
 * FRAME_NONE: none left.
 */
uint64_t frame_alloc(unsigned order);
/* One specific frame; false when it is not free. */
bool frame_alloc_at(uint64_t mfn);
/*
 * The same, but with whatever is in it: at boot, for the control domain, before any other domain
 * had memory. Zeroing all of it would take seconds on a large machine.
 */
bool frame_claim_at(uint64_t mfn);
/* Frames that are HYPERVISOR or SHADOW. */
void frame_free(uint64_t mfn, unsigned order);
uint64_t frame_free_count(void);

/* Pages of zeroed memory for the hypervisor's own structures, by pointer; NULL: none left. */
void *frame_alloc_pointer(size_t bytes);
void frame_free_pointer(void *pointer, size_t bytes);
/* How many frames frame_alloc_pointer takes for so many bytes: a power of two. */
uint64_t frame_pointer_frames(size_t bytes);

/*
 * Ownership. Assign: HYPERVISOR frames become a domain's. Retire: they are its no more, and nobody
 * can get() them, but what holds them still may use them; false when the domain does not own the
 * frame. Put: one holder less, freed with the last. Release: retire, and put for the owner.
 */
void frame_assign(uint64_t mfn, unsigned order, uint16_t owner);
bool frame_retire(uint64_t mfn, uint16_t owner);
void frame_release(uint64_t mfn, uint16_t owner);
/* One more holder, only if `owner` owns it. */
bool frame_get(uint64_t mfn, uint16_t owner);
void frame_put(uint64_t mfn);
/* Puts each of 2^order retired frames, and keeps the block whole if nobody else holds one. */
void frame_put_block(uint64_t mfn, unsigned order);

/* NULL, or what is wrong with the free lists, the chunks, or the contents of free frames. */
const char *frame_audit(void);

static inline struct frame *frame_of(uint64_t mfn)
{
	return &frame_table[mfn];
}

static inline uint64_t frame_word(enum frame_state state, uint16_t owner, uint32_t references)
{
	return (uint64_t)state << 48 | (uint64_t)owner << 32 | references;
}

/* Without references and order. */
#define FRAME_WORD_OWNER 0x00ffffff00000000ULL

static inline bool frame_owned_by(uint64_t mfn, uint16_t owner)
{
	uint64_t word;

	if (mfn >= frame_limit)
		return false;
	word = __atomic_load_n(&frame_table[index_clamp(mfn, frame_limit)].word, __ATOMIC_RELAXED);
	return (word & FRAME_WORD_OWNER) == frame_word(FRAME_DOMAIN, owner, 0);
}

/* All 512 frames of the 2 MiB chunk that mfn lies in. */
static inline bool frame_chunk_owned_by(uint64_t mfn, uint16_t owner)
{
	const struct frame_chunk *chunk;

	if (mfn >= frame_limit)
		return false;
	chunk = &frame_chunks[index_clamp(mfn, frame_limit) >> FRAME_ORDER_2M];
	return __atomic_load_n(&chunk->word, __ATOMIC_RELAXED) ==
	       ((1U << (16 + FRAME_ORDER_2M)) | owner);
}

#endif
