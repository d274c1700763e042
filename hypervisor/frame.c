// SPDX-License-Identifier: BSD-2-Clause
/*
 * Machine frames: a buddy allocator for the free ones, and who owns and who holds the others.
 *
 * Interface: frame.h.
 * Locks: frame_lock covers the free lists and the chunk counters. A frame that is not free is
 * changed by compare-and-exchange of its word, so that getting a frame is exact even when it
 * changes its owner meanwhile: it becomes DOMAIN and stops being DOMAIN in one step. What is in no
 * list needs no lock either, so who looks at a word of others, even with the lock, reads it once.
 * Odd: single frames are scrubbed when they are freed; blocks of 2 MiB and more, and all memory at
 * boot, are marked dirty and zeroed when they are given out. In debug builds scrubbing writes a
 * pattern, which is checked when the frame is given out.
 */
#include "frame.h"

#include "arch.h"
#include "assert.h"
#include "bitmap.h"
#include "boot_info.h"
#include "early_alloc.h"
#include "spinlock.h"
#include "string.h"

#define ORDER_NONE	0xff /* not the first frame of a free block */
#define LOW_FRAMES	256  /* the first MiB */
#define SCRUB_BYTE	(CONFIG_DEBUG ? 0xa5 : 0)
#define SCRUB_WORD	(CONFIG_DEBUG ? 0xa5a5a5a5a5a5a5a5ULL : 0)
#define CHUNK_FRAMES	(1ULL << FRAME_ORDER_2M)
/* What a machine address has at most: 4 TiB are mapped. */
#define FRAME_LIMIT_MAX (1ULL << 30)
/* The audit looks into so many free frames. */
#define AUDIT_SAMPLES	1024

struct frame *frame_table;
struct frame_chunk *frame_chunks;
uint64_t frame_limit;
uint64_t frame_total;

static struct spinlock frame_lock;
static struct list_node free_lists[FRAME_ORDER_MAX + 1];
static uint64_t free_orders; /* a bit for each list that is not empty */
static uint64_t free_frames;

static uint64_t frame_number(const struct frame *f)
{
	return (uint64_t)(f - frame_table);
}

/* --- Contents --- */

static void scrub(uint64_t mfn)
{
	memset(arch_frame_pointer(mfn), SCRUB_BYTE, FRAME_SIZE);
}

static bool is_scrubbed(uint64_t mfn)
{
	const uint64_t *words = arch_frame_pointer(mfn);

	for (unsigned i = 0; i < FRAME_SIZE / 8; i++)
		if (words[i] != SCRUB_WORD)
			return false;
	return true;
}

static void make_zero(uint64_t mfn)
{
	bool dirty = frame_of(mfn)->tag == FRAME_TAG_DIRTY;

	if (CONFIG_DEBUG && !dirty && !is_scrubbed(mfn))
		panic("frame %#lx was written while it was free", mfn);
	if (CONFIG_DEBUG || dirty)
		memset(arch_frame_pointer(mfn), 0, FRAME_SIZE);
}

/* --- Free blocks: all of these with the lock held --- */

static void block_add(uint64_t mfn, unsigned order)
{
	struct frame *f = frame_of(mfn);

	f->order = (uint8_t)order;
	list_add_first(&free_lists[order], &f->link);
	bitmap_set(&free_orders, order);
}

static void block_remove(uint64_t mfn)
{
	struct frame *f = frame_of(mfn);

	list_remove(&f->link);
	if (list_empty(&free_lists[f->order]))
		bitmap_clear(&free_orders, f->order);
	f->order = ORDER_NONE;
}

/* Of the order, or of none: in no list. */
static uint64_t free_word(unsigned order)
{
	return frame_word(FRAME_FREE, FRAME_OWNER_NONE, 0) | (uint64_t)order << 56;
}

/* Read at once: a frame that was taken out of its list becomes HYPERVISOR without the lock. */
static bool block_is_free(uint64_t mfn, unsigned order)
{
	return mfn < frame_limit &&
	       __atomic_load_n(&frame_of(mfn)->word, __ATOMIC_RELAXED) == free_word(order);
}

