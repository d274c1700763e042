// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any requests, any producers, any bytes in the ring, to a queue of a disk: what reaches the image is within it and
 * within what the front end granted, and each request has one response. Half of the requests are nearly right.
 *
 * The input is a list of steps: a request, a producer, completions, a byte of the ring changed, the end of a
 * connection. At the end it says how many requests there were.
 *
 * options: -max_len=4000 -len_control=0 -runs=32000
 * full-options: -max_len=4000 -len_control=0 -runs=3000000
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/block/queue.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/unit/fake_link.h"

#define SLOTS	    32
#define RING_GRANT  1
#define POOL_GRANT  2
#define OTHER_GRANT 3
#define POOL_FRAMES 64
#define SECTORS	    4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Alignas(4096) uint8_t ring_memory[3 * LINK_FRAME];
static _Alignas(4096) uint8_t pool_memory[POOL_FRAMES * LINK_FRAME];
static _Alignas(4096) uint8_t other_memory[8 * LINK_FRAME];
static struct rf_ring *shared = (struct rf_ring *)ring_memory;
static struct queue_disk disk;
static struct queue queue;
static struct image_work *started[SLOTS];
static unsigned count;
static uint64_t requests;

/* --- What it is linked with --- */

static bool is_within(const struct iovec *piece, const uint8_t *memory, size_t bytes)
{
	const uint8_t *start = piece->iov_base;

	return start >= memory && start < memory + bytes && piece->iov_len <= bytes &&
	       start + piece->iov_len <= memory + bytes;
}

static void fake_start(struct image *image, struct image_work *work)
{
	uint64_t bytes = 0;

	(void)image;
	require(count < SLOTS);
	require(work->offset <= SECTORS * 512 && work->bytes <= SECTORS * 512 - work->offset);
	for (unsigned i = 0; i < work->pieces; i++) {
		bytes += work->piece[i].iov_len;
		require(is_within(&work->piece[i], pool_memory, sizeof(pool_memory)) ||
			is_within(&work->piece[i], other_memory, sizeof(other_memory)));
	}
	if (work->operation <= RF_BLOCK_WRITE)
		require(bytes == work->bytes && bytes);
	else
		require(!work->pieces);
	started[count++] = work;
}

static const struct image_kind kind = { .name = "fake", .start = fake_start };

/* --- The steps --- */

static void complete(unsigned which, int error)
{
	struct image_work *work;

	if (!count)
		return;
	which %= count;
	work = started[which];
	started[which] = started[--count];
	image_finish(work, error);
	disk.image.failed = false;
}

static unsigned waiting(void)
{
	struct queue_request *request;
	unsigned found = 0;

	TAILQ_FOREACH(request, &disk.full, entry)
		found++;
	return found;
}

static void connect_queue(void)
{
	const struct message_queue wanted = { 5, SLOTS, RING_GRANT, POOL_GRANT, POOL_FRAMES };

	memset(ring_memory, 0, sizeof(ring_memory));
	*shared = (struct rf_ring){ RF_RING_MAGIC,
				    SLOTS,
				    sizeof(struct rf_block_request),
				    sizeof(struct rf_block_response),
				    { 0 },
				    0,
				    0,
				    { 0 },
				    0,
				    0,
				    { 0 },
				    { 0 } };
	require(!queue_open(&queue, &disk, 0, &wanted));
}

static void disconnect_queue(void)
{
	queue_stop(&queue);
	while (count)
		complete(0, 0);
	while (!queue_idle(&queue))
		loop_turn(&disk.loop, false);
	queue_close(&queue);
	require(!fake_mapped);
}

static void turn(void)
{
	uint32_t before = queue.ring.responded;

	if (!queue_turn(&queue)) {
		disconnect_queue();
		connect_queue();
		return;
	}
	/* Taken: at the image, waiting for space, or answered. */
	require(ring_back_open_requests(&queue.ring) == count + waiting());
	require(queue.ring.responded - before <= 4 * SLOTS);
	/* What is in the ring itself the front end may have overwritten. */
	require(queue.ring.published == queue.ring.responded);
}

