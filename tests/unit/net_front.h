/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_NET_FRONT_H
#define UNIT_NET_FRONT_H

/*
 * A front end of a network in the test's own process (front_link.h). A pair of sockets is in place of the tap, and the
 * interface is turned by the test.
 */
#include "front_link.h"

#include "backends/net/interface.h"

#define FRONT_TRANSMIT	  1 /* the grants */
#define FRONT_RECEIVE	  2
#define FRONT_POOL	  3
#define FRONT_POOL_FRAMES 64
#define FRONT_BUFFERS	  0	      /* where they begin in the pool; of a frame each */
#define FRONT_DATA	  (40 * 4096) /* where packets that go are put */

struct front {
	struct front_link shared;
	int tap; /* the other end of it */
	struct ring transmit;
	struct ring receive;
	struct message_connect connect;
	struct interface interface;
};

/* A turn that does not wait: the kernel has an operation that is done at once. */
static void front_awake(struct loop_operation *operation, int result)
{
	(void)operation;
	(void)result;
}

static inline void front_turn(struct front *front)
{
	static struct loop_operation awake = { front_awake };

	loop_prepare(&front->interface.common.loop, &awake);
	interface_turn(&front->interface);
}

static void front_turn_shared(struct front_link *shared)
{
	front_turn((struct front *)shared);
}

static inline struct message front_hear(struct front *front, uint32_t kind)
{
	return front_link_hear(&front->shared, kind, front_turn_shared);
}

static inline void front_tell(struct front *front, uint32_t kind, const void *content, size_t bytes)
{
	front_link_tell(&front->shared, kind, content, bytes);
}

static inline void front_rings(struct front *front)
{
	ring_front_open(&front->transmit, front->shared.grant[FRONT_TRANSMIT].address,
			(struct ring_shape){ FRONT_SLOTS, sizeof(struct rf_net_transmit_request),
					     sizeof(struct rf_net_transmit_response) });
	ring_front_open(&front->receive, front->shared.grant[FRONT_RECEIVE].address,
			(struct ring_shape){ FRONT_SLOTS, sizeof(struct rf_net_receive_request),
					     sizeof(struct rf_net_receive_response) });
}

/* Makes the rings, fresh, and has the interface connected. */
static inline struct message front_attach(struct front *front)
{
	front_rings(front);
	front_tell(front, MESSAGE_CONNECT, &front->connect, sizeof(front->connect));
	return front_hear(front, MESSAGE_CONNECTED);
}

static inline void front_detach(struct front *front)
{
	front_tell(front, MESSAGE_RELEASE, NULL, 0);
	front_hear(front, MESSAGE_RELEASED);
	front_link_unused(&front->shared);
}

static inline void front_set(struct front *front, uint64_t packets)
{
	struct message_settings settings = { .link = 1 };

	settings.rules = (struct packet_rules){ .mtu = 1500,
						.checksum = 1,
						.tcp4 = 1,
						.tcp6 = 1,
						.filter_mac = 1,
						.mac = { 2, 0, 0, 0, 0, 1 } };
	settings.packets = packets;
	settings.packets_burst = packets;
	front_tell(front, MESSAGE_SETTINGS, &settings, sizeof(settings));
}

static inline void front_open(struct front *front)
{
	int tap[2];

	memset(front, 0, sizeof(*front));
	front_link_open(&front->shared);
	for (unsigned i = FRONT_TRANSMIT; i <= FRONT_POOL; i++)
		front_link_grant(&front->shared, i, FRONT_POOL_FRAMES);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, tap), 0);
	front->tap = tap[0];
	front->interface.common.link = &front->shared.link;
	front->interface.common.tap = (struct tap){ .file = { tap[1] }, .files = 1, .plain = true };
	front->connect =
		(struct message_connect){ .queues = 1, .checksum = 1, .tcp4 = 1, .tcp6 = 1 };
	front->connect.queue[0] = (struct message_queue){ FRONT_PORT,	    FRONT_SLOTS,
							  FRONT_SLOTS,	    FRONT_TRANSMIT,
							  FRONT_RECEIVE,    FRONT_POOL,
							  FRONT_POOL_FRAMES };
	assert_int_equal(loop_open(&front->interface.common.loop, 64, 0), 0);
	interface_open(&front->interface, front->shared.worker);
	front_hear(front, MESSAGE_READY);
	front_set(front, 0);
	assert_string_equal(front_attach(front).text, "");
}

static inline void front_end(struct front *front)
{
	loop_close(&front->interface.common.loop);
	front_link_end(&front->shared);
	close(front->tap);
	tap_close(&front->interface.common.tap);
}

static inline void front_publish(struct front *front, struct ring *ring)
{
	front_link_publish(&front->shared, ring);
}

static inline uint8_t *front_pool(struct front *front)
{
	return front->shared.grant[FRONT_POOL].address;
}

/* Buffer `id` is frame `id` of the pool. */
static inline void front_give(struct front *front, uint32_t id)
{
	struct rf_net_receive_request request = { id, FRONT_BUFFERS + id * 4096, 4096, 0 };

	assert_true(ring_front_request(&front->receive, &request));
	front_publish(front, &front->receive);
}

static inline struct rf_net_transmit_request front_packet(struct front *front, uint32_t bytes)
{
	uint8_t *data = front_pool(front) + FRONT_DATA;

	for (uint32_t i = 0; i < bytes; i++)
		data[i] = (uint8_t)(i * 7 + bytes);
	memcpy(data, "\x02\0\0\0\0\x09\x02\0\0\0\0\x01\x08\0", 14);
	return (struct rf_net_transmit_request){ .id = bytes,
						 .bytes = bytes,
						 .segments = 1,
						 .segment = { { FRONT_DATA, bytes } } };
}

/* One request, and turns until its response is there. */
static inline uint32_t front_do(struct front *front, const struct rf_net_transmit_request *request)
{
	struct rf_net_transmit_response response;

	assert_true(ring_front_request(&front->transmit, request));
	front_publish(front, &front->transmit);
	while (ring_front_take(&front->transmit, &response) == RING_NONE)
		front_turn(front);
	assert_int_equal(response.id, request->id);
	return response.status;
}

/* Into the tap, from outside. */
static inline bool front_arrive(struct front *front, const struct virtio_net_hdr *header,
				uint32_t bytes)
{
	static uint8_t data[RF_NET_BYTES_MAX + 100];
	struct iovec piece[2] = { { (void *)header, sizeof(*header) }, { data, bytes } };

	for (uint32_t i = 0; i < bytes; i++)
		data[i] = (uint8_t)(i * 13 + bytes);
	return writev(front->tap, piece, 2) > 0;
}

#endif