static void block_insert(uint64_t mfn, unsigned order)
{
	free_frames += 1ULL << order;
	for (; order < FRAME_ORDER_MAX; order++) {
		uint64_t buddy = mfn ^ (1ULL << order);

		if (!block_is_free(buddy, order))
			break;
		block_remove(buddy);
		mfn &= buddy;
	}
	block_add(mfn, order);
}

/* Takes the part of 2^wanted frames that holds `mfn` out of a free block of 2^order. */
static void block_split(uint64_t mfn, unsigned order, unsigned wanted)
{
	block_remove(mfn & ~((1ULL << order) - 1));
	while (order > wanted) {
		uint64_t half = 1ULL << --order;

		block_add((mfn & ~(half - 1)) ^ half, order);
	}
	free_frames -= 1ULL << wanted;
}

static uint64_t block_take(unsigned order)
{
	size_t found = bitmap_find_next(&free_orders, FRAME_ORDER_MAX + 1, order);
	uint64_t mfn;

	if (found > FRAME_ORDER_MAX)
		return FRAME_NONE;
	mfn = frame_number(list_entry(list_first(&free_lists[found]), struct frame, link));
	block_split(mfn, (unsigned)found, order);
	return mfn;
}

/* --- Allocating --- */

static void make_taken(uint64_t mfn)
{
	struct frame *f = frame_of(mfn);

	list_init(&f->link);
	f->tag = FRAME_TAG_NONE;
	__atomic_store_n(&f->word, frame_word(FRAME_HYPERVISOR, FRAME_OWNER_NONE, 1),
			 __ATOMIC_RELEASE);
}

static void make_hypervisor(uint64_t mfn, unsigned order)
{
	for (uint64_t i = mfn; i < mfn + (1ULL << order); i++) {
		make_zero(i);
		make_taken(i);
	}
}

uint64_t frame_alloc(unsigned order)
{
	uint64_t mfn;

	BUG_ON(order > FRAME_ORDER_MAX);
	spin_lock(&frame_lock);
	mfn = block_take(order);
	spin_unlock(&frame_lock);
	if (mfn != FRAME_NONE)
		make_hypervisor(mfn, order);
	return mfn;
}

static bool take_at(uint64_t mfn)
{
	for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++) {
		if (!block_is_free(mfn & ~((1ULL << order) - 1), order))
			continue;
		block_split(mfn, order, 0);
		return true;
	}
	return false;
}

static bool take_free_at(uint64_t mfn)
{
	bool taken;

	if (mfn >= frame_limit)
		return false;
	spin_lock(&frame_lock);
	taken = take_at(index_clamp(mfn, frame_limit));
	spin_unlock(&frame_lock);
	return taken;
}

bool frame_alloc_at(uint64_t mfn)
{
	if (!take_free_at(mfn))
		return false;
	make_hypervisor(mfn, 0);
	return true;
}

bool frame_claim_at(uint64_t mfn)
{
	if (!take_free_at(mfn))
		return false;
	make_taken(mfn);
	return true;
}

static void make_free(uint64_t mfn, bool dirty)
{
	struct frame *f = frame_of(mfn);

	BUG_ON(f->state != FRAME_HYPERVISOR && f->state != FRAME_SHADOW);
	BUG_ON(f->references != 1);
	if (!dirty)
		scrub(mfn);
	f->tag = dirty ? FRAME_TAG_DIRTY : FRAME_TAG_NONE;
	__atomic_store_n(&f->word, free_word(ORDER_NONE), __ATOMIC_RELEASE);
}

void frame_free(uint64_t mfn, unsigned order)
{
	BUG_ON(mfn & ((1ULL << order) - 1));
	BUG_ON(mfn + (1ULL << order) > frame_limit);
	for (uint64_t i = mfn; i < mfn + (1ULL << order); i++)
		make_free(i, order >= FRAME_ORDER_2M);
	spin_lock(&frame_lock);
	block_insert(mfn, order);
	spin_unlock(&frame_lock);
}

uint64_t frame_free_count(void)
{
	return __atomic_load_n(&free_frames, __ATOMIC_RELAXED);
}

static unsigned order_of_bytes(size_t bytes)
{
	unsigned order = 0;

	while ((FRAME_SIZE << order) < bytes)
		order++;
	return order;
}

