/* SPDX-License-Identifier: GPL-2.0 */
/* What back ends that break the rules of abi/io/ring.h share: bad_disk.c, bad_net.c. */
#ifndef TESTS_BAD_H
#define TESTS_BAD_H

#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "abi/control_device.h"
#include "abi/io/ring.h"
#include "check.h"

#define SECONDS 600 /* other machines are busy, too */

static int device, port;
static uint64_t last_mapped;

struct way {
	const char *name;
	void (*answer)(void);
};

static void *map_grant(uint32_t domain, uint32_t grant, uint32_t frames)
{
	struct rf_control_segment segment = { .grant = grant, .count = frames };
	struct rf_control_grant_map map = {
		.domain = domain,
		.count = 1,
		.segments = (uintptr_t)&segment,
		.flags = RF_GRANT_MAP_WRITE,
	};
	void *memory;

	check(ioctl(device, RF_CONTROL_GRANT_MAP, &map) == 0);
	memory = mmap(NULL, frames * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, device,
		      (off_t)map.offset);
	check(memory != MAP_FAILED);
	last_mapped = map.offset;
	return memory;
}

static struct rf_ring *map_ring(uint32_t domain, uint32_t grant, uint32_t slots,
				uint32_t request_bytes, uint32_t response_bytes)
{
	uint32_t frames = rf_ring_frames(slots, request_bytes, response_bytes);
	struct rf_ring *ring = map_grant(domain, grant, frames);

	check(ring->magic == RF_RING_MAGIC && ring->slots == slots);
	check(ring->request_bytes == request_bytes && ring->response_bytes == response_bytes);
	return ring;
}

static void open_device(void)
{
	device = open("/dev/ringfence", O_RDWR | O_CLOEXEC);
	check(device >= 0);
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

static void wait_for_requests(struct rf_ring *ring, uint32_t number)
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

/* Slots of the ring, by the number of the request or response. */
static void *request_of(struct rf_ring *ring, uint32_t number)
{
	return (char *)ring + rf_ring_requests_offset() +
	       number % ring->slots * ring->request_bytes;
}

static void *response_of(struct rf_ring *ring, uint32_t number)
{
	return (char *)ring + rf_ring_responses_offset(ring->slots, ring->request_bytes) +
	       number % ring->slots * ring->response_bytes;
}

static void respond(struct rf_ring *ring, uint32_t producer)
{
	__atomic_store_n(&ring->response_producer, producer, __ATOMIC_RELEASE);
	tell();
}

static void say(const char *text)
{
	puts(text);
	fflush(stdout);
}

/* Says `done` after it, and ends when it is killed. */
static void misbehave(const struct way *ways, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(ways[i].name, name) != 0)
			continue;
		ways[i].answer();
		say("done");
		pause();
	}
	check(!"a way that is known");
}

#endif
