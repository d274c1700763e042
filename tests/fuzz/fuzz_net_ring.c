// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any requests, producers and bytes in both rings of a queue, while another thread writes into the rings and the pool
 * without end. Whatever leaves through the tap says that this interface sent it, and has its checksums within it;
 * each request has one response; what waits is bounded.
 *
 * The input is a list of steps: a packet, a buffer, a producer, a byte, a packet from outside. At the end it says how
 * many requests there were.
 *
 * options: -max_len=3000 -len_control=0 -runs=16000
 * full-options: -max_len=3000 -len_control=0 -runs=1600000
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "backends/net/queue.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/unit/fake_link.h"

#define SLOTS	    32
#define TRANSMIT    1
#define RECEIVE	    2
#define POOL	    3
#define POOL_FRAMES 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Alignas(4096) uint8_t memory[4][POOL_FRAMES * LINK_FRAME];
static struct queue_interface interface;
static struct queue queue;
static int outside;
static uint64_t sent, requests;

/* --- The mutator --- */

static void *mutate(void *unused)
{
	uint64_t random = 88172645463325252ULL;

	(void)unused;
	for (;;) {
		/* Not so often that nothing is ever right. */
		for (volatile unsigned i = 0; i < 3000; i++)
			continue;
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		/* Slots and data; producers have steps of their own, or no connection would last. */
		__atomic_store_n(&memory[1 + random % 3][256 + (random >> 8) % 6000],
				 (uint8_t)(random >> 40), __ATOMIC_RELAXED);
	}
	return NULL;
}

/* --- The steps --- */

static struct rf_ring *ring_of(unsigned which)
{
	return (struct rf_ring *)memory[which];
}

static void prepare_ring(unsigned which, uint32_t request_bytes, uint32_t response_bytes)
{
	memset(memory[which], 0, sizeof(struct rf_ring));
	*ring_of(which) = (struct rf_ring){ .magic = RF_RING_MAGIC,
					    .slots = SLOTS,
					    .request_bytes = request_bytes,
					    .response_bytes = response_bytes };
}

static void connect_queue(void)
{
	const struct message_queue wanted = {
		5, SLOTS, SLOTS, TRANSMIT, RECEIVE, POOL, POOL_FRAMES
	};

	prepare_ring(TRANSMIT, sizeof(struct rf_net_transmit_request),
		     sizeof(struct rf_net_transmit_response));
	prepare_ring(RECEIVE, sizeof(struct rf_net_receive_request),
		     sizeof(struct rf_net_receive_response));
	require(!queue_open(&queue, &interface, 0, &wanted));
}

static void disconnect_queue(void)
{
	queue_stop(&queue);
	while (!queue_idle(&queue))
		loop_turn(&interface.loop, false);
	queue_close(&queue);
	require(!fake_mapped);
}

static void check_departed(void)
{
	uint8_t data[2048];
	struct virtio_net_hdr header;
	struct iovec piece[2] = { { &header, sizeof(header) }, { data, sizeof(data) } };
	ssize_t length;

	while ((length = readv(outside, piece, 2)) >= 0) {
		require(length >= (ssize_t)sizeof(header) + 14);
		require(memcmp(data + PACKET_MAC, interface.rules.mac, PACKET_MAC) == 0);
		require(!header.flags ||
			header.csum_start + header.csum_offset + 2U + sizeof(header) <=
				(size_t)length ||
			(size_t)length == sizeof(header) + sizeof(data));
		sent++;
	}
}

static void turn(void)
{
	if (!queue_turn(&queue)) {
		disconnect_queue();
		connect_queue();
	}
	check_departed();
	require(ring_back_open_requests(&queue.transmit.ring) == queue.transmit.held);
	require(ring_back_open_requests(&queue.receive.ring) == queue.receive.count);
	require(queue.receive.count <= QUEUE_STOCK);
	loop_turn(&interface.loop, false);
}

static void put(unsigned which, const void *request, size_t bytes)
{
	struct rf_ring *ring = ring_of(which);
	uint8_t *slots = memory[which] + rf_ring_requests_offset();

	memcpy(slots + (ring->request_producer % SLOTS) * bytes, request, bytes);
	ring->request_producer++;
	requests++;
}