uint64_t frame_pointer_frames(size_t bytes)
{
	return 1ULL << order_of_bytes(bytes);
}

void *frame_alloc_pointer(size_t bytes)
{
	uint64_t mfn = FRAME_NONE;

	if (bytes <= FRAME_SIZE << FRAME_ORDER_MAX)
		mfn = frame_alloc(order_of_bytes(bytes));
	return mfn == FRAME_NONE ? NULL : arch_frame_pointer(mfn);
}

void frame_free_pointer(void *pointer, size_t bytes)
{
	frame_free(arch_pointer_frame(pointer), order_of_bytes(bytes));
}

/* --- Ownership --- */

/* How many frames of a chunk have the owner of the first domain's frame in it. */
static struct frame_chunk chunk_count(uint64_t chunk)
{
	struct frame_chunk count = { .owner = FRAME_OWNER_NONE };
	uint64_t end = (chunk + 1) * CHUNK_FRAMES;

	for (uint64_t mfn = chunk * CHUNK_FRAMES; mfn < end && mfn < frame_limit; mfn++) {
		const struct frame *f = frame_of(mfn);

		if (f->state != FRAME_DOMAIN)
			continue;
		if (count.owned == 0)
			count.owner = f->owner;
		count.owned += f->owner == count.owner;
	}
	return count;
}

static void chunk_set(uint64_t chunk, struct frame_chunk value)
{
	__atomic_store_n(&frame_chunks[chunk].word, value.word, __ATOMIC_RELEASE);
}

static void chunk_gains(uint64_t mfn, uint16_t owner)
{
	struct frame_chunk c = frame_chunks[mfn >> FRAME_ORDER_2M];

	if (c.owned == 0)
		c.owner = owner;
	c.owned += c.owner == owner;
	chunk_set(mfn >> FRAME_ORDER_2M, c);
}

static void chunk_loses(uint64_t mfn, uint16_t owner)
{
	struct frame_chunk c = frame_chunks[mfn >> FRAME_ORDER_2M];

	if (c.owner != owner)
		return;
	/* Others that own a part are counted only now: 512 frames to look at, at most. */
	if (--c.owned == 0)
		c = chunk_count(mfn >> FRAME_ORDER_2M);
	chunk_set(mfn >> FRAME_ORDER_2M, c);
}

void frame_assign(uint64_t mfn, unsigned order, uint16_t owner)
{
	spin_lock(&frame_lock);
	for (uint64_t i = mfn; i < mfn + (1ULL << order); i++) {
		struct frame *f = frame_of(i);

		BUG_ON(f->state != FRAME_HYPERVISOR || f->references != 1);
		f->tag = FRAME_TAG_NONE;
		__atomic_store_n(&f->word, frame_word(FRAME_DOMAIN, owner, 1), __ATOMIC_RELEASE);
		chunk_gains(i, owner);
	}
	spin_unlock(&frame_lock);
}

static bool change_word(struct frame *f, uint64_t *expected, uint64_t word)
{
	return __atomic_compare_exchange_n(&f->word, expected, word, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_RELAXED);
}

static bool is_domain_of(uint64_t word, uint16_t owner)
{
	return (word & FRAME_WORD_OWNER) == frame_word(FRAME_DOMAIN, owner, 0);
}

bool frame_retire(uint64_t mfn, uint16_t owner)
{
	struct frame *f;
	uint64_t word;

	if (mfn >= frame_limit)
		return false;
	f = frame_of(index_clamp(mfn, frame_limit));
	spin_lock(&frame_lock);
	word = __atomic_load_n(&f->word, __ATOMIC_RELAXED);
	while (is_domain_of(word, owner))
		if (change_word(f, &word, frame_word(FRAME_LIMBO, owner, (uint32_t)word))) {
			chunk_loses(mfn, owner);
			spin_unlock(&frame_lock);
			return true;
		}
	spin_unlock(&frame_lock);
	return false;
}

bool frame_get(uint64_t mfn, uint16_t owner)
{
	struct frame *f;
	uint64_t word;

	if (mfn >= frame_limit)
		return false;
	f = frame_of(index_clamp(mfn, frame_limit));
	word = __atomic_load_n(&f->word, __ATOMIC_RELAXED);
	/* A count that is full refuses: it never wraps. */
	while (is_domain_of(word, owner) && (uint32_t)word != UINT32_MAX)
		if (change_word(f, &word, word + 1))
			return true;
	return false;
}

