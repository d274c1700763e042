// SPDX-License-Identifier: BSD-2-Clause
/*
 * The frame allocator against a model, what it promises of contents, and ownership under races.
 */
#include "unit.h"

#include <pthread.h>

#include "boot_info.h"
#include "fake_arch.h"
#include "fake_memory.h"
#include "frame.h"

#define RAM_FRAMES 16384 /* 64 MiB */
#define LOW	   256

static void assert_audit(void)
{
	const char *wrong = frame_audit();

	if (wrong)
		fail_msg("audit: %s", wrong);
}

static int setup(void **state)
{
	(void)state;
	fake_memory_init(RAM_FRAMES, 1);
	return 0;
}

static void test_init(void **state)
{
	(void)state;
	assert_int_equal(frame_limit, RAM_FRAMES);
	assert_int_equal(frame_total, RAM_FRAMES);
	assert_int_equal(frame_free_count(), RAM_FRAMES - LOW);
	assert_int_equal(frame_of(0)->tag, FRAME_TAG_LOW);
	assert_false(frame_alloc_at(LOW - 1));
	assert_true(frame_alloc_at(LOW));
	assert_false(frame_alloc_at(LOW));
	assert_false(frame_alloc_at(RAM_FRAMES));
	assert_false(frame_alloc_at(FRAME_NONE));
	frame_free(LOW, 0);
	assert_audit();
}

/* A hole, ends that are not at block boundaries, an image and modules that share a page. */
static void test_init_ragged(void **state)
{
	(void)state;
	fake_arch_init(RAM_FRAMES, 1);
	fake_reserved_frames = 300;
	memset(&boot_info, 0, sizeof(boot_info));
	boot_info.ranges[0] = (struct boot_range){ 0, 1003 << 12, BOOT_RAM };
	boot_info.ranges[1] = (struct boot_range){ 1003 << 12, 97 << 12, BOOT_RESERVED };
	boot_info.ranges[2] = (struct boot_range){ 1100 << 12, 7777 << 12, BOOT_RAM };
	boot_info.range_count = 3;
	boot_info.modules[0] = (struct boot_module){ .start = (2000 << 12) + 5, .size = 4096 };
	boot_info.modules[1] = (struct boot_module){ .start = (2001 << 12) + 9, .size = 100 };
	boot_info.module_count = 2;
	frame_init(&boot_info);
	assert_int_equal(frame_limit, 1100 + 7777);
	assert_int_equal(frame_total, 1003 + 7777);
	assert_int_equal(frame_free_count(), 1003 + 7777 - 300 - 2);
	assert_int_equal(frame_of(1050)->state, FRAME_INVALID);
	assert_false(frame_alloc_at(1050));
	assert_false(frame_alloc_at(2001));
	assert_audit();
	frame_free_modules(&boot_info);
	assert_int_equal(frame_free_count(), 1003 + 7777 - 300);
	assert_true(frame_alloc_at(2001));
	assert_audit();
}

struct block {
	uint64_t mfn;
	unsigned order;
};

static void fill_block(const struct block *b, uint64_t value)
{
	for (uint64_t i = b->mfn; i < b->mfn + (1ULL << b->order); i++)
		*(uint64_t *)arch_frame_pointer(i) = value ^ i;
}

static void check_block(const struct block *b, uint64_t value)
{
	for (uint64_t i = b->mfn; i < b->mfn + (1ULL << b->order); i++)
		assert_int_equal(*(uint64_t *)arch_frame_pointer(i), value ? value ^ i : 0);
}

/* Every block is its own, zeroed, aligned; nothing is lost. */
static void test_random(void **state)
{
	static struct block blocks[256];
	uint64_t seed = 42, all = frame_free_count();
	unsigned count = 0;

	(void)state;
	for (unsigned step = 0; step < 20000; step++) {
		uint64_t r = unit_random(&seed);

		if (count < 256 && r % 2) {
			struct block b = { .order = (unsigned)(r >> 8) % ((r >> 20) % 12 + 1) };

			b.mfn = frame_alloc(b.order);
			if (b.mfn == FRAME_NONE)
				continue;
			assert_int_equal(b.mfn % (1ULL << b.order), 0);
			check_block(&b, 0);
			fill_block(&b, 0x1234567890000000);
			blocks[count++] = b;
		} else if (count > 0) {
			unsigned at = (unsigned)(r >> 8) % count;

			check_block(&blocks[at], 0x1234567890000000);
			frame_free(blocks[at].mfn, blocks[at].order);
			blocks[at] = blocks[--count];
		}
		if (step % 2000 == 0)
			assert_audit();
	}
	while (count-- > 0)
		frame_free(blocks[count].mfn, blocks[count].order);
	assert_int_equal(frame_free_count(), all);
	assert_audit();
}

