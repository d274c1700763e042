// SPDX-License-Identifier: BSD-2-Clause
/*
 * A domain's memory: the map from guest frames to machine frames, and how frames come and go.
 *
 * Interface: memory.h; the lookups are inline there.
 * Locks: memory.lock for every change of the map. Readers take none: a frame or table that leaves
 * the map is freed only when every CPU that runs the domain has left the hypervisor once
 * (quiesce.h), and when no shadow leads to it. So other domains' CPUs look here only with the lock,
 * and hold what they find (memory_hold_other).
 * Odd: the control domain has no map. What it owns it finds at its machine address, so unlinking a
 * frame is retiring it (frame.h), and populating asks for that very frame.
 * While a frame waits to be freed its list node holds it, and its tag says how many follow it.
 */
#include "memory.h"

#include "assert.h"
#include "cpu.h"
#include "domain.h"
#include "guest_access.h"
#include "quiesce.h"
#include "vcpu.h"
#include "abi/errno.h"
#include "abi/memory.h"

#define CHUNK_FRAMES 512
#define PIECE	     16 /* extents copied in at once */

static bool is_identity(const struct memory *m)
{
	return !m->slots;
}

/* --- What was unlinked, until it may be freed --- */

static void unlinked_add(struct list_node *unlinked, uint64_t mfn, unsigned order)
{
	struct frame *f = frame_of(mfn);

	f->tag = order;
	list_add_last(unlinked, &f->link);
}

static void unlinked_free(struct list_node *unlinked)
{
	struct list_node *node;

	while ((node = list_take_first(unlinked))) {
		struct frame *f = list_entry(node, struct frame, link);
		uint64_t mfn = (uint64_t)(f - frame_table);
		unsigned order = (unsigned)f->tag;

		f->tag = FRAME_TAG_NONE;
		if (f->state == FRAME_HYPERVISOR) /* a table of the map */
			frame_free(mfn, 0);
		else
			frame_put_block(mfn, order);
	}
}

/*
 * Nobody can find them any more. Waits until nobody uses them either: only CPUs that run the domain
 * could, and no other domain is to notice.
 */
static void unlinked_finish(struct domain *d, struct list_node *unlinked)
{
	if (list_empty(unlinked))
		return;
	__atomic_fetch_add(&d->memory.generation, 1, __ATOMIC_SEQ_CST);
	shadow_flush_all(d);
	quiesce_wait_cpus(&d->shadow.cpus);
	unlinked_free(unlinked);
}

/* --- Slots: all with the lock held --- */

static uint64_t *slot_of(struct memory *m, uint64_t gfn)
{
	return &m->slots[gfn >> FRAME_ORDER_2M];
}

static uint64_t *slot_table(uint64_t slot)
{
	return arch_frame_pointer(slot >> FRAME_SHIFT);
}

/* How many frames a table maps is in its frame's tag. */
static uint64_t *slot_count(uint64_t slot)
{
	return &frame_of(slot >> FRAME_SHIFT)->tag;
}

static void slot_set(uint64_t *slot, uint64_t value)
{
	__atomic_store_n(slot, value, __ATOMIC_RELEASE);
}

static void entry_set(uint64_t slot, uint64_t gfn, uint64_t value)
{
	uint64_t *entry = &slot_table(slot)[gfn % CHUNK_FRAMES];

	*slot_count(slot) += (uint64_t)(value != 0) - (uint64_t)(*entry != 0);
	__atomic_store_n(entry, value, __ATOMIC_RELEASE);
}

/* A slot that holds single frames: makes it so if it is empty or a chunk. */
static int slot_make_table(uint64_t *slot)
{
	uint64_t table, value;

	if (*slot & MEMORY_SLOT_TABLE)
		return 0;
	table = frame_alloc(0);
	if (table == FRAME_NONE)
		return -ENOMEM;
	value = table << FRAME_SHIFT | MEMORY_SLOT_TABLE;
	if (*slot & MEMORY_SLOT_CHUNK)
		for (uint64_t i = 0; i < CHUNK_FRAMES; i++)
			entry_set(value, i, (*slot >> FRAME_SHIFT) + i + 1);
	slot_set(slot, value);
	return 0;
}

/* --- Populating one extent --- */

static int link_frames(struct memory *m, uint64_t gfn, unsigned order, uint64_t mfn)
{
	uint64_t *slot = slot_of(m, gfn);
	int error;

	if (order == FRAME_ORDER_2M) {
		if (*slot)
			return -EEXIST;
		slot_set(slot, mfn << FRAME_SHIFT | MEMORY_SLOT_CHUNK);
		return 0;
	}
	if (*slot & MEMORY_SLOT_CHUNK)
		return -EEXIST;
	error = slot_make_table(slot);
	if (error)
		return error;
	if (slot_table(*slot)[gfn % CHUNK_FRAMES])
		return -EEXIST;
	entry_set(*slot, gfn, mfn + 1);
	return 0;
}