/* One holder less. True when that was the last: the frame is HYPERVISOR, and the caller's. */
static bool drop_reference(uint64_t mfn)
{
	struct frame *f = frame_of(mfn);
	uint64_t word = __atomic_load_n(&f->word, __ATOMIC_RELAXED);
	uint64_t less;

	do {
		BUG_ON((uint32_t)word == 0);
		less = word - 1;
		if ((uint32_t)word == 1) {
			BUG_ON((word & FRAME_WORD_OWNER) >> 48 != FRAME_LIMBO);
			less = frame_word(FRAME_HYPERVISOR, FRAME_OWNER_NONE, 1);
		}
	} while (!change_word(f, &word, less));
	return (uint32_t)word == 1;
}

void frame_put(uint64_t mfn)
{
	BUG_ON(mfn >= frame_limit);
	if (drop_reference(mfn))
		frame_free(mfn, 0);
}

void frame_release(uint64_t mfn, uint16_t owner)
{
	BUG_ON(!frame_retire(mfn, owner));
	frame_put(mfn);
}

void frame_put_block(uint64_t mfn, unsigned order)
{
	uint64_t ours[BITMAP_WORDS(CHUNK_FRAMES)] = { 0 };
	uint64_t count = 1ULL << order;
	size_t i;

	BUG_ON(order > FRAME_ORDER_2M);
	for (i = 0; i < count; i++)
		if (drop_reference(mfn + i))
			bitmap_set(ours, i);
	if (bitmap_count(ours, count) == count) {
		frame_free(mfn, order);
		return;
	}
	bitmap_for_each(i, ours, count)
		frame_free(mfn + i, 0);
}

/* --- At boot --- */

static uint64_t highest_frame(const struct boot_info *boot)
{
	uint64_t limit = 0;

	for (uint32_t i = 0; i < boot->range_count; i++) {
		const struct boot_range *r = &boot->ranges[i];
		uint64_t end = (r->start + r->size) >> FRAME_SHIFT;

		if (r->type == BOOT_RAM && end > limit)
			limit = end;
	}
	return limit < FRAME_LIMIT_MAX ? limit : FRAME_LIMIT_MAX;
}

static void add_ram(uint64_t mfn, uint64_t end)
{
	for (; mfn < end && mfn < frame_limit; mfn++) {
		struct frame *f = frame_of(mfn);

		f->word = free_word(ORDER_NONE);
		f->tag = FRAME_TAG_DIRTY;
		frame_total++;
	}
}

/* Of several that want the same frame the first gets it. */
static void reserve(uint64_t start, uint64_t size, uint64_t tag)
{
	uint64_t end = (start + size + FRAME_SIZE - 1) >> FRAME_SHIFT;

	for (uint64_t mfn = start >> FRAME_SHIFT; mfn < end && mfn < frame_limit; mfn++) {
		struct frame *f = frame_of(mfn);

		if (f->state != FRAME_FREE)
			continue;
		f->word = frame_word(FRAME_HYPERVISOR, FRAME_OWNER_NONE, 1);
		f->tag = tag;
		list_init(&f->link);
	}
}

static void reserve_all(const struct boot_info *boot)
{
	const struct early_range *early;
	uint64_t start, size;
	uint32_t count;

	arch_image_range(&start, &size);
	reserve(start, size, FRAME_TAG_NONE);
	early = early_alloc_ranges(&count);
	for (uint32_t i = 0; i < count; i++)
		reserve(early[i].start, early[i].size, FRAME_TAG_NONE);
	for (uint32_t i = 0; i < boot->module_count; i++)
		reserve(boot->modules[i].start, boot->modules[i].size, FRAME_TAG_MODULE);
	reserve(0, LOW_FRAMES * FRAME_SIZE, FRAME_TAG_LOW);
}

