// SPDX-License-Identifier: BSD-2-Clause
/*
 * A front end that changes requests, buffers, producers and headers of packets while the back end looks at them, from
 * another thread, under the thread sanitizer: it reports whatever reads shared memory other than once and whole. What
 * leaves is this interface's nevertheless, since it was copied before it was checked.
 *
 * Bytes of packets are copied as bytes, from the pool and to it: of that alone the sanitizer is told to say nothing.
 */
#include "unit.h"

#include <pthread.h>
#include <sys/socket.h>

#include "backends/net/queue.h"
#include "fake_link.h"

#define SLOTS	 32
#define TRANSMIT 1
#define RECEIVE	 2
#define POOL	 3
#define FRAMES	 16
#define BYTES	 100	    /* of a packet: all of it is copied */
#define BUFFERS	 (8 * 4096) /* where they are in the pool */
#define WANTED	 20000	    /* packets sent, and connections broken */

const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race:transmit_gather\nrace:receive_read\n";
}

static _Alignas(4096) uint8_t memory[FAKE_GRANTS][FRAMES * LINK_FRAME];
static struct queue_interface interface;
static struct queue queue;
static int outside;
static uint64_t left, broken;
static bool stopping;

static struct rf_ring *ring_of(unsigned which)
{
	return (struct rf_ring *)memory[which];
}

/* Words of requests that are right one by one, and in any mixture mostly not. */
static uint64_t any_word(uint64_t *random)
{
	static const uint64_t words[] = { 0,
					  1,
					  (uint64_t)BYTES << 32 | 7,
					  (uint64_t)BYTES << 32,
					  (uint64_t)BYTES << 32 | 50,
					  2048,
					  (uint64_t)2048 << 32 | BUFFERS,
					  RF_NET_CHECKSUM,
					  UINT64_MAX,
					  FRAMES * LINK_FRAME };

	return words[unit_random(random) % (sizeof(words) / sizeof(words[0]))];
}

static void mutate_ring(unsigned which, uint32_t request_bytes, uint64_t *random)
{
	uint64_t *words = (uint64_t *)(memory[which] + rf_ring_requests_offset());
	struct rf_ring *ring = ring_of(which);

	__atomic_store_n(&words[unit_random(random) % (SLOTS * request_bytes / 8)],
			 any_word(random), __ATOMIC_RELAXED);
	if (unit_random(random) % 64 == 0)
		__atomic_add_fetch(&ring->request_producer, 1, __ATOMIC_RELEASE);
	if (unit_random(random) % 4096 == 0)
		__atomic_store_n(&ring->request_producer, (uint32_t)*random, __ATOMIC_RELEASE);
	if (unit_random(random) % 64 == 0)
		__atomic_store_n(&ring->response_threshold, (uint32_t)*random, __ATOMIC_RELEASE);
}

static void *mutate(void *argument)
{
	uint64_t random = 42;

	while (!__atomic_load_n(&stopping, __ATOMIC_RELAXED)) {
		mutate_ring(TRANSMIT, sizeof(struct rf_net_transmit_request), &random);
		mutate_ring(RECEIVE, sizeof(struct rf_net_receive_request), &random);
		/* The sender's address is right for a moment, and then not. */
		__atomic_store_n(&memory[POOL][PACKET_MAC + unit_random(&random) % PACKET_MAC],
				 (uint8_t)(random % 4), __ATOMIC_RELAXED);
	}
	return argument;
}

/* One that is right, as an honest part of the front end would make it. */
static void put(unsigned which, const void *request, size_t bytes)
{
	struct rf_ring *ring = ring_of(which);
	uint64_t *slot = (uint64_t *)(memory[which] + rf_ring_requests_offset());
	uint32_t at = __atomic_load_n(&ring->request_producer, __ATOMIC_RELAXED) % SLOTS;
	uint64_t word;

	for (unsigned i = 0; i < bytes / 8; i++) {
		memcpy(&word, (const uint8_t *)request + i * 8, 8);
		__atomic_store_n(&slot[at * bytes / 8 + i], word, __ATOMIC_RELAXED);
	}
	__atomic_add_fetch(&ring->request_producer, 1, __ATOMIC_RELEASE);
}

