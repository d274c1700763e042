/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grants for fuzz_hypercall.c: what the guest's operations and entries look like, and the victim,
 * which grants it a few frames and maps what it is granted.
 */
#ifndef FUZZ_GRANT_H
#define FUZZ_GRANT_H

#include <stdint.h>
#include <string.h>

#include "cpu.h"
#include "domain.h"
#include "frame.h"
#include "grant.h"
#include "grant_map.h"
#include "pte.h"
#include "vcpu.h"
#include "abi/grant.h"

#define VICTIM_FRAMES	  64
/* Guest frames of the victim, above its memory: a page of entries, tables, operations. */
#define VICTIM_GRANTS	  (VICTIM_FRAMES + 1)
#define VICTIM_TABLES	  (VICTIM_FRAMES + 2)
#define VICTIM_OPERATIONS (VICTIM_FRAMES + 6)
#define VICTIM_ALL	  (VICTIM_FRAMES + 7)
#define VICTIM_PLACE	  512 /* where it maps what it is granted */
#define VICTIM_MAPPINGS	  8

/* What it grants to the guest. */
#define SHARED_READABLE	  4  /* frames: entry 0, and 1 which has more of them */
#define SHARED_WRITABLE	  8  /* and 2 frames from there on: entry 2 */
#define GUEST_GRANTS	  34 /* gfn of the guest's own entries */

/* Of fuzz_hypercall.c. */
uint64_t take(unsigned bytes);
uint64_t take_below(uint64_t limit);
uint64_t take_gfn(void);
uint64_t take_boundary(void);
void check(bool good, const char *what);

static inline uint64_t grant_word(uint16_t domain, uint64_t gfn, uint64_t count, uint64_t flags)
{
	return (uint64_t)domain << RF_GRANT_DOMAIN_SHIFT | gfn << FRAME_SHIFT |
	       (count - 1) << RF_GRANT_COUNT_SHIFT | flags | RF_GRANT_VALID;
}

/* --- What the guest says --- */

static inline uint32_t take_granter(const struct domain *victim)
{
	uint8_t form = (uint8_t)take(1);

	if (form < 8)
		return (uint32_t)take_boundary();
	return form < 16 ? RF_DOMAIN_SELF : victim->id;
}

static inline uint32_t take_few(uint64_t limit)
{
	return take(1) < 4 ? (uint32_t)take_boundary() : (uint32_t)take_below(limit);
}

static inline void put_grant_maps(struct rf_grant_map *op, unsigned count, const struct domain *d,
				  const struct domain *victim)
{
	for (; count > 0; count--, op++) {
		uint8_t form = (uint8_t)take(1);

		*op = (struct rf_grant_map){ .domain = take_granter(victim),
					     .grant = take_few(3),
					     .count = 1,
					     .flags = form & RF_GRANT_MAP_WRITE,
					     .handle = form == 255 };
		if (form & 2)
			op->first = take_few(3);
		if (form & 4)
			op->count = take_few(4);
		if (form >= 250)
			op->flags = take_few(8);
		if (!d->control)
			op->gfn = form & 8 ? take_gfn() : 1024 + take_below(8);
	}
}

static inline void put_grant_unmaps(struct rf_grant_unmap *op, unsigned count)
{
	for (; count > 0; count--, op++)
		*op = (struct rf_grant_unmap){ .handle = take_few(4), .reserved = take(1) == 255 };
}

static inline struct rf_grant_place take_place(const struct domain *victim)
{
	if (take(1) & 1)
		return (struct rf_grant_place){ .domain = RF_DOMAIN_SELF,
						.address = take_gfn() << FRAME_SHIFT | take(1) };
	return (struct rf_grant_place){ .domain = take_granter(victim),
					.grant = take_few(5),
					.address = take_below(4) << FRAME_SHIFT | take(1) };
}

static inline void put_grant_copies(struct rf_grant_copy *op, unsigned count,
				    const struct domain *victim)
{
	for (; count > 0; count--, op++) {
		op->from = take_place(victim);
		op->to = take_place(victim);
		op->bytes = take_few(4096);
		op->reserved = take(1) == 255;
	}
}

/* What the guest writes where its table of grants is, or was. */
static inline void write_grant(void *page, const struct domain *victim)
{
	struct rf_grant_entry *entry = (struct rf_grant_entry *)page + take_below(6);
	uint8_t form = (uint8_t)take(1);

	if (form < 64)
		entry->grant = 0;
	else if (form < 72)
		entry->grant = take(8);
	else
		entry->grant = grant_word(victim->id, take_gfn(), 1 + take_below(3),
					  take(1) & RF_GRANT_WRITE);
	if (form == 255)
		entry->in_use = take(8);
}

