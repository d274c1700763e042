// SPDX-License-Identifier: BSD-2-Clause
/*
 * A front end that changes requests, producers and all else of the ring while the back end looks at them, from another
 * thread, under the thread sanitizer: it reports whatever reads shared memory other than once and whole. What
 * reaches the image is right nevertheless, since it was copied before it was checked.
 */
#include "unit.h"

#include <pthread.h>

#include "backends/block/queue.h"
#include "fake_link.h"

#define SLOTS	32
#define RING	1
#define POOL	2
#define FRAMES	16
#define SECTORS 1024
#define WANTED	20000 /* connections broken and requests done, together */

static _Alignas(4096) uint8_t ring_memory[3 * LINK_FRAME];
static _Alignas(4096) uint8_t pool_memory[FRAMES * LINK_FRAME];
static struct queue_disk disk;
static struct queue queue;
static struct image_work *started[SLOTS];
static unsigned count;
static uint64_t done, broken;
static bool stopping;

static void fake_start(struct image *image, struct image_work *work)
{
	uint64_t bytes = 0;

	(void)image;
	assert_true(count < SLOTS);
	assert_true(work->offset <= SECTORS * 512 && work->bytes <= SECTORS * 512 - work->offset);
	for (unsigned i = 0; i < work->pieces; i++) {
		uint8_t *start = work->piece[i].iov_base;

		assert_true(start >= pool_memory);
		assert_true(start + work->piece[i].iov_len <= pool_memory + sizeof(pool_memory));
		bytes += work->piece[i].iov_len;
	}
	assert_true(work->operation > RF_BLOCK_WRITE || bytes == work->bytes);
	started[count++] = work;
}

static const struct image_kind kind = { .name = "fake", .start = fake_start };

/* Words of requests that are right one by one, and in any mixture mostly not. */
static uint64_t any_word(uint64_t *random)
{
	static const uint64_t words[] = {
		8,    16,	  SECTORS - 8, 8,	   (uint64_t)POOL << 32 | 8,
		4096, 0x00010000, 0x00010001,  UINT64_MAX, POOL
	};

	return words[unit_random(random) % (sizeof(words) / sizeof(words[0]))];
}

static void *mutate(void *argument)
{
	uint64_t *words = (uint64_t *)(ring_memory + rf_ring_requests_offset());
	struct rf_ring *shared = (struct rf_ring *)ring_memory;
	uint64_t random = 42;

	(void)argument;
	while (!__atomic_load_n(&stopping, __ATOMIC_RELAXED)) {
		uint64_t at = unit_random(&random) % (SLOTS * sizeof(struct rf_block_request) / 8);

		__atomic_store_n(&words[at], any_word(&random), __ATOMIC_RELAXED);
		if (unit_random(&random) % 64 == 0)
			__atomic_add_fetch(&shared->request_producer, 1, __ATOMIC_RELEASE);
		if (unit_random(&random) % 4096 == 0)
			__atomic_store_n(&shared->request_producer, (uint32_t)random,
					 __ATOMIC_RELEASE);
		if (unit_random(&random) % 64 == 0)
			__atomic_store_n(&shared->response_threshold, (uint32_t)random,
					 __ATOMIC_RELEASE);
	}
	return NULL;
}

/* One that is right, as an honest part of the front end would make it. */
static void make_request(void)
{
	const struct rf_block_request request = { .sector = 8,
						  .sectors = 8,
						  .segments = 1,
						  .segment = { { POOL, 0, 4096 } } };
	struct rf_ring *shared = (struct rf_ring *)ring_memory;
	uint64_t *slot = (uint64_t *)(ring_memory + rf_ring_requests_offset());
	uint64_t words[sizeof(request) / 8];
	uint32_t at = __atomic_load_n(&shared->request_producer, __ATOMIC_RELAXED) % SLOTS;

	memcpy(words, &request, sizeof(request));
	for (unsigned i = 0; i < sizeof(request) / 8; i++)
		__atomic_store_n(&slot[at * sizeof(request) / 8 + i], words[i], __ATOMIC_RELAXED);
	__atomic_add_fetch(&shared->request_producer, 1, __ATOMIC_RELEASE);
}

static void connect_queue(void)
{
	const struct message_queue wanted = { 5, SLOTS, RING, POOL, FRAMES };
	struct rf_ring *shared = (struct rf_ring *)ring_memory;

	__atomic_store_n(&shared->magic, RF_RING_MAGIC, __ATOMIC_RELAXED);
	__atomic_store_n(&shared->slots, SLOTS, __ATOMIC_RELAXED);
	__atomic_store_n(&shared->request_bytes, (uint32_t)sizeof(struct rf_block_request),
			 __ATOMIC_RELAXED);
	__atomic_store_n(&shared->response_bytes, (uint32_t)sizeof(struct rf_block_response),
			 __ATOMIC_RELAXED);
	__atomic_store_n(&shared->request_producer, 0, __ATOMIC_RELAXED);
	assert_null(queue_open(&queue, &disk, 0, &wanted));
}

static void complete_all(void)
{
	while (count) {
		done++;
		image_finish(started[--count], 0);
	}
}

static void disconnect_queue(void)
{
	queue_stop(&queue);
	complete_all();
	while (!queue_idle(&queue))
		loop_turn(&disk.loop, false);
	queue_close(&queue);
}

static void requests_that_change_do_no_harm(void **state)
{
	pthread_t thread;

	(void)state;
	assert_int_equal(loop_open(&disk.loop, 64, 0), 0);
	fake_grant[RING] = (struct fake_grant){ ring_memory, sizeof(ring_memory) / LINK_FRAME };
	fake_grant[POOL] = (struct fake_grant){ pool_memory, FRAMES };
	disk.link = &fake_link;
	disk.image.kind = &kind;
	disk.rules = (struct request_rules){ SECTORS, 512,   RF_BLOCK_BYTES_MAX,
					     2048,    false, true,
					     true,    true,  false };
	TAILQ_INIT(&disk.full);
	connect_queue();
	pthread_create(&thread, NULL, mutate, NULL);
	while (done + broken < WANTED || !broken || !done || !disk.statistics.refused) {
		make_request();
		if (!queue_turn(&queue)) {
			broken++;
			disconnect_queue();
			connect_queue();
		}
		complete_all();
	}
	__atomic_store_n(&stopping, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	disconnect_queue();
	loop_close(&disk.loop);
	print_message("%lu done, %lu refused, %lu times broken\n", done, disk.statistics.refused,
		      broken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_that_change_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