static void make_requests(void)
{
	const struct rf_net_transmit_request packet = { .bytes = BYTES,
							.segments = 1,
							.segment = { { 0, BYTES } } };
	const struct rf_net_receive_request buffer = { 1, BUFFERS, 4096, 0 };
	struct virtio_net_hdr none = { 0 };
	uint8_t data[BYTES] = { 0 };
	struct iovec piece[2] = { { &none, sizeof(none) }, { data, sizeof(data) } };

	for (unsigned i = 0; i < PACKET_MAC; i++)
		__atomic_store_n(&memory[POOL][PACKET_MAC + i], interface.rules.mac[i],
				 __ATOMIC_RELAXED);
	put(TRANSMIT, &packet, sizeof(packet));
	put(RECEIVE, &buffer, sizeof(buffer));
	/* It is full, at times. */
	if (writev(outside, piece, 2) < 0)
		return;
}

static void prepare_ring(unsigned which, uint32_t request_bytes, uint32_t response_bytes)
{
	struct rf_ring *ring = ring_of(which);

	__atomic_store_n(&ring->magic, RF_RING_MAGIC, __ATOMIC_RELAXED);
	__atomic_store_n(&ring->slots, SLOTS, __ATOMIC_RELAXED);
	__atomic_store_n(&ring->request_bytes, request_bytes, __ATOMIC_RELAXED);
	__atomic_store_n(&ring->response_bytes, response_bytes, __ATOMIC_RELAXED);
	__atomic_store_n(&ring->request_producer, 0, __ATOMIC_RELAXED);
}

static void connect_queue(void)
{
	const struct message_queue wanted = { 5, SLOTS, SLOTS, TRANSMIT, RECEIVE, POOL, FRAMES };

	prepare_ring(TRANSMIT, sizeof(struct rf_net_transmit_request),
		     sizeof(struct rf_net_transmit_response));
	prepare_ring(RECEIVE, sizeof(struct rf_net_receive_request),
		     sizeof(struct rf_net_receive_response));
	assert_null(queue_open(&queue, &interface, 0, &wanted));
}

static void disconnect_queue(void)
{
	queue_stop(&queue);
	while (!queue_idle(&queue))
		loop_turn(&interface.loop, false);
	queue_close(&queue);
	assert_int_equal(fake_mapped, 0);
}

static void check_departed(void)
{
	struct virtio_net_hdr header;
	uint8_t data[2048];
	struct iovec piece[2] = { { &header, sizeof(header) }, { data, sizeof(data) } };

	while (readv(outside, piece, 2) >= 0) {
		assert_memory_equal(data + PACKET_MAC, interface.rules.mac, PACKET_MAC);
		left++;
	}
}

static void start(void)
{
	int pair[2];

	for (unsigned i = TRANSMIT; i <= POOL; i++)
		fake_grant[i] = (struct fake_grant){ memory[i], FRAMES };
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
	outside = pair[0];
	interface.tap = (struct tap){ .file = { pair[1] }, .files = 1, .plain = true };
	assert_int_equal(loop_open(&interface.loop, 64, 0), 0);
	interface.link = &fake_link;
	interface.carrier = true;
	interface.rules = (struct packet_rules){ .mtu = 1500,
						 .checksum = 1,
						 .filter_mac = 1,
						 .mac = { 2, 0, 1, 0, 3, 1 } };
	connect_queue();
}

/* Enough, and of each kind some: that the other thread had its turn. */
static bool is_enough(void)
{
	const struct message_statistics *counts = &interface.statistics;

	return left + broken >= WANTED && broken && left && counts->received && counts->invalid &&
	       counts->refused;
}

static void packets_that_change_do_no_harm(void **state)
{
	pthread_t thread;

	(void)state;
	start();
	pthread_create(&thread, NULL, mutate, NULL);
	while (!is_enough()) {
		make_requests();
		if (!queue_turn(&queue)) {
			broken++;
			disconnect_queue();
			connect_queue();
		}
		check_departed();
		loop_turn(&interface.loop, false);
	}
	__atomic_store_n(&stopping, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	disconnect_queue();
	loop_close(&interface.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(packets_that_change_do_no_harm) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
