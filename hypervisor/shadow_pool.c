// SPDX-License-Identifier: BSD-2-Clause
/*
 * The frames a domain's shadows are made of: a fixed number, taken when the domain is made and
 * given back when it ends.
 *
 * Dropping a tree of tables is O(1): its top goes on the free list as it is, tagged with its level.
 * A table that is taken from the list gives up its children then: they go on the list in turn, and
 * the table is zeroed. So the work of dropping is paid in steps of 512 entries by those who use the
 * tables next, and no guest can make anybody walk a large tree at once.
 *
 * Lock: pool.lock, innermost but one. The order of a frame on the list is the level of the table it
 * was, 0 if it has no children; its tag says which entries were used (shadow_table.h), so a table
 * that held little is soon opened and zeroed.
 */
#include "assert.h"
#include "frame.h"
#include "shadow_table.h"
#include "string.h"
#include "abi/errno.h"

#define BLOCK_ORDER_MAX (FRAME_ORDER_2M - 1) /* of 2 MiB, there may be few */

static void add_frames(struct domain *d, uint64_t mfn, uint64_t count)
{
	struct shadow_pool *pool = &d->shadow.pool;

	for (uint64_t i = mfn; i < mfn + count; i++) {
		struct frame *frame = frame_of(i);

		frame->state = FRAME_SHADOW;
		frame->owner = d->id;
		frame->tag = 0;
		list_insert_before(&pool->free, &frame->link);
	}
	pool->frames += count;
	pool->available += count;
}

/* In blocks: all CPUs take frames under one lock, and a pool has thousands. They are freed one by one. */
int shadow_pool_create(struct domain *d, uint64_t frames)
{
	struct shadow_pool *pool = &d->shadow.pool;
	unsigned order = BLOCK_ORDER_MAX;

	list_init(&pool->free);
	while (pool->frames < frames) {
		uint64_t count = 1ULL << order, mfn = FRAME_NONE;

		if (count <= frames - pool->frames)
			mfn = frame_alloc(order);
		if (mfn != FRAME_NONE)
			add_frames(d, mfn, count);
		else if (order)
			order--;
		else
			return -ENOMEM;
	}
	return 0;
}

/* The children of a level-4 table are its user half: the rest is the hypervisor's, or shared. */
static void adopt_children(struct shadow_pool *pool, const uint64_t *table, unsigned level)
{
	const unsigned end = level == 4 ? SLOT_USER_END : PTE_ENTRIES;
	const uint64_t used = *shadow_used(table);

	for (unsigned i = shadow_next(used, 0); i < end; i = shadow_next(used, i + 1)) {
		struct frame *child;

		if (!shadow_entry_is_table(table[i], level))
			continue;
		child = frame_of((table[i] & PTE_ADDRESS) >> 12);
		child->order = (uint8_t)(level - 1);
		list_insert_before(&pool->free, &child->link);
		pool->available++;
	}
}

/*
 * What hangs below dropped tables is free, too, though not counted: opens tables on the list until
 * more than `reserve` are. The list is short when that is called for.
 */
static void open_dropped(struct shadow_pool *pool, uint64_t reserve)
{
	struct list_node *node;

	list_for_each(node, &pool->free) {
		struct frame *frame = list_entry(node, struct frame, link);

		if (pool->available > reserve)
			return;
		if (frame->order <= 1)
			continue;
		adopt_children(pool, arch_frame_pointer((uint64_t)(frame - frame_table)),
			       frame->order);
		frame->order = 0;
	}
}

/* One run of used groups after the other. */
static void zero(uint64_t *table)
{
	uint64_t used = *shadow_used(table);

	*shadow_used(table) = 0;
	while (used) {
		unsigned first = (unsigned)__builtin_ctzll(used);
		uint64_t run = used & ~(used + (1ULL << first));
		unsigned end = 64 - (unsigned)__builtin_clzll(run);

		memset(&table[first * SHADOW_GROUP], 0,
		       (end - first) * SHADOW_GROUP * sizeof(*table));
		used ^= run;
	}
}

uint64_t *shadow_pool_alloc(struct domain *d, uint64_t reserve)
{
	struct shadow_pool *pool = &d->shadow.pool;
	uint64_t *table = NULL;

	spin_lock(&pool->lock);
	if (pool->available <= reserve)
		open_dropped(pool, reserve);
	if (pool->available > reserve) {
		struct frame *frame = list_entry(pool->free.next, struct frame, link);

		table = arch_frame_pointer((uint64_t)(frame - frame_table));
		list_remove(&frame->link);
		pool->available--;
		if (frame->order > 1)
			adopt_children(pool, table, frame->order);
	}
	spin_unlock(&pool->lock);
	if (table)
		zero(table);
	return table;
}

void shadow_pool_drop(struct list_node *dropped, uint64_t mfn, unsigned level)
{
	struct frame *frame = frame_of(mfn);

	frame->order = (uint8_t)level;
	list_insert_before(dropped, &frame->link);
}

void shadow_pool_return(struct domain *d, struct list_node *dropped)
{
	struct shadow_pool *pool = &d->shadow.pool;

	spin_lock(&pool->lock);
	while (!list_empty(dropped)) {
		struct list_node *node = dropped->next;

		list_remove(node);
		list_insert_before(&pool->free, node);
		pool->available++;
	}
	spin_unlock(&pool->lock);
}

/* Taking a table adopts its children: in the end the list has seen all of them. */
bool shadow_pool_shrink(struct domain *d, uint64_t budget)
{
	struct shadow_pool *pool = &d->shadow.pool;

	for (; pool->frames && budget; budget--) {
		uint64_t *table = shadow_pool_alloc(d, 0);
		struct frame *frame;

		BUG_ON(!table);
		frame = frame_of(shadow_table_mfn(table));
		frame->state = FRAME_HYPERVISOR;
		frame->owner = FRAME_OWNER_NONE;
		frame->tag = 0;
		frame_free(shadow_table_mfn(table), 0);
		pool->frames--;
	}
	return !pool->frames;
}
