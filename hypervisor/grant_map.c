// SPDX-License-Identifier: BSD-2-Clause
/*
 * Grants from the side of who maps them: mappings, and the words that the shadows are filled from.
 *
 * Interface: grant_map.h, abi/grant.h.
 * Locks: grant_map.lock covers which mappings are free, and their states; memory.lock of the domain
 * the words, together with what else is at those guest frame numbers. A mapping that is BUSY belongs
 * to the CPU that made it so. Readers of words take no lock, but hold the half that they fill: so
 * once a word is cleared and its place was dropped, no translation is left or made.
 * Odd: unmapping takes the words back and drops their places first, tells the CPUs once for the whole
 * batch, and only then gives up frames and entries. Meanwhile a word keeps its frame, and counts
 * nobody. Its place is forgotten last, when whoever had read it has left the half: dropping it, or
 * all, took the half's lock.
 * A mapping that fails half-way is unmapped in the same way: others may have used it already.
 */
#include "grant_map.h"

#include "assert.h"
#include "domain.h"
#include "grant.h"
#include "guest_access.h"
#include "shadow.h"
#include "vcpu.h"
#include "abi/errno.h"

#define TABLE_WORDS (1ULL << FRAME_ORDER_2M)
#define TABLE_SIZE  (2 * FRAME_SIZE) /* words, then places */
#define NOBODY	    UINT32_MAX	     /* the end of a list of mappings */

_Static_assert(GRANT_MAPPINGS_MAX <= GRANT_WORD_READERS, "a word counts all mappings");

/* --- Room --- */

static uint32_t mapping_limit(const struct domain *d)
{
	return d->control ? GRANT_MAPPINGS_MAX : RF_GRANT_MAPPINGS;
}

/* Guest frame numbers that grants may have, in tables. */
static uint64_t slot_limit(const struct domain *d)
{
	if (d->control)
		return (frame_limit + TABLE_WORDS - 1) >> FRAME_ORDER_2M;
	return d->memory.slot_count + (RF_GRANT_WINDOW >> FRAME_ORDER_2M);
}

/* With the lock: most domains never map anything, so they get the room for it only now. */
static int make_room(struct domain *d)
{
	struct grant_map *m = &d->grant_map;
	uint64_t **tables;

	if (m->mappings)
		return 0;
	m->mapping_max = mapping_limit(d);
	m->mapping_free = NOBODY;
	m->table_slots = slot_limit(d);
	tables = frame_alloc_pointer(m->table_slots * sizeof(*tables));
	if (!tables)
		return -ENOMEM;
	m->mappings = frame_alloc_pointer(m->mapping_max * sizeof(*m->mappings));
	if (!m->mappings) {
		frame_free_pointer(tables, m->table_slots * sizeof(*tables));
		return -ENOMEM;
	}
	__atomic_store_n(&m->tables, tables, __ATOMIC_RELEASE);
	return 0;
}

/* With memory.lock. */
static int make_table(struct domain *d, uint64_t gfn)
{
	struct grant_map *m = &d->grant_map;
	uint64_t **slot = &m->tables[index_clamp(gfn >> FRAME_ORDER_2M, m->table_slots)];
	uint64_t *table;

	if (*slot)
		return 0;
	if (!d->control && m->table_count == GRANT_TABLES_MAX)
		return -ENOSPC;
	table = frame_alloc_pointer(TABLE_SIZE);
	if (!table)
		return -ENOMEM;
	m->table_count++;
	__atomic_store_n(slot, table, __ATOMIC_RELEASE);
	return 0;
}

/* --- Words: all with memory.lock --- */

/* How many words of a table are not zero is in its frame's tag. */
static uint64_t *table_uses(const uint64_t *word)
{
	return &frame_of(arch_pointer_frame(word))->tag;
}

