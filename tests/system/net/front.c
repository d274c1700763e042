// SPDX-License-Identifier: BSD-2-Clause
/* A network's front end: two rings, and a socket at the other end of the tap. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "front.h"

#define RING_FRAMES 1
#define KIND	    0x88b5 /* of packets, for experiments */
#define ETHERNET    14

static const struct ring_shape transmit_shape = { FRONT_SLOTS,
						  sizeof(struct rf_net_transmit_request),
						  sizeof(struct rf_net_transmit_response) };
static const struct ring_shape receive_shape = { FRONT_SLOTS, sizeof(struct rf_net_receive_request),
						 sizeof(struct rf_net_receive_response) };

static struct front *front_of(struct face *face)
{
	return (struct front *)face;
}

/* --- Connecting --- */

static void front_show(struct face *face)
{
	const struct {
		const char *name;
		uint64_t value;
	} keys[] = {
		{ "version", RF_NET_VERSION },
		{ "queues", 1 },
		{ "accept-checksum", 0 },
		{ "accept-tcp4", 0 },
		{ "accept-tcp6", 0 },
		{ "queue-0/port", FACE_PORT },
		{ "queue-0/transmit-slots", FRONT_SLOTS },
		{ "queue-0/receive-slots", FRONT_SLOTS },
		{ "queue-0/transmit-grant", FRONT_TRANSMIT },
		{ "queue-0/receive-grant", FRONT_RECEIVE },
		{ "queue-0/pool-grant", FRONT_POOL },
		{ "queue-0/pool-frames", FRONT_POOL_FRAMES },
	};

	ring_front_open(&front_of(face)->transmit, face->grant[FRONT_TRANSMIT].memory,
			transmit_shape);
	ring_front_open(&front_of(face)->receive, face->grant[FRONT_RECEIVE].memory, receive_shape);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		keys_write(face->store, face->folder, keys[i].name, keys[i].value);
}

static void front_begin(struct face *face)
{
	(void)face;
}

static bool front_waits(struct face *face)
{
	bool transmit = ring_front_wait(&front_of(face)->transmit, 1);

	return ring_front_wait(&front_of(face)->receive, 1) || transmit;
}

static void front_check(enum ring_result result)
{
	if (result != RING_BROKEN)
		return;
	fprintf(stderr, "front: the back end broke a ring\n");
	exit(1);
}

static void front_take(struct face *face)
{
	struct front *front = front_of(face);
	enum ring_result result;

	face_drain(face);
	while ((result = ring_front_take(&front->transmit, &front->sent)) == RING_TAKEN)
		front->answered++;
	front_check(result);
	while ((result = ring_front_take(&front->receive, &front->came)) == RING_TAKEN)
		front->arrived++;
	front_check(result);
}

/* --- Packets --- */

uint8_t *front_data(struct front *front)
{
	return front->face.grant[FRONT_POOL].memory + FRONT_DATA;
}

static void front_publish(struct front *front, struct ring *ring)
{
	if (ring_front_publish(ring))
		face_kick(&front->face);
}

uint32_t front_send(struct front *front, const struct rf_net_transmit_request *request)
{
	uint64_t before = front->answered;

	ring_front_request(&front->transmit, request);
	front_publish(front, &front->transmit);
	while (front->answered == before)
		face_turn(&front->face, 1000);
	return front->sent.status;
}

void front_give(struct front *front, const struct rf_net_receive_request *request)
{
	ring_front_request(&front->receive, request);
	front_publish(front, &front->receive);
}

bool front_arrive(struct front *front, uint32_t bytes)
{
	uint8_t packet[FRONT_PACKET_MAX] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9 };

	packet[12] = KIND >> 8;
	packet[13] = KIND & 0xff;
	for (uint32_t i = ETHERNET; i < bytes; i++)
		packet[i] = (uint8_t)(i * 13 + bytes);
	return send(front->outside, packet, bytes, MSG_DONTWAIT) == (ssize_t)bytes;
}

/* Also those that came in by this socket are seen, as packets that go out there. */
int front_departed(struct front *front, uint8_t *packet, uint32_t bytes)
{
	struct sockaddr_ll from;
	socklen_t size = sizeof(from);
	ssize_t length;

	do {
		length = recvfrom(front->outside, packet, bytes, MSG_DONTWAIT,
				  (struct sockaddr *)&from, &size);
	} while (length >= 0 && from.sll_pkttype == PACKET_OUTGOING);
	return (int)length;
}

static bool front_open_outside(struct front *front, const char *tap)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET,
				       .sll_protocol = htons(0x0003), /* all */
				       .sll_ifindex = (int)if_nametoindex(tap) };

	front->outside = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (front->outside >= 0 && address.sll_ifindex &&
	    bind(front->outside, (struct sockaddr *)&address, sizeof(address)) == 0)
		return true;
	fprintf(stderr, "front: %s: %s\n", tap, strerror(errno));
	return false;
}

bool front_open(struct front *front, const char *tap, char **store_domain_id_socket)
{
	static const struct face_class class = {
		.name = "net",
		.show = front_show,
		.begin = front_begin,
		.take = front_take,
		.waits = front_waits,
	};
	char **place = store_domain_id_socket;

	return face_grant(&front->face, FRONT_TRANSMIT, RING_FRAMES) &&
	       face_grant(&front->face, FRONT_RECEIVE, RING_FRAMES) &&
	       face_grant(&front->face, FRONT_POOL, FRONT_POOL_FRAMES) &&
	       front_open_outside(front, tap) &&
	       face_open(&front->face, &class, place[0], place[1], place[2], place[3]);
}