static void put(struct rf_block_request *request)
{
	uint8_t *slot = ring_memory + rf_ring_requests_offset();

	memcpy(slot + (shared->request_producer % SLOTS) * sizeof(*request), request,
	       sizeof(*request));
	shared->request_producer++;
	requests++;
}

static void make_segment(struct input *input, struct rf_block_segment *segment, uint32_t bytes)
{
	uint32_t byte = take(input, 1);

	segment->grant = byte & 7 ? POOL_GRANT + (byte >> 3 & 1) : byte;
	segment->offset = take(input, 1) * 512;
	segment->bytes = bytes;
	if (byte == 0x80)
		segment->offset = take(input, 4);
	if (byte == 0xc0)
		segment->bytes = take(input, 4);
}

/* Right, unless the input says otherwise. */
static void make_request(struct input *input)
{
	struct rf_block_request request = { .id = (uint32_t)requests };
	uint32_t byte = take(input, 1);

	request.operation = byte % 7 % RF_BLOCK_OPERATIONS;
	request.flags = byte > 240 ? take(input, 1) : 0;
	request.sector = take(input, 2) % (SECTORS + 16);
	request.segments = byte >> 5;
	for (unsigned i = 0; i < request.segments; i++) {
		make_segment(input, &request.segment[i], 512 + (byte & 8) * 512);
		request.sectors += request.segment[i].bytes / 512;
	}
	if (request.operation > RF_BLOCK_WRITE)
		request.segments = 0;
	if (request.operation == RF_BLOCK_FLUSH)
		request.sector = request.sectors = 0;
	if (byte == 37)
		request.sector = (uint64_t)take(input, 4) << 32 | take(input, 4);
	put(&request);
}

static void make_bytes(struct input *input)
{
	struct rf_block_request request;
	uint8_t *byte = (uint8_t *)&request;

	memset(&request, 0, sizeof(request));
	for (unsigned i = 0; i < sizeof(request) && input->size; i++)
		byte[i] = (uint8_t)take(input, 1);
	put(&request);
}

static void step(struct input *input)
{
	uint32_t what = take(input, 1);

	if (what < 160)
		make_request(input);
	else if (what < 170)
		make_bytes(input);
	else if (what < 200)
		complete(take(input, 1), 0);
	else if (what < 205)
		complete(take(input, 1), (int)take(input, 1));
	else if (what < 206)
		shared->request_producer += take(input, 1);
	else if (what < 208)
		ring_memory[take(input, 2) % sizeof(ring_memory)] = (uint8_t)take(input, 1);
	else if (what < 209)
		disk.report_full = !disk.report_full;
	else if (what < 212)
		queue_retry(&disk);
	else
		turn();
}

static void say(void)
{
	printf("requests: %lu\n", (unsigned long)requests);
}

static void start(void)
{
	fake_grant[RING_GRANT] =
		(struct fake_grant){ ring_memory, sizeof(ring_memory) / LINK_FRAME };
	fake_grant[POOL_GRANT] = (struct fake_grant){ pool_memory, POOL_FRAMES };
	fake_grant[OTHER_GRANT] =
		(struct fake_grant){ other_memory, sizeof(other_memory) / LINK_FRAME };
	require(loop_open(&disk.loop, 64, 0) == 0);
	disk.link = &fake_link;
	disk.image.kind = &kind;
	disk.report_full = true;
	disk.rules = (struct request_rules){ SECTORS, 512,   RF_BLOCK_BYTES_MAX,
					     2048,    false, true,
					     true,    true,  true };
	TAILQ_INIT(&disk.full);
	connect_queue();
	atexit(say);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };

	if (!disk.link)
		start();
	while (input.size) {
		/* A front end with as many requests as slots has to wait. */
		if (shared->request_producer - queue.ring.responded >= SLOTS &&
		    input.data[0] < 170) {
			turn();
			complete(input.data[0], 0);
			turn();
		}
		step(&input);
	}
	disk.report_full = true;
	disconnect_queue();
	connect_queue();
	return 0;
}