static void test_exhaustion(void **state)
{
	uint64_t all = frame_free_count();

	(void)state;
	fake_memory_starve(3);
	assert_int_equal(frame_free_count(), 3);
	assert_int_equal(frame_alloc(2), FRAME_NONE);
	assert_null(frame_alloc_pointer(1ULL << 40));
	fake_memory_feed();
	assert_int_equal(frame_free_count(), all);
	/* It grew together again. */
	assert_int_not_equal(frame_alloc(12), FRAME_NONE);
	assert_audit();
}

static void test_pointer(void **state)
{
	uint64_t all = frame_free_count();
	char *pointer = frame_alloc_pointer(3 * 4096 + 1);

	(void)state;
	assert_non_null(pointer);
	assert_int_equal(frame_pointer_frames(3 * 4096 + 1), 4);
	assert_int_equal(frame_free_count(), all - 4);
	for (unsigned i = 0; i < 4 * 4096; i++)
		assert_int_equal(pointer[i], 0);
	frame_free_pointer(pointer, 3 * 4096 + 1);
	assert_int_equal(frame_free_count(), all);
}

/* Somebody wrote to a frame after freeing it: found when it is given out, and by the audit. */
static void test_written_while_free(void **state)
{
	uint64_t mfn = frame_alloc(0);
	bool found = false;

	(void)state;
	if (!CONFIG_DEBUG)
		skip();
	frame_free(mfn, 0);
	((char *)arch_frame_pointer(mfn))[77] = 1;
	/* It looks at 1024 of 16384 frames each time. */
	for (unsigned i = 0; i < 17; i++)
		found |= frame_audit() != NULL;
	assert_true(found);
	if (!FAKE_ENDS()) {
		frame_alloc_at(mfn);
		fake_end_missed();
	}
	assert_non_null(strstr(fake_end_text, "was written while it was free"));
}

static void test_owner(void **state)
{
	uint64_t all = frame_free_count();
	uint64_t mfn = frame_alloc(0);

	(void)state;
	assert_false(frame_get(mfn, FRAME_OWNER_NONE));
	frame_assign(mfn, 0, 7);
	assert_true(frame_owned_by(mfn, 7));
	assert_false(frame_owned_by(mfn, 8));
	assert_false(frame_owned_by(frame_limit, 7));
	assert_false(frame_owned_by(FRAME_NONE, 7));
	assert_false(frame_get(mfn, 8));
	assert_false(frame_get(frame_limit, 7));
	assert_true(frame_get(mfn, 7));
	assert_int_equal(frame_of(mfn)->references, 2);
	assert_false(frame_retire(mfn, 8));
	frame_release(mfn, 7);
	/* Held, but nobody's: not to be had, not free. */
	assert_int_equal(frame_of(mfn)->state, FRAME_LIMBO);
	assert_false(frame_owned_by(mfn, 7));
	assert_false(frame_get(mfn, 7));
	assert_false(frame_alloc_at(mfn));
	assert_int_equal(frame_free_count(), all - 1);
	frame_put(mfn);
	assert_int_equal(frame_free_count(), all);
	assert_audit();
}

static void test_references_never_wrap(void **state)
{
	uint64_t mfn = frame_alloc(0);

	(void)state;
	frame_assign(mfn, 0, 7);
	frame_of(mfn)->references = UINT32_MAX - 1;
	assert_true(frame_get(mfn, 7));
	assert_false(frame_get(mfn, 7));
	assert_int_equal(frame_of(mfn)->references, UINT32_MAX);
}

static void test_misuse_is_found(void **state)
{
	uint64_t mfn = frame_alloc(0);

	(void)state;
	frame_assign(mfn, 0, 7);
	if (!FAKE_ENDS()) {
		frame_free(mfn, 0);
		fake_end_missed();
	}
	if (!FAKE_ENDS()) {
		frame_put(mfn);
		fake_end_missed();
	}
	if (!FAKE_ENDS()) {
		frame_release(mfn, 8);
		fake_end_missed();
	}
}