static void word_set(uint64_t *word, uint64_t value)
{
	*table_uses(word) += (uint64_t)(value != 0) - (uint64_t)(*word != 0);
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

bool grant_map_overlaps(const struct grant_map *m, uint64_t gfn, unsigned order)
{
	const uint64_t *word = grant_map_word(m, gfn);

	if (!word)
		return false;
	return order == FRAME_ORDER_2M ? *table_uses(word) != 0 : *word != 0;
}

static uint64_t word_unit(const struct grant_mapping *mapping)
{
	return mapping->write ? GRANT_WORD_WRITER : GRANT_WORD_READER;
}

/* Where guest frames are machine frames, several mappings may be of one frame. */
static int link_locked(struct domain *d, const struct grant_mapping *mapping, uint64_t gfn,
		       uint64_t mfn)
{
	int error = make_table(d, gfn);
	uint64_t *word;

	if (error)
		return error;
	word = grant_map_word(&d->grant_map, gfn);
	if (!d->control && (*word || memory_lookup(d, gfn) != FRAME_NONE))
		return -EEXIST;
	word_set(word, (mfn << GRANT_WORD_MFN_SHIFT | (uint32_t)*word) + word_unit(mapping));
	return 0;
}

static int link(struct domain *d, const struct grant_mapping *mapping, uint64_t gfn, uint64_t mfn)
{
	int error;

	spin_lock(&d->memory.lock);
	error = link_locked(d, mapping, gfn, mfn);
	spin_unlock(&d->memory.lock);
	return error;
}

/* From now on a frame is not filled by this mapping. Where it was. */
static uint64_t withdraw(struct domain *d, const struct grant_mapping *mapping, uint64_t gfn)
{
	uint64_t *word, place;

	spin_lock(&d->memory.lock);
	word = grant_map_word(&d->grant_map, gfn);
	word_set(word, *word - word_unit(mapping));
	arch_memory_barrier();
	place = __atomic_load_n(grant_map_place(word), __ATOMIC_RELAXED);
	spin_unlock(&d->memory.lock);
	return place;
}

/* No shadow has it any more either: the frame, and the place is free if nobody else has it. */
static uint64_t unlink(struct domain *d, uint64_t gfn)
{
	uint64_t *word, mfn;

	spin_lock(&d->memory.lock);
	word = grant_map_word(&d->grant_map, gfn);
	mfn = d->control ? gfn : *word >> GRANT_WORD_MFN_SHIFT;
	if (!(uint32_t)*word) {
		word_set(word, 0);
		__atomic_store_n(grant_map_place(word), SHADOW_PLACE_NONE, __ATOMIC_RELAXED);
	}
	spin_unlock(&d->memory.lock);
	return mfn;
}

/* Another place than the one that is known, or the first. */
static void note_place(uint64_t *at, uint64_t place)
{
	uint64_t known = SHADOW_PLACE_NONE;

	if (!__atomic_compare_exchange_n(at, &known, place, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST) &&
	    known != place && known != SHADOW_PLACE_MANY)
		__atomic_store_n(at, SHADOW_PLACE_MANY, __ATOMIC_SEQ_CST);
}

uint64_t grant_map_fill(const struct grant_map *m, uint64_t gfn, uint64_t place, bool *write)
{
	uint64_t mfn = grant_map_find(m, gfn, write);

	if (mfn == FRAME_NONE)
		return FRAME_NONE;
	note_place(grant_map_place(grant_map_word(m, gfn)), place);
	return grant_map_find(m, gfn, write);
}

/* --- Mappings --- */

static int take_mapping(struct domain *d, uint32_t *handle)
{
	struct grant_map *m = &d->grant_map;
	int error;

	spin_lock(&m->lock);
	error = make_room(d);
	if (!error && m->mapping_free != NOBODY) {
		*handle = m->mapping_free;
		m->mapping_free = m->mappings[*handle].next;
	} else if (!error && m->mapping_used < m->mapping_max) {
		*handle = m->mapping_used++;
	} else if (!error) {
		error = -ENOSPC;
	}
	if (!error)
		m->mappings[*handle] = (struct grant_mapping){ .state = GRANT_BUSY };
	spin_unlock(&m->lock);
	return error;
}

static void free_mapping(struct grant_map *m, uint32_t handle)
{
	spin_lock(&m->lock);
	m->mappings[handle].state = GRANT_FREE;
	m->mappings[handle].next = m->mapping_free;
	m->mapping_free = handle;
	spin_unlock(&m->lock);
}

/* One that is mapped is the caller's to unmap now: only one can. */
static struct grant_mapping *claim_mapping(struct grant_map *m, uint32_t handle)
{
	struct grant_mapping *mapping = NULL;

	spin_lock(&m->lock);
	if (handle < m->mapping_used) {
		mapping = &m->mappings[index_clamp(handle, m->mapping_used)];
		if (mapping->state == GRANT_MAPPED)
			mapping->state = GRANT_BUSY;
		else
			mapping = NULL;
	}
	spin_unlock(&m->lock);
	return mapping;
}

static void publish_mapping(struct grant_map *m, uint32_t handle)
{
	spin_lock(&m->lock);
	m->mappings[handle].state = GRANT_MAPPED;
	spin_unlock(&m->lock);
}

/* A granter that is gone, or whose number is another's now, has forgotten its entries. */
static void unpin(const struct grant_mapping *mapping)
{
	struct domain *granter = domain_find(mapping->granter);

	if (!granter)
		return;
	if (granter->serial == mapping->serial)
		grant_unpin(granter, mapping->grant);
	domain_put(granter);
}

/* --- Unmapping --- */

struct batch {
	struct domain *domain;
	uint32_t withdrawn; /* list of mappings */
	bool one_place;	    /* something was dropped where it was, */
	bool many_places;   /* or everything has to be */
	uint64_t frames;
	uint64_t done;
};

static void batch_drop(struct batch *batch, uint64_t place)
{
	if (place == SHADOW_PLACE_NONE)
		return;
	batch->one_place = true;
	if (place == SHADOW_PLACE_MANY)
		batch->many_places = true;
	else
		shadow_drop_place(batch->domain, place);
}

static void batch_withdraw(struct batch *batch, uint32_t handle)
{
	struct grant_mapping *mapping = &batch->domain->grant_map.mappings[handle];

	for (uint64_t i = 0; i < mapping->count; i++)
		batch_drop(batch, withdraw(batch->domain, mapping, mapping->gfn + i));
	mapping->next = batch->withdrawn;
	batch->withdrawn = handle;
}

static void give_up(struct domain *d, uint32_t handle)
{
	struct grant_mapping *mapping = &d->grant_map.mappings[handle];

	for (uint64_t i = 0; i < mapping->count; i++)
		frame_put(unlink(d, mapping->gfn + i));
	unpin(mapping);
	free_mapping(&d->grant_map, handle);
}

/* Nobody has a translation after it. */
static void batch_finish(struct batch *batch)
{
	uint32_t handle = batch->withdrawn;

	if (batch->many_places)
		shadow_flush_all(batch->domain);
	else if (batch->one_place)
		shadow_shootdown(batch->domain);
	while (handle != NOBODY) {
		uint32_t next = batch->domain->grant_map.mappings[handle].next;

		give_up(batch->domain, handle);
		handle = next;
	}
}

static int unmap(struct batch *batch, uint64_t address)
{
	struct grant_map *m = &batch->domain->grant_map;
	const struct grant_mapping *mapping;
	struct rf_grant_unmap op;

	if (copy_from_guest(&op, address, sizeof(op)))
		return -EFAULT;
	if (op.reserved)
		return -EINVAL;
	mapping = claim_mapping(m, op.handle);
	if (!mapping)
		return -ENOENT;
	batch->frames += mapping->count;
	batch_withdraw(batch, (uint32_t)(mapping - m->mappings));
	return 0;
}

/* --- Mapping --- */

/* The next frame of a mapping; it is held. -ERANGE: it does not follow in the machine. */
static int map_frame(struct domain *d, struct grant_mapping *mapping, struct domain *granter,
		     uint64_t gfn)
{
	uint64_t mfn = memory_hold_other(granter, gfn);
	int error;

	if (mfn == FRAME_NONE)
		return -ENODATA;
	if (d->control && mapping->count == 0)
		mapping->gfn = mfn;
	if (d->control && mfn != mapping->gfn + mapping->count)
		error = -ERANGE;
	else
		error = link(d, mapping, mapping->gfn + mapping->count, mfn);
	if (error)
		frame_put(mfn);
	else
		mapping->count++;
	return error;
}

static int map_frames(struct domain *d, struct grant_mapping *mapping, struct domain *granter,
		      uint64_t gfn, uint32_t count)
{
	int error = 0;

	for (uint32_t i = 0; i < count && !error; i++)
		error = map_frame(d, mapping, granter, gfn + i);
	return error == -ERANGE ? 0 : error;
}

static bool is_valid(const struct domain *d, const struct rf_grant_map *op)
{
	uint64_t limit = slot_limit(d) << FRAME_ORDER_2M;

	if (op->flags & ~RF_GRANT_MAP_WRITE || op->handle)
		return false;
	if (op->count == 0 || op->count > RF_GRANT_FRAMES)
		return false;
	if (d->control)
		return op->gfn == 0;
	return op->gfn < limit && op->count <= limit - op->gfn;
}

/* The entry is in use. What was mapped of it is withdrawn if not all could be. */
static int map_pinned(struct batch *batch, struct domain *granter, struct rf_grant_map *op,
		      const struct grant *grant)
{
	struct grant_map *m = &batch->domain->grant_map;
	struct grant_mapping *mapping;
	uint32_t handle;
	int error;

	if (op->first >= grant->frames || op->count > grant->frames - op->first)
		error = -ERANGE;
	else
		error = take_mapping(batch->domain, &handle);
	if (error) {
		grant_unpin(granter, op->grant);
		return error;
	}
	mapping = &m->mappings[handle];
	mapping->serial = granter->serial;
	mapping->granter = granter->id;
	mapping->grant = op->grant;
	mapping->gfn = op->gfn;
	mapping->write = op->flags & RF_GRANT_MAP_WRITE;
	error = map_frames(batch->domain, mapping, granter, grant->gfn + op->first, op->count);
	batch->frames += mapping->count;
	op->handle = handle;
	op->gfn = mapping->gfn;
	op->count = mapping->count;
	if (error)
		batch_withdraw(batch, handle);
	return error;
}

static int map_granted(struct batch *batch, struct rf_grant_map *op)
{
	struct domain *granter = domain_find(op->domain);
	struct grant grant;
	int error;

	if (!granter)
		return -ESRCH;
	error = grant_pin(granter, batch->domain, op->grant, op->flags & RF_GRANT_MAP_WRITE,
			  &grant);
	if (!error)
		error = map_pinned(batch, granter, op, &grant);
	domain_put(granter);
	return error;
}

/* A mapping can be unmapped once the caller has been told of it. */
static int map(struct batch *batch, uint64_t address)
{
	struct rf_grant_map op;
	int error;

	if (copy_from_guest(&op, address, sizeof(op)))
		return -EFAULT;
	if (!is_valid(batch->domain, &op))
		return -EINVAL;
	error = map_granted(batch, &op);
	if (error)
		return error;
	error = copy_to_guest(address, &op, sizeof(op));
	if (error)
		batch_withdraw(batch, op.handle);
	else
		publish_mapping(&batch->domain->grant_map, op.handle);
	return error;
}

/* --- Hypercalls --- */

static bool batch_goes_on(const struct batch *batch, uint64_t count, int error)
{
	return !error && batch->done < count && batch->frames < RF_GRANT_BATCH_FRAMES;
}

int64_t do_grant_map(uint64_t operations, uint64_t count)
{
	struct batch batch = { .domain = domain_current(), .withdrawn = NOBODY };
	int error = count > RF_GRANT_BATCH_MAX ? -E2BIG : 0;

	while (batch_goes_on(&batch, count, error)) {
		error = map(&batch, operations + batch.done * sizeof(struct rf_grant_map));
		batch.done += !error;
	}
	batch_finish(&batch);
	return batch.done ? (int64_t)batch.done : error;
}

int64_t do_grant_unmap(uint64_t operations, uint64_t count)
{
	struct batch batch = { .domain = domain_current(), .withdrawn = NOBODY };
	int error = count > RF_GRANT_BATCH_MAX ? -E2BIG : 0;

	while (batch_goes_on(&batch, count, error)) {
		error = unmap(&batch, operations + batch.done * sizeof(struct rf_grant_unmap));
		batch.done += !error;
	}
	batch_finish(&batch);
	return batch.done ? (int64_t)batch.done : error;
}

/* --- A domain ends --- */

bool grant_map_teardown(struct domain *d, uint64_t budget)
{
	struct grant_map *m = &d->grant_map;
	uint64_t done = 0;

	for (; m->torn_down < m->mapping_used && done < budget; m->torn_down++) {
		const struct grant_mapping *mapping = &m->mappings[m->torn_down];

		done++;
		if (mapping->state == GRANT_FREE)
			continue;
		done += mapping->count;
		for (uint64_t i = 0; i < mapping->count; i++)
			withdraw(d, mapping, mapping->gfn + i);
		give_up(d, m->torn_down);
	}
	return m->torn_down >= m->mapping_used;
}

void grant_map_destroy(struct domain *d)
{
	struct grant_map *m = &d->grant_map;

	if (!m->mappings)
		return;
	for (uint64_t i = 0; i < m->table_slots && m->table_count; i++) {
		if (!m->tables[i])
			continue;
		frame_free_pointer(m->tables[i], TABLE_SIZE);
		m->table_count--;
	}
	frame_free_pointer(m->tables, m->table_slots * sizeof(*m->tables));
	frame_free_pointer(m->mappings, m->mapping_max * sizeof(*m->mappings));
	m->mappings = NULL;
	m->tables = NULL;
}