static bool within_limit(const struct memory *m, unsigned order)
{
	return m->frames + (1ULL << order) <= m->frames_max;
}

/* The frames are the domain's before anybody can find them. */
static int link_locked(struct domain *d, uint64_t gfn, unsigned order, uint64_t mfn)
{
	int error;

	if (!within_limit(&d->memory, order))
		return -ENOSPC;
	if (grant_map_overlaps(&d->grant_map, gfn, order))
		return -EEXIST;
	error = link_frames(&d->memory, gfn, order, mfn);
	if (!error)
		d->memory.frames += 1ULL << order;
	return error;
}

static int populate_mapped(struct domain *d, uint64_t gfn, unsigned order)
{
	struct memory *m = &d->memory;
	uint64_t mfn;
	int error;

	if (!within_limit(m, order))
		return -ENOSPC;
	/* Zeroing takes a while: not with the lock held. */
	mfn = frame_alloc(order);
	if (mfn == FRAME_NONE)
		return -ENOMEM;
	frame_assign(mfn, order, d->id);
	spin_lock(&m->lock);
	error = link_locked(d, gfn, order, mfn);
	spin_unlock(&m->lock);
	if (!error)
		return 0;
	for (uint64_t i = 0; i < 1ULL << order; i++)
		BUG_ON(!frame_retire(mfn + i, d->id));
	frame_put_block(mfn, order);
	return error;
}

static int take_exactly(uint64_t mfn, unsigned order, uint16_t owner)
{
	uint64_t taken = 0;

	while (taken < 1ULL << order && frame_alloc_at(mfn + taken))
		taken++;
	if (taken == 1ULL << order)
		return 0;
	while (taken > 0)
		frame_free(mfn + --taken, 0);
	for (uint64_t i = 0; i < 1ULL << order; i++)
		if (frame_owned_by(mfn + i, owner))
			return -EEXIST;
	return -ENOMEM;
}

static int populate_identity(struct domain *d, uint64_t gfn, unsigned order)
{
	struct memory *m = &d->memory;
	int error = -ENOSPC;

	spin_lock(&m->lock);
	if (within_limit(m, order))
		error = take_exactly(gfn, order, d->id);
	if (!error) {
		frame_assign(gfn, order, d->id);
		m->frames += 1ULL << order;
	}
	spin_unlock(&m->lock);
	return error;
}

static int populate(struct domain *d, uint64_t gfn, unsigned order)
{
	if (is_identity(&d->memory))
		return populate_identity(d, gfn, order);
	return populate_mapped(d, gfn, order);
}

/* --- Releasing one extent --- */

static void retire(struct domain *d, uint64_t mfn, unsigned order, struct list_node *unlinked)
{
	for (uint64_t i = 0; i < 1ULL << order; i++)
		BUG_ON(!frame_retire(mfn + i, d->id));
	d->memory.frames -= 1ULL << order;
	unlinked_add(unlinked, mfn, order);
}

static int release_identity(struct domain *d, uint64_t gfn, unsigned order,
			    struct list_node *unlinked)
{
	for (uint64_t i = 0; i < 1ULL << order; i++)
		if (!frame_owned_by(gfn + i, d->id))
			return -ENOENT;
	retire(d, gfn, order, unlinked);
	return 0;
}

static void table_unlink_if_empty(uint64_t *slot, struct list_node *unlinked)
{
	uint64_t table = *slot >> FRAME_SHIFT;

	if (*slot_count(*slot))
		return;
	slot_set(slot, 0);
	unlinked_add(unlinked, table, 0);
}

/* Frames [gfn, gfn + count) of one slot's table, which are all there. */
static void release_entries(struct domain *d, uint64_t gfn, uint64_t count,
			    struct list_node *unlinked)
{
	uint64_t *slot = slot_of(&d->memory, gfn);

	for (uint64_t i = gfn; i < gfn + count; i++) {
		uint64_t mfn = slot_table(*slot)[i % CHUNK_FRAMES] - 1;

		entry_set(*slot, i, 0);
		retire(d, mfn, 0, unlinked);
	}
	table_unlink_if_empty(slot, unlinked);
}