static void test_chunks(void **state)
{
	uint64_t chunk = frame_alloc(FRAME_ORDER_2M);

	(void)state;
	assert_false(frame_chunk_owned_by(chunk, 5));
	frame_assign(chunk, FRAME_ORDER_2M, 5);
	assert_true(frame_chunk_owned_by(chunk + 511, 5));
	assert_false(frame_chunk_owned_by(chunk + 512, 5));
	assert_false(frame_chunk_owned_by(chunk, 6));
	assert_false(frame_chunk_owned_by(FRAME_NONE, 5));
	frame_release(chunk + 3, 5);
	assert_false(frame_chunk_owned_by(chunk, 5));
	assert_true(frame_alloc_at(chunk + 3));
	frame_assign(chunk + 3, 0, 6);
	assert_false(frame_chunk_owned_by(chunk, 5));
	assert_false(frame_chunk_owned_by(chunk, 6));
	assert_audit();
	/* The others go: the one of 6 is what is counted now; then 6 gets all. */
	for (uint64_t i = 0; i < 512; i++)
		if (i != 3)
			frame_release(chunk + i, 5);
	assert_int_equal(frame_chunks[chunk >> 9].owner, 6);
	assert_int_equal(frame_chunks[chunk >> 9].owned, 1);
	for (uint64_t i = 0; i < 512; i++)
		if (i != 3) {
			assert_true(frame_alloc_at(chunk + i));
			frame_assign(chunk + i, 0, 6);
		}
	assert_true(frame_chunk_owned_by(chunk, 6));
	assert_audit();
}

static void test_put_block(void **state)
{
	uint64_t all = frame_free_count();
	uint64_t chunk = frame_alloc(FRAME_ORDER_2M);

	(void)state;
	for (unsigned held = 0; held < 2; held++) {
		frame_assign(chunk, FRAME_ORDER_2M, 5);
		if (held)
			assert_true(frame_get(chunk + 100, 5));
		for (uint64_t i = 0; i < 512; i++)
			assert_true(frame_retire(chunk + i, 5));
		frame_put_block(chunk, FRAME_ORDER_2M);
		assert_int_equal(frame_free_count(), all - held);
		assert_audit();
		if (held)
			frame_put(chunk + 100);
		else
			chunk = frame_alloc(FRAME_ORDER_2M);
	}
	assert_int_equal(frame_free_count(), all);
	assert_audit();
}

static uint64_t raced;
static volatile bool race_over;

/* Gets the frame as domain 5 or 6, whoever has it, and always puts it again. */
static void *get_and_put(void *gets)
{
	while (!race_over)
		for (uint16_t owner = 5; owner <= 6; owner++)
			if (frame_get(raced, owner)) {
				(*(uint64_t *)gets)++;
				frame_put(raced);
			}
	return NULL;
}

/* The frame changes hands while others try to hold it: no count is lost, none is left. */
static void test_race(void **state)
{
	uint64_t all = frame_free_count();
	uint64_t gets[2] = { 0, 0 };
	pthread_t threads[2];

	(void)state;
	raced = 5000;
	race_over = false;
	for (unsigned i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, get_and_put, &gets[i]);
	for (unsigned step = 0; step < 20000 || (step < 2000000 && gets[0] + gets[1] < 100);
	     step++) {
		while (!frame_alloc_at(raced))
			arch_cpu_relax();
		frame_assign(raced, 0, 5 + step % 2);
		frame_release(raced, 5 + step % 2);
	}
	race_over = true;
	for (unsigned i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(frame_free_count(), all);
	assert_int_equal(frame_of(raced)->state, FRAME_FREE);
	assert_audit();
}

#define TURNS 300000

static uint32_t takers[RAM_FRAMES]; /* of each frame, now */
static uint32_t taken_twice;

/* Two frames at a time, so that each is freed while its neighbour is being taken. */
static void *take_and_free(void *unused)
{
	for (unsigned turn = 0; turn < TURNS; turn++) {
		uint64_t mfn = frame_alloc(0);

		if (__atomic_fetch_add(&takers[mfn], 1, __ATOMIC_SEQ_CST))
			__atomic_fetch_add(&taken_twice, 1, __ATOMIC_SEQ_CST);
		__atomic_fetch_sub(&takers[mfn], 1, __ATOMIC_SEQ_CST);
		frame_free(mfn, 0);
	}
	return unused;
}

/* A frame becomes the taker's without the lock; it is not merged with a free neighbour then. */
static void test_neighbours(void **state)
{
	uint64_t all = frame_free_count();
	pthread_t threads[2];

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, take_and_free, NULL);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(taken_twice, 0);
	assert_int_equal(frame_free_count(), all);
	assert_audit();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_init, setup),
		cmocka_unit_test_setup(test_init_ragged, setup),
		cmocka_unit_test_setup(test_random, setup),
		cmocka_unit_test_setup(test_exhaustion, setup),
		cmocka_unit_test_setup(test_pointer, setup),
		cmocka_unit_test_setup(test_written_while_free, setup),
		cmocka_unit_test_setup(test_owner, setup),
		cmocka_unit_test_setup(test_references_never_wrap, setup),
		cmocka_unit_test_setup(test_misuse_is_found, setup),
		cmocka_unit_test_setup(test_chunks, setup),
		cmocka_unit_test_setup(test_put_block, setup),
		cmocka_unit_test_setup(test_race, setup),
		cmocka_unit_test_setup(test_neighbours, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