static void make_packet(struct input *input)
{
	struct rf_net_transmit_request request = { .segments = 1 };
	uint32_t offset = take(input, 2);

	request.bytes = 14 + take(input, 1) * 4;
	request.segment[0] = (struct rf_net_segment){ offset, request.bytes };
	if (offset & 1)
		request.offload = (struct rf_net_offload){
			RF_NET_CHECKSUM,	  0, 0, 0, (uint16_t)take(input, 1),
			(uint16_t)take(input, 1), 0
		};
	if (offset + 20 < sizeof(memory[POOL]))
		memcpy(memory[POOL] + offset + PACKET_MAC, interface.rules.mac, PACKET_MAC);
	put(TRANSMIT, &request, sizeof(request));
}

static void make_buffer(struct input *input)
{
	struct rf_net_receive_request request = { 1, take(input, 1) * 512, 2048, 0 };

	put(RECEIVE, &request, sizeof(request));
}

static void make_bytes(struct input *input, unsigned which, size_t bytes)
{
	uint8_t request[sizeof(struct rf_net_transmit_request)] = { 0 };

	for (size_t i = 0; i < bytes; i++)
		request[i] = (uint8_t)take(input, 1);
	put(which, request, bytes);
}

static void arrive(struct input *input)
{
	struct virtio_net_hdr header = { 0 };
	uint8_t data[4096] = { 0 };
	struct iovec piece[2] = { { &header, sizeof(header) }, { data, take(input, 1) * 16 } };

	header.flags = (uint8_t)take(input, 1);
	header.csum_start = (uint16_t)take(input, 2);
	if (writev(outside, piece, 2) < 0)
		check_departed();
}

static void step(struct input *input)
{
	uint32_t what = take(input, 1);

	if (what < 90)
		make_packet(input);
	else if (what < 150)
		make_buffer(input);
	else if (what < 155)
		make_bytes(input, TRANSMIT, sizeof(struct rf_net_transmit_request));
	else if (what < 160)
		make_bytes(input, RECEIVE, sizeof(struct rf_net_receive_request));
	else if (what < 162)
		ring_of(1 + what % 2)->request_producer += take(input, 1);
	else if (what < 165)
		memory[1 + what % 2][take(input, 2) % 4096] = (uint8_t)take(input, 1);
	else if (what < 200)
		arrive(input);
	else
		turn();
}

static void say(void)
{
	const struct message_statistics *counts = &interface.statistics;

	printf("requests: %lu; packets that went: %lu, that came: %lu; invalid: %lu, unfit: %lu, "
	       "no buffer: %lu\n",
	       (unsigned long)requests, (unsigned long)sent, (unsigned long)counts->received,
	       (unsigned long)counts->invalid, (unsigned long)counts->unfit,
	       (unsigned long)counts->no_buffer);
}

static void start(void)
{
	pthread_t thread;
	int pair[2];

	for (unsigned i = TRANSMIT; i <= POOL; i++)
		fake_grant[i] = (struct fake_grant){ memory[i], POOL_FRAMES };
	require(!socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair));
	outside = pair[0];
	interface.tap = (struct tap){ .file = { pair[1] }, .files = 1, .plain = true };
	require(loop_open(&interface.loop, 64, 0) == 0);
	interface.link = &fake_link;
	interface.carrier = true;
	interface.rules = (struct packet_rules){ .mtu = 1500,
						 .checksum = 1,
						 .tcp4 = 1,
						 .tcp6 = 1,
						 .filter_mac = 1,
						 .mac = { 2, 0, 0, 0, 0, 1 } };
	interface.accepts.checksum = 1;
	connect_queue();
	atexit(say);
	require(!pthread_create(&thread, NULL, mutate, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };

	if (!interface.link)
		start();
	while (input.size) {
		/* A front end with as many requests as slots has to wait. */
		if (ring_of(TRANSMIT)->request_producer - queue.transmit.ring.responded >= SLOTS)
			turn();
		if (ring_of(RECEIVE)->request_producer - queue.receive.ring.responded < SLOTS ||
		    input.data[0] < 90 || input.data[0] >= 150)
			step(&input);
		else
			take(&input, 1);
	}
	turn();
	disconnect_queue();
	connect_queue();
	return 0;
}