static int release_chunk(struct domain *d, uint64_t gfn, struct list_node *unlinked)
{
	uint64_t *slot = slot_of(&d->memory, gfn);
	uint64_t value = *slot;

	if (value & MEMORY_SLOT_CHUNK) {
		slot_set(slot, 0);
		retire(d, value >> FRAME_SHIFT, FRAME_ORDER_2M, unlinked);
		return 0;
	}
	if (!value || *slot_count(value) != CHUNK_FRAMES)
		return -ENOENT;
	release_entries(d, gfn, CHUNK_FRAMES, unlinked);
	return 0;
}

static int release_single(struct domain *d, uint64_t gfn, struct list_node *unlinked)
{
	uint64_t *slot = slot_of(&d->memory, gfn);
	int error;

	if (!*slot)
		return -ENOENT;
	error = slot_make_table(slot);
	if (error)
		return error;
	if (!slot_table(*slot)[gfn % CHUNK_FRAMES])
		return -ENOENT;
	release_entries(d, gfn, 1, unlinked);
	return 0;
}

static int release(struct domain *d, uint64_t gfn, unsigned order, struct list_node *unlinked)
{
	int error;

	spin_lock(&d->memory.lock);
	if (is_identity(&d->memory))
		error = release_identity(d, gfn, order, unlinked);
	else if (order == FRAME_ORDER_2M)
		error = release_chunk(d, gfn, unlinked);
	else
		error = release_single(d, gfn, unlinked);
	spin_unlock(&d->memory.lock);
	return error;
}

/* --- Hypercalls --- */

struct batch {
	struct domain *domain;
	struct list_node unlinked;
	uint64_t done;
	uint64_t frames;
	bool populate;
};

static bool extent_is_valid(const struct domain *d, const struct rf_memory_extent *extent)
{
	uint64_t limit = frame_limit, count;

	if (extent->reserved || (extent->order != 0 && extent->order != FRAME_ORDER_2M))
		return false;
	count = 1ULL << extent->order;
	if (!is_identity(&d->memory))
		limit = d->memory.slot_count << FRAME_ORDER_2M;
	return extent->gfn % count == 0 && extent->gfn < limit && count <= limit - extent->gfn;
}

static int perform(struct batch *batch, const struct rf_memory_extent *extent)
{
	uint64_t gfn;

	if (!extent_is_valid(batch->domain, extent))
		return -EINVAL;
	batch->frames += 1ULL << extent->order;
	gfn = extent->gfn;
	if (!is_identity(&batch->domain->memory))
		gfn = index_clamp(gfn, batch->domain->memory.slot_count << FRAME_ORDER_2M);
	if (batch->populate)
		return populate(batch->domain, gfn, extent->order);
	return release(batch->domain, gfn, extent->order, &batch->unlinked);
}

static int perform_piece(struct batch *batch, uint64_t address, uint64_t count)
{
	struct rf_memory_extent extents[PIECE];
	int error = copy_from_guest(extents, address, count * sizeof(extents[0]));

	for (uint64_t i = 0; i < count && !error; i++) {
		if (batch->frames >= RF_MEMORY_BATCH_FRAMES)
			return -EAGAIN;
		error = perform(batch, &extents[i]);
		batch->done += !error;
	}
	return error;
}

static int64_t perform_all(struct domain *d, uint64_t address, uint64_t count, bool for_populate)
{
	struct batch batch = { .domain = d, .populate = for_populate };
	int error = 0;

	list_init(&batch.unlinked);
	while (batch.done < count && !error) {
		uint64_t left = count - batch.done;

		error = perform_piece(&batch,
				      address + batch.done * sizeof(struct rf_memory_extent),
				      left < PIECE ? left : PIECE);
	}
	unlinked_finish(batch.domain, &batch.unlinked);
	return batch.done ? (int64_t)batch.done : error;
}

static int64_t perform_for_other(uint64_t domain, uint64_t address, uint64_t count,
				 bool for_populate)
{
	struct domain *d = domain_find(domain);
	int64_t result = -ESRCH;

	if (!d)
		return -ESRCH;
	/* From here on it is not taken apart before this CPU leaves the hypervisor, or waits. */
	if (domain_is_there(d))
		result = perform_all(d, address, count, for_populate);
	domain_put(d);
	return result;
}

static int64_t find_and_perform(uint64_t domain, uint64_t address, uint64_t count,
				bool for_populate)
{
	struct domain *self = domain_current();
	bool own = domain == RF_DOMAIN_SELF || domain == self->id;

	if (!own && !self->control)
		return -EPERM;
	if (count > RF_MEMORY_BATCH_MAX)
		return -E2BIG;
	if (address + count * sizeof(struct rf_memory_extent) < address)
		return -EFAULT;
	if (own)
		return perform_all(self, address, count, for_populate);
	return perform_for_other(domain, address, count, for_populate);
}

int64_t do_memory_populate(uint64_t domain, uint64_t extents, uint64_t count)
{
	return find_and_perform(domain, extents, count, true);
}