/* In blocks as large as their alignment allows. */
static void add_free_run(uint64_t mfn, uint64_t end)
{
	while (mfn < end) {
		unsigned order = FRAME_ORDER_MAX;

		while ((mfn & ((1ULL << order) - 1)) || mfn + (1ULL << order) > end)
			order--;
		block_insert(mfn, order);
		mfn += 1ULL << order;
	}
}

static void add_free_runs(void)
{
	uint64_t first = 0;

	for (uint64_t mfn = 0; mfn < frame_limit; mfn++)
		if (frame_of(mfn)->state != FRAME_FREE) {
			add_free_run(first, mfn);
			first = mfn + 1;
		}
	add_free_run(first, frame_limit);
}

void frame_init(const struct boot_info *boot)
{
	uint64_t chunks;

	frame_limit = highest_frame(boot);
	chunks = (frame_limit + CHUNK_FRAMES - 1) >> FRAME_ORDER_2M;
	frame_table = arch_frame_table_create(boot, frame_limit, sizeof(struct frame));
	frame_chunks = early_alloc_pointer(chunks * sizeof(struct frame_chunk));
	for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++)
		list_init(&free_lists[order]);
	free_orders = 0;
	free_frames = 0;
	frame_total = 0;
	for (uint64_t i = 0; i < chunks; i++)
		frame_chunks[i].owner = FRAME_OWNER_NONE;
	for (uint32_t i = 0; i < boot->range_count; i++)
		if (boot->ranges[i].type == BOOT_RAM)
			add_ram(boot->ranges[i].start >> FRAME_SHIFT,
				(boot->ranges[i].start + boot->ranges[i].size) >> FRAME_SHIFT);
	reserve_all(boot);
	add_free_runs();
}

void frame_free_modules(const struct boot_info *boot)
{
	for (uint32_t i = 0; i < boot->module_count; i++) {
		const struct boot_module *m = &boot->modules[i];
		uint64_t end = (m->start + m->size + FRAME_SIZE - 1) >> FRAME_SHIFT;

		for (uint64_t mfn = m->start >> FRAME_SHIFT; mfn < end && mfn < frame_limit; mfn++)
			if (frame_of(mfn)->state == FRAME_HYPERVISOR &&
			    frame_of(mfn)->tag == FRAME_TAG_MODULE)
				frame_free(mfn, 0);
	}
}

/* --- Audit --- */

static const char *audit_lists(void)
{
	uint64_t listed = 0, free = 0;
	struct list_node *node;

	for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++)
		list_for_each(node, &free_lists[order]) {
			const struct frame *f = list_entry(node, struct frame, link);

			if (f->state != FRAME_FREE || f->order != order)
				return "I2: a frame in a free list is not a free block of its order";
			listed += 1ULL << order;
		}
	for (uint64_t mfn = 0; mfn < frame_limit; mfn++)
		free += frame_of(mfn)->state == FRAME_FREE;
	if (listed != free_frames || free != free_frames)
		return "I1: free frames, those in the lists and their count differ";
	return NULL;
}

static const char *audit_chunks(void)
{
	for (uint64_t chunk = 0; chunk << FRAME_ORDER_2M < frame_limit; chunk++) {
		struct frame_chunk counted = chunk_count(chunk);
		struct frame_chunk kept = frame_chunks[chunk];
		uint16_t owned = 0;

		for (uint64_t i = 0; i < CHUNK_FRAMES; i++)
			owned += frame_owned_by((chunk << FRAME_ORDER_2M) + i, kept.owner);
		if (kept.owned != owned || (kept.owned == 0 && counted.owned != 0))
			return "I1: the counter of a 2 MiB chunk is wrong";
	}
	return NULL;
}

/* Other frames each time, in a stride that has no factor in common with powers of two. */
static const char *audit_contents(void)
{
	static uint64_t at;

	for (unsigned i = 0; i < AUDIT_SAMPLES; i++) {
		at = (at + 12345) % frame_limit;
		if (frame_of(at)->state == FRAME_FREE && frame_of(at)->tag != FRAME_TAG_DIRTY &&
		    !is_scrubbed(at))
			return "I8: a free frame was written";
	}
	return NULL;
}

const char *frame_audit(void)
{
	const char *wrong = audit_lists();

	if (!wrong)
		wrong = audit_chunks();
	if (!wrong)
		wrong = audit_contents();
	return wrong;
}
