/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grants from the side of who maps them: where a domain sees frames of others (grant_map.c).
 *
 * A table for each 2 MiB of guest frame numbers that were ever used for it has a word for each: the
 * machine frame, and how many mappings let the domain read and write it. Tables stay until the
 * domain ends, so the words are read without a lock. Beside each word is where the shadows have it
 * (shadow_place): the one place, or SHADOW_PLACE_MANY; so that unmapping drops that and nothing else.
 */
#ifndef HYPERVISOR_GRANT_MAP_H
#define HYPERVISOR_GRANT_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch.h"
#include "frame.h"
#include "index.h"
#include "spinlock.h"

struct domain;

struct grant_mapping {
	uint64_t serial; /* of the granter */
	uint64_t gfn;	 /* of the first frame */
	uint32_t grant;
	uint32_t next;	  /* of those that are free, or being unmapped */
	uint16_t granter; /* its number */
	uint16_t count;	  /* frames */
	uint8_t state;	  /* enum grant_state */
	bool write;
};

enum grant_state {
	GRANT_FREE,
	GRANT_BUSY, /* being mapped or unmapped */
	GRANT_MAPPED,
};

struct grant_map {
	struct spinlock lock; /* which mappings are free; the words are under memory.lock */
	struct grant_mapping *mappings; /* NULL: none was ever made */
	uint32_t mapping_max;
	uint32_t mapping_used; /* those from here on never were */
	uint32_t mapping_free; /* list */
	uint32_t torn_down;    /* how far grant_map_teardown has come */
	uint64_t **tables;     /* of 512 words, and their places; NULL: none was ever made */
	uint64_t table_slots;
	uint64_t table_count;
};

#define GRANT_TABLES_MAX     256 /* of a domain that is not the control domain */
#define GRANT_MAPPINGS_MAX   (8 * RF_GRANT_MAPPINGS)

/* A word: mfn << 32 | mappings that may write << 16 | mappings that may only read. */
#define GRANT_WORD_READER    1ULL
#define GRANT_WORD_WRITER    (1ULL << 16)
#define GRANT_WORD_READERS   0xffffULL
#define GRANT_WORD_WRITERS   (0xffffULL << 16)
#define GRANT_WORD_MFN_SHIFT 32

/* The word of a guest frame number, or NULL: none of its 2 MiB ever had a grant. */
static inline uint64_t *grant_map_word(const struct grant_map *m, uint64_t gfn)
{
	uint64_t **tables = __atomic_load_n(&m->tables, __ATOMIC_ACQUIRE);
	uint64_t index = gfn >> FRAME_ORDER_2M;
	uint64_t *table;

	if (!tables || index >= m->table_slots)
		return NULL;
	table = __atomic_load_n(&tables[index_clamp(index, m->table_slots)], __ATOMIC_ACQUIRE);
	return table ? &table[gfn % (1ULL << FRAME_ORDER_2M)] : NULL;
}

/* Where the shadows have what a word says. */
static inline uint64_t *grant_map_place(uint64_t *word)
{
	return word + (1ULL << FRAME_ORDER_2M);
}

/* The machine frame that a granted frame is, and whether it may be written; FRAME_NONE: none. */
static inline uint64_t grant_map_find(const struct grant_map *m, uint64_t gfn, bool *write)
{
	const uint64_t *at = grant_map_word(m, gfn);
	uint64_t word = at ? __atomic_load_n(at, __ATOMIC_ACQUIRE) : 0;

	*write = word & GRANT_WORD_WRITERS;
	return word & (GRANT_WORD_WRITERS | GRANT_WORD_READERS) ? word >> GRANT_WORD_MFN_SHIFT
								: FRAME_NONE;
}

/*
 * The same for who fills a shadow at a place, with the lock of its half. It is noted first: either
 * who unmaps reads the place, or the word that is read after it says that there is nothing.
 */
uint64_t grant_map_fill(const struct grant_map *m, uint64_t gfn, uint64_t place, bool *write);

/* Something is mapped among 2^order aligned guest frame numbers; with memory.lock. */
bool grant_map_overlaps(const struct grant_map *m, uint64_t gfn, unsigned order);

/*
 * Unmaps what the domain has mapped, some of it at a time; true when nothing is left. Only for a
 * domain that no longer runs, and has no shadows any more.
 */
bool grant_map_teardown(struct domain *d, uint64_t budget);
void grant_map_destroy(struct domain *d);

int64_t do_grant_map(uint64_t operations, uint64_t count);
int64_t do_grant_unmap(uint64_t operations, uint64_t count);

#endif