int64_t do_memory_release(uint64_t domain, uint64_t extents, uint64_t count)
{
	return find_and_perform(domain, extents, count, false);
}

uint64_t memory_hold_other(struct domain *d, uint64_t gfn)
{
	uint64_t mfn;

	spin_lock(&d->memory.lock);
	mfn = memory_hold(d, gfn);
	spin_unlock(&d->memory.lock);
	return mfn;
}

/* What its map has room for. */
bool memory_limit_is_valid(const struct domain *d, uint64_t frames_max)
{
	return frames_max > 0 && frames_max <= d->memory.slot_count << FRAME_ORDER_2M;
}

void memory_set_limit(struct domain *d, uint64_t frames_max)
{
	spin_lock(&d->memory.lock);
	d->memory.frames_max = frames_max;
	spin_unlock(&d->memory.lock);
}

/* --- The whole of a domain --- */

int memory_create(struct domain *d, uint64_t frames_max, bool identity)
{
	struct memory *m = &d->memory;

	*m = (struct memory){ .frames_max = frames_max };
	if (identity)
		return 0;
	m->slot_count = (frames_max + CHUNK_FRAMES - 1) / CHUNK_FRAMES;
	m->slots = frame_alloc_pointer(m->slot_count * sizeof(*m->slots));
	return m->slots ? 0 : -ENOMEM;
}

static int fill_next(struct domain *d, uint64_t gfn, uint64_t end, unsigned *order)
{
	int error = -ENOMEM;

	*order = FRAME_ORDER_2M;
	if (gfn % CHUNK_FRAMES == 0 && end - gfn >= CHUNK_FRAMES)
		error = populate(d, gfn, *order);
	if (error == -ENOMEM) {
		*order = 0;
		error = populate(d, gfn, *order);
	}
	return error;
}

/* What memory_fill did: nothing else is there, and nobody runs. */
static void unfill(struct domain *d, uint64_t gfn, uint64_t end)
{
	struct list_node unlinked;

	list_init(&unlinked);
	while (gfn < end) {
		bool chunk = memory_find_2m(&d->memory, d->id, gfn) != FRAME_NONE;
		unsigned order = chunk && !is_identity(&d->memory) ? FRAME_ORDER_2M : 0;

		BUG_ON(release(d, gfn, order, &unlinked));
		gfn += 1ULL << order;
	}
	unlinked_free(&unlinked);
}

int memory_fill(struct domain *d, uint64_t gfn, uint64_t count)
{
	uint64_t end = gfn + count, at = gfn;
	unsigned order;

	while (at < end) {
		int error = fill_next(d, at, end, &order);

		if (error) {
			unfill(d, gfn, at);
			return error;
		}
		at += 1ULL << order;
	}
	return 0;
}

static void teardown_slot(struct domain *d, uint64_t *slot)
{
	uint64_t value = *slot;
	struct list_node unlinked;

	list_init(&unlinked);
	slot_set(slot, 0);
	if (value & MEMORY_SLOT_CHUNK) {
		retire(d, value >> FRAME_SHIFT, FRAME_ORDER_2M, &unlinked);
	} else {
		for (uint64_t i = 0; i < CHUNK_FRAMES; i++)
			if (slot_table(value)[i])
				retire(d, slot_table(value)[i] - 1, 0, &unlinked);
		unlinked_add(&unlinked, value >> FRAME_SHIFT, 0);
	}
	unlinked_free(&unlinked);
}

static bool teardown_identity(struct domain *d, uint64_t budget)
{
	struct memory *m = &d->memory;

	for (; m->torn_down < frame_limit && budget > 0; m->torn_down++, budget--) {
		if (!frame_owned_by(m->torn_down, d->id))
			continue;
		frame_release(m->torn_down, d->id);
		m->frames--;
	}
	return m->torn_down >= frame_limit;
}

bool memory_teardown(struct domain *d, uint64_t budget)
{
	struct memory *m = &d->memory;
	uint64_t looked = 0;

	if (is_identity(m))
		return teardown_identity(d, budget);
	for (; m->torn_down < m->slot_count && looked < budget; m->torn_down++) {
		uint64_t *slot = &m->slots[m->torn_down];

		looked += *slot ? CHUNK_FRAMES : 1;
		if (*slot)
			teardown_slot(d, slot);
	}
	return m->torn_down >= m->slot_count;
}

void memory_destroy(struct domain *d)
{
	struct memory *m = &d->memory;

	BUG_ON(m->frames != 0);
	if (m->slots)
		frame_free_pointer(m->slots, m->slot_count * sizeof(*m->slots));
	m->slots = NULL;
}
