// SPDX-License-Identifier: GPL-2.0
/*
 * A back end of a disk that breaks the rules of abi/io/ring.h, for tests/system/test_linux_disk.py:
 *	bad_disk DOMAIN RING-GRANT PORT HOW
 * It says `ready` when it is connected, waits for requests, answers them in that way, says `done`, and
 * ends when it is killed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "abi/control_device.h"
#include "abi/io/block.h"
#include "check.h"

#define FRAMES	5 /* of a ring of 128 slots */
#define SECONDS 60

static int device, port;
static struct rf_ring *ring;

static void map_ring(uint32_t domain, uint32_t grant)
{
	struct rf_control_segment segment = { .grant = grant, .count = FRAMES };
	struct rf_control_grant_map map = {
		.domain = domain,
		.count = 1,
		.segments = (uintptr_t)&segment,
		.flags = RF_GRANT_MAP_WRITE,
	};

	check(ioctl(device, RF_CONTROL_GRANT_MAP, &map) == 0);
	ring = mmap(NULL, FRAMES * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, device, (off_t)map.offset);
	check(ring != MAP_FAILED);
	check(ring->magic == RF_RING_MAGIC);
	check(rf_ring_frames(ring->slots, ring->request_bytes, ring->response_bytes) <= FRAMES);
}

static void connect_port(uint32_t domain, uint32_t number)
{
	struct rf_control_event event = { .domain = domain, .port = number };

	check(ioctl(device, RF_CONTROL_EVENT_CONNECT, &event) == 0);
	port = event.file;
}

static void tell(void)
{
	uint64_t one = 1;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	check(write(port, &one, sizeof(one)) == sizeof(one));
}

static void wait_for_requests(uint32_t number)
{
	struct pollfd file = { .fd = port, .events = POLLIN };
	uint64_t count;

	ring->request_threshold = number;
	for (int i = 0; i < SECONDS; i++) {
		if (__atomic_load_n(&ring->request_producer, __ATOMIC_ACQUIRE) - number < 1U << 31)
			return;
		if (poll(&file, 1, 1000) > 0)
			check(read(port, &count, sizeof(count)) == sizeof(count));
	}
	check(!"requests came");
}

static uint32_t request_id(uint32_t number)
{
	struct rf_block_request *requests = (void *)((char *)ring + rf_ring_requests_offset());

	return requests[number % ring->slots].id;
}

static void put_response(uint32_t number, uint32_t id, uint32_t status)
{
	struct rf_block_response *responses =
		(void *)((char *)ring + rf_ring_responses_offset(ring->slots, ring->request_bytes));

	responses[number % ring->slots] = (struct rf_block_response){ id, status };
}

static void respond(uint32_t producer)
{
	__atomic_store_n(&ring->response_producer, producer, __ATOMIC_RELEASE);
	tell();
}

/* One more than there are requests. */
static void ahead(void)
{
	respond(ring->request_producer + 1);
}

static void far_ahead(void)
{
	respond(ring->request_producer + 0x80000000);
}

/* An id that no request can have, and one that none has. */
static void no_id(void)
{
	put_response(0, 0xffffffff, RF_BLOCK_OK);
	respond(1);
}

static void other_id(void)
{
	put_response(0, (request_id(0) + 1) % ring->slots, RF_BLOCK_OK);
	respond(1);
}

/* The first is answered well. */
static void back(void)
{
	put_response(0, request_id(0), RF_BLOCK_OK);
	respond(1);
	wait_for_requests(2);
	respond(0);
}

/* The second is answered twice at once: its id cannot be another request's meanwhile. */
static void twice(void)
{
	put_response(0, request_id(0), RF_BLOCK_OK);
	respond(1);
	wait_for_requests(2);
	put_response(1, request_id(1), RF_BLOCK_OK);
	put_response(2, request_id(1), RF_BLOCK_OK);
	respond(3);
}

/* No rule says that it must be known: every request fails. */
static void status(void)
{
	for (uint32_t i = 0; i < 4; i++) {
		wait_for_requests(i + 1);
		put_response(i, request_id(i), 99);
		respond(i + 1);
	}
}

static const struct {
	const char *name;
	void (*answer)(void);
} ways[] = {
	{ "ahead", ahead },	  { "far_ahead", far_ahead }, { "no_id", no_id },
	{ "other_id", other_id }, { "back", back },	      { "twice", twice },
	{ "status", status },
};

static void say(const char *text)
{
	puts(text);
	fflush(stdout);
}

int main(int count, char **arguments)
{
	if (count != 5)
		return SKIPPED;
	device = open("/dev/ringfence", O_RDWR | O_CLOEXEC);
	check(device >= 0);
	map_ring((uint32_t)atoi(arguments[1]), (uint32_t)atoi(arguments[2]));
	connect_port((uint32_t)atoi(arguments[1]), (uint32_t)atoi(arguments[3]));
	say("ready");
	wait_for_requests(1);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i].name, arguments[4]) == 0)
			ways[i].answer();
	say("done");
	pause();
	return 0;
}
