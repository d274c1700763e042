// SPDX-License-Identifier: BSD-2-Clause
/*
 * Packets from the guest to the tap. A packet's way: its request is copied from the ring (ring.c) and checked
 * (packet.c), perhaps held back by a limit, its headers are copied and checked, and it is written with these
 * headers and the rest from where it is; that copies it, so it is answered at once.
 */
#include <string.h>
#include <sys/uio.h>

#include "backends/net/queue.h"

#define ROUNDS 4 /* of a ring full, before others have their turn */

/* The tap's header, our copy of the first bytes, and what follows them. */
struct transmit_packet {
	struct virtio_net_hdr tap;
	uint8_t header[RF_NET_HEADER_MAX];
	struct iovec piece[2 + RF_NET_SEGMENTS_MAX];
	int pieces;
};

/* Each segment's start goes into the copy as far as that has room, and its rest is sent from where it is. */
static void transmit_gather(struct transmit_packet *packet, const uint8_t *pool,
			    const struct rf_net_transmit_request *request)
{
	uint32_t copied = 0;

	packet->pieces = 2;
	for (unsigned i = 0; i < request->segments; i++) {
		const struct rf_net_segment *segment = &request->segment[i];
		uint32_t part = RF_NET_HEADER_MAX - copied;

		if (part > segment->bytes)
			part = segment->bytes;
		memcpy(packet->header + copied, pool + segment->offset, part);
		copied += part;
		if (segment->bytes > part)
			packet->piece[packet->pieces++] =
				(struct iovec){ (void *)(pool + segment->offset + part),
						segment->bytes - part };
	}
	/* From here on the copy is what is looked at, by the compiler too: what is there may change. */
	__asm__ volatile("" ::: "memory");
	packet->piece[0] = (struct iovec){ &packet->tap, sizeof(packet->tap) };
	packet->piece[1] = (struct iovec){ packet->header, copied };
}

static uint32_t transmit_write(struct queue *queue, struct transmit_packet *packet,
			       const struct rf_net_transmit_request *request)
{
	struct queue_interface *interface = queue->interface;

	packet_to_tap(&request->offload, &packet->tap);
	if (!interface->carrier ||
	    writev(interface->tap.file[queue->number], packet->piece, packet->pieces) < 0)
		return RF_NET_DROPPED;
	interface->statistics.sent++;
	interface->statistics.sent_bytes += request->bytes;
	return RF_NET_OK;
}

static uint32_t transmit_send(struct queue *queue, const struct rf_net_transmit_request *request)
{
	const struct packet_rules *rules = &queue->interface->rules;
	struct transmit_packet packet;
	uint32_t status = packet_check_request(request, rules, queue->pool_bytes);

	if (status)
		return status;
	transmit_gather(&packet, queue->pool.address, request);
	status = packet_check_headers(request, packet.header, rules);
	return status ? status : transmit_write(queue, &packet, request);
}

static void transmit_answer(struct queue *queue, uint32_t id, uint32_t status)
{
	struct message_statistics *statistics = &queue->interface->statistics;
	struct rf_net_transmit_response response = { id, status };

	statistics->lost += status == RF_NET_DROPPED;
	statistics->refused += status == RF_NET_REFUSED;
	statistics->invalid += status == RF_NET_INVALID;
	ring_back_answer(&queue->transmit.ring, &response);
}

uint64_t transmit_delay(const struct queue *queue, uint64_t now)
{
	uint64_t bytes = limit_wait(&queue->interface->bytes, now);
	uint64_t packets = limit_wait(&queue->interface->packets, now);

	if (!queue->transmit.held)
		return 0;
	return bytes > packets ? bytes : packets;
}

/* What a request says of its size is not checked yet. */
static void transmit_pay(struct queue_interface *interface, uint32_t bytes)
{
	uint64_t now = loop_now();

	limit_use(&interface->bytes, bytes < RF_NET_BYTES_MAX ? bytes : RF_NET_BYTES_MAX, now);
	limit_use(&interface->packets, 1, now);
}

/* RING_NONE: there is none, or a limit holds it back. */
static enum ring_result transmit_take(struct queue *queue)
{
	struct queue_transmit *transmit = &queue->transmit;
	enum ring_result result = RING_TAKEN;

	if (!transmit->held)
		result = ring_back_take(&transmit->ring, &transmit->next);
	if (result != RING_TAKEN)
		return result;
	transmit->held = true;
	if (transmit_delay(queue, loop_now()))
		return RING_NONE;
	transmit->held = false;
	transmit_pay(queue->interface, transmit->next.bytes);
	transmit_answer(queue, transmit->next.id, transmit_send(queue, &transmit->next));
	return RING_TAKEN;
}

static enum ring_result transmit_take_all(struct queue *queue)
{
	enum ring_result result = RING_TAKEN;

	for (unsigned i = 0; i < queue->transmit.ring.shape.slots && result == RING_TAKEN; i++)
		result = transmit_take(queue);
	return result;
}

static void transmit_publish(struct queue *queue)
{
	if (!ring_back_publish(&queue->transmit.ring))
		return;
	queue->interface->statistics.events_out++;
	link_send(queue->interface->link, &queue->port);
}

/* The threshold lies behind, as it is, unless the queue waits for events. */
bool transmit_turn(struct queue *queue)
{
	bool more = true;

	for (unsigned i = 0; i < ROUNDS && more; i++) {
		enum ring_result result = transmit_take_all(queue);

		transmit_publish(queue);
		if (result == RING_BROKEN)
			return false;
		more = !queue->transmit.held && ring_back_wait(&queue->transmit.ring, 1);
	}
	queue->more |= more;
	return true;
}