/* --- The victim --- */

static inline void *victim_frame(struct domain *victim, uint64_t gfn)
{
	return arch_frame_pointer(memory_lookup(victim, gfn));
}

/* Page i is guest frame i. */
static inline void victim_tables(struct domain *victim)
{
	const uint64_t bits = PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED | PTE_DIRTY;
	uint64_t *level1 = victim_frame(victim, VICTIM_TABLES + 3);

	for (uint64_t i = 0; i < 3; i++)
		*(uint64_t *)victim_frame(victim, VICTIM_TABLES + i) =
			(VICTIM_TABLES + i + 1) << FRAME_SHIFT | bits;
	for (uint64_t i = 0; i < VICTIM_ALL; i++)
		level1[i] = i << FRAME_SHIFT | bits;
	victim->vcpus[0]->root_gfn = VICTIM_TABLES;
}

static inline void victim_grants(struct domain *victim, uint16_t guest)
{
	struct rf_grant_entry *entries = victim_frame(victim, VICTIM_GRANTS);

	entries[0].grant = grant_word(guest, SHARED_READABLE, 1, 0);
	entries[1].grant = grant_word(guest, SHARED_READABLE, 3, 0);
	entries[2].grant = grant_word(guest, SHARED_WRITABLE, 2, RF_GRANT_WRITE);
	entries[3].grant = grant_word(guest + 1, SHARED_READABLE, 3, RF_GRANT_WRITE);
	entries[4].grant = grant_word(guest, VICTIM_ALL - 1, 3, RF_GRANT_WRITE) & ~RF_GRANT_VALID;
}

static inline int64_t victim_call(struct domain *victim, const void *op, uint64_t size,
				  int64_t (*call)(uint64_t operations, uint64_t count))
{
	struct vcpu *running = this_cpu()->current;
	int64_t result;

	memcpy(victim_frame(victim, VICTIM_OPERATIONS), op, size);
	this_cpu()->current = victim->vcpus[0];
	result = call(VICTIM_OPERATIONS << FRAME_SHIFT, 1);
	this_cpu()->current = running;
	return result;
}

static inline void victim_unmaps(struct domain *victim, uint32_t handle)
{
	struct rf_grant_unmap op = { .handle = handle };

	victim_call(victim, &op, sizeof(op), do_grant_unmap);
}

/* It maps, copies from, or unmaps what the guest grants it at the moment; it never copies to it. */
static inline void victim_acts(struct domain *victim, const struct domain *guest)
{
	struct rf_grant_map map = { .domain = guest->id,
				    .grant = (uint32_t)take_below(6),
				    .count = 1,
				    .gfn = VICTIM_PLACE + take_below(VICTIM_MAPPINGS),
				    .flags = take(1) & RF_GRANT_MAP_WRITE };

	if (take(1) & 1)
		victim_unmaps(victim, (uint32_t)take_below(VICTIM_MAPPINGS));
	else
		victim_call(victim, &map, sizeof(map), do_grant_map);
}

static inline void victim_unmaps_all(struct domain *victim)
{
	for (uint32_t handle = 0; handle < victim->grant_map.mapping_used; handle++)
		victim_unmaps(victim, handle);
}

static inline bool is_shared(uint64_t gfn)
{
	return gfn == SHARED_WRITABLE || gfn == SHARED_WRITABLE + 1;
}

static inline void check_victim_grants(struct domain *victim)
{
	const struct rf_grant_entry *entries = victim_frame(victim, VICTIM_GRANTS);

	for (unsigned i = 0; i < RF_GRANT_PAGE_ENTRIES; i++) {
		check(!entries[i].in_use, "a grant of the victim is in use after all");
		check(i < 5 || !entries[i].grant, "the victim's table has changed");
	}
}

/* Granted for as much as the leaf lets it do. */
static inline bool may_reach(const struct domain *d, const struct domain *victim, uint64_t leaf,
			     uint64_t mfn)
{
	if (frame_owned_by(mfn, d->id))
		return true;
	for (uint64_t gfn = SHARED_READABLE; gfn < SHARED_READABLE + 3; gfn++)
		if (memory_lookup(victim, gfn) == mfn)
			return !(leaf & PTE_WRITE);
	for (uint64_t gfn = SHARED_WRITABLE; gfn < SHARED_WRITABLE + 2; gfn++)
		if (memory_lookup(victim, gfn) == mfn)
			return true;
	return false;
}

#endif
