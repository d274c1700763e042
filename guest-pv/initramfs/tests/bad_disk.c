// SPDX-License-Identifier: GPL-2.0
/*
 * A back end of a disk that breaks the rules of abi/io/ring.h, for tests/system/test_linux_disk.py:
 *	bad_disk DOMAIN RING-GRANT PORT HOW
 * It says `ready` when it is connected, waits for requests, answers them in that way, says `done`, and
 * ends when it is killed.
 */
#include "bad.h"
#include "abi/io/block.h"

#define SLOTS 128

static struct rf_ring *ring;

static uint32_t domain;

static uint32_t request_id(uint32_t number)
{
	return ((const struct rf_block_request *)request_of(ring, number))->id;
}

static void put_response(uint32_t number, uint32_t id, uint32_t status)
{
	*(struct rf_block_response *)response_of(ring, number) =
		(struct rf_block_response){ id, status };
}

/* One more than there are requests. */
static void ahead(void)
{
	respond(ring, ring->request_producer + 1);
}

static void far_ahead(void)
{
	respond(ring, ring->request_producer + 0x80000000);
}

/* An id that no request can have, and one that none has. */
static void no_id(void)
{
	put_response(0, 0xffffffff, RF_BLOCK_OK);
	respond(ring, 1);
}

static void other_id(void)
{
	put_response(0, (request_id(0) + 1) % ring->slots, RF_BLOCK_OK);
	respond(ring, 1);
}

/* The first is answered well. */
static void back(void)
{
	put_response(0, request_id(0), RF_BLOCK_OK);
	respond(ring, 1);
	wait_for_requests(ring, 2);
	respond(ring, 0);
}

/* The second is answered twice at once: its id cannot be another request's meanwhile. */
static void twice(void)
{
	put_response(0, request_id(0), RF_BLOCK_OK);
	respond(ring, 1);
	wait_for_requests(ring, 2);
	put_response(1, request_id(1), RF_BLOCK_OK);
	put_response(2, request_id(1), RF_BLOCK_OK);
	respond(ring, 3);
}

/* No rule says that it must be known: every request fails. */
static void status(void)
{
	for (uint32_t i = 0; i < 4; i++) {
		wait_for_requests(ring, i + 1);
		put_response(i, request_id(i), 99);
		respond(ring, i + 1);
	}
}

/* Answers the first, which has a grant of its own, and goes on using that. */
static uint8_t *answer_and_keep(void)
{
	const struct rf_block_request *request = request_of(ring, 0);
	uint8_t *data = map_grant(domain, request->segment[0].grant, 1);

	check(request->operation == RF_BLOCK_READ && request->segment[0].offset == 0);
	memset(data, 0x5a, 4096);
	put_response(0, request_id(0), RF_BLOCK_OK);
	respond(ring, 1);
	return data;
}

/* Whoever reads makes the second request when the first has ended: not before it is let go of. */
static void keep(void)
{
	struct rf_control_grant_unmap unmap = { .domain = domain };
	uint8_t *data = answer_and_keep();

	unmap.offset = last_mapped;
	sleep(2);
	check(ring->request_producer == 1);
	check(munmap(data, 4096) == 0 && ioctl(device, RF_CONTROL_GRANT_UNMAP, &unmap) == 0);
	wait_for_requests(ring, 2);
}

/* Takes no grant of a request: then it comes again, with the pool's, which all have. */
static void refuse(void)
{
	const struct rf_block_request *first = request_of(ring, 0);
	const struct rf_block_request *second = request_of(ring, 1);

	put_response(0, first->id, RF_BLOCK_INVALID);
	respond(ring, 1);
	wait_for_requests(ring, 2);
	check(second->sector == first->sector && second->sectors == first->sectors);
	check(second->segment[0].grant != first->segment[0].grant);
	put_response(1, second->id, RF_BLOCK_OK);
	respond(ring, 2);
}

/* Never lets go; and then a response to nothing. */
static void keep_ahead(void)
{
	answer_and_keep();
	respond(ring, ring->request_producer + 1);
}

static const struct way ways[] = {
	{ "ahead", ahead },	  { "far_ahead", far_ahead }, { "no_id", no_id },
	{ "other_id", other_id }, { "back", back },	      { "twice", twice },
	{ "status", status },	  { "keep", keep },	      { "keep_ahead", keep_ahead },
	{ "refuse", refuse },
};

int main(int count, char **arguments)
{
	if (count != 5)
		return SKIPPED;
	open_device();
	domain = (uint32_t)atoi(arguments[1]);
	ring = map_ring(domain, (uint32_t)atoi(arguments[2]), SLOTS,
			sizeof(struct rf_block_request), sizeof(struct rf_block_response));
	connect_port(domain, (uint32_t)atoi(arguments[3]));
	say("ready");
	wait_for_requests(ring, 1);
	misbehave(ways, sizeof(ways) / sizeof(ways[0]), arguments[4]);
	return 0;
}
