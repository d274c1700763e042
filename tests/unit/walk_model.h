/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the architecture manual says a walk of 4-level page tables does, written a second time so
 * that walk.c can be compared with it: CR0.WP, NX and SMEP on, SMAP and protection keys off.
 *
 * It thinks in sets: each entry on the way leaves some of the six kinds of access allowed, and what
 * the whole way allows is what every entry does.
 */
#ifndef UNIT_WALK_MODEL_H
#define UNIT_WALK_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#define MODEL_KERNEL_READ  (1U << 0)
#define MODEL_KERNEL_WRITE (1U << 1)
#define MODEL_KERNEL_FETCH (1U << 2)
#define MODEL_USER_READ	   (1U << 3)
#define MODEL_USER_WRITE   (1U << 4)
#define MODEL_USER_FETCH   (1U << 5)
#define MODEL_ALL	   0x3fU

/* Where the model finds a table: a pointer to 512 words, or NULL where the guest has no memory. */
typedef uint64_t *(*model_table)(uint64_t gfn);

struct model {
	model_table table;
	unsigned physical_bits;
};

/* What stands at the end of a way, for no access in particular. */
struct model_way {
	bool present;	   /* else `error` says what any access gets */
	uint32_t error;	   /* the P and RSVD bits of the error code */
	unsigned allowed;  /* MODEL_* that the whole way allows, SMEP included */
	unsigned above;	   /* the same of the levels above the leaf alone, without SMEP */
	uint64_t gfn;	   /* of the 4 KiB page */
	unsigned level;	   /* of the leaf */
	unsigned slots;	   /* entries met */
	unsigned passed;   /* of these, used to find another table */
	uint64_t *slot[4]; /* in the order they are met */
};

static inline bool model_any_bit(uint64_t entry, unsigned low, unsigned high)
{
	for (unsigned bit = low; bit <= high; bit++)
		if (entry & (1ULL << bit))
			return true;
	return false;
}

/* The tables of "Formats of CR3 and Paging-Structure Entries with 4-Level Paging". */
static inline bool model_reserved(const struct model *m, uint64_t entry, unsigned level)
{
	bool page_size = entry & (1ULL << 7);

	if (m->physical_bits < 52 && model_any_bit(entry, m->physical_bits, 51))
		return true;
	switch (level) {
	case 4:
		return page_size;
	case 3:
		return page_size && model_any_bit(entry, 13, 29);
	case 2:
		return page_size && model_any_bit(entry, 13, 20);
	default:
		return false;
	}
}

static inline unsigned model_allows(uint64_t entry)
{
	unsigned set = MODEL_ALL;

	if (!(entry & (1ULL << 1)))
		set &= ~(MODEL_KERNEL_WRITE | MODEL_USER_WRITE);
	if (!(entry & (1ULL << 2)))
		set &= ~(MODEL_USER_READ | MODEL_USER_WRITE | MODEL_USER_FETCH);
	if (entry & (1ULL << 63))
		set &= ~(MODEL_KERNEL_FETCH | MODEL_USER_FETCH);
	return set;
}

static inline void model_step(const struct model *m, struct model_way *way, uint64_t gfn,
			      uint64_t address, unsigned level)
{
	uint64_t *table = m->table(gfn);
	unsigned shift = 3 + 9 * level;
	uint64_t entry;

	if (!table) {
		way->error = 1 | 8;
		return;
	}
	way->slot[way->slots] = &table[(address >> shift) % 512];
	entry = *way->slot[way->slots++];
	if (!(entry & 1))
		return;
	if (model_reserved(m, entry, level)) {
		way->error = 1 | 8;
		return;
	}
	way->above = way->allowed;
	way->allowed &= model_allows(entry);
	gfn = (entry << 12) >> 24;
	if (level > 1 && !(entry & (1ULL << 7))) {
		way->passed++;
		model_step(m, way, gfn, address, level - 1);
		return;
	}
	way->present = true;
	way->level = level;
	way->gfn = gfn - gfn % (1ULL << (shift - 12)) + ((address >> 12) % (1ULL << (shift - 12)));
	if (way->allowed & MODEL_USER_READ)
		way->allowed &= ~MODEL_KERNEL_FETCH;
}

static inline struct model_way model_find(const struct model *m, uint64_t root, uint64_t address)
{
	struct model_way way = { .allowed = MODEL_ALL, .above = MODEL_ALL };

	model_step(m, &way, root, address, 4);
	return way;
}

/* access as in an error code: bit 1 write, bit 2 user, bit 4 fetch. */
static inline unsigned model_kind(uint32_t access)
{
	unsigned kind = access & 0x10 ? MODEL_KERNEL_FETCH
			: access & 2  ? MODEL_KERNEL_WRITE
				      : MODEL_KERNEL_READ;

	return access & 4 ? kind << 3 : kind;
}

/*
 * One access: true when it is allowed, else *error is its error code. Sets A on every entry that
 * was used to find the next or the page, D where a page is written: in a copy of the guest's
 * memory, if m->table() gives one.
 */
static inline bool model_access(const struct model *m, uint64_t root, uint64_t address,
				uint32_t access, struct model_way *way, uint32_t *error)
{
	bool allowed;
	unsigned used;

	*way = model_find(m, root, address);
	allowed = way->present && (way->allowed & model_kind(access));
	used = allowed ? way->passed + 1 : way->passed;
	for (unsigned i = 0; i < used; i++)
		*way->slot[i] |= 1ULL << 5;
	if (allowed && (access & 2))
		*way->slot[used - 1] |= 1ULL << 6;
	*error = access | (way->present ? 1 : way->error);
	return allowed;
}

#endif
