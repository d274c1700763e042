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

static const struct way ways[] = {
	{ "ahead", ahead },	  { "far_ahead", far_ahead }, { "no_id", no_id },
	{ "other_id", other_id }, { "back", back },	      { "twice", twice },
	{ "status", status },
};

int main(int count, char **arguments)
{
	if (count != 5)
		return SKIPPED;
	open_device();
	ring = map_ring((uint32_t)atoi(arguments[1]), (uint32_t)atoi(arguments[2]), SLOTS,
			sizeof(struct rf_block_request), sizeof(struct rf_block_response));
	connect_port((uint32_t)atoi(arguments[1]), (uint32_t)atoi(arguments[3]));
	say("ready");
	wait_for_requests(ring, 1);
	misbehave(ways, sizeof(ways) / sizeof(ways[0]), arguments[4]);
	return 0;
}
