// SPDX-License-Identifier: BSD-2-Clause
/*
 * Packets from the tap to the guest. Buffers are taken from the ring as a stock that is enough for the largest packet;
 * then the kernel writes each packet where it belongs. With less it is read to one place of our own, and copied if
 * it fits.
 *
 * A guest without buffers: the tap is left alone for a while, in case it only was not fast enough; its queue is of a
 * fixed length, and drops. After that packets are read and thrown away until there are buffers. Nothing grows.
 */
#include <string.h>
#include <sys/uio.h>

#include "backends/net/queue.h"

#define BATCH	 64	     /* packets, before others have their turn */
#define PATIENCE 50000000ULL /* nanoseconds */
#define HEADERS	 18	     /* Ethernet, and a VLAN tag */
#define STALE	 4096	     /* packets that waited for a front end before this one */

/* --- Buffers --- */

static uint32_t receive_largest(const struct queue_interface *interface)
{
	bool cut = interface->accepts.tcp4 || interface->accepts.tcp6;

	return cut ? RF_NET_BYTES_MAX : interface->rules.mtu + HEADERS;
}

/* One byte more than any packet has: what is too long is seen to be, and not cut off. */
static uint32_t receive_enough(const struct queue_interface *interface)
{
	return receive_largest(interface) + 1;
}

/* Given back, as no packet's. */
static void receive_refuse(struct queue *queue, uint32_t id)
{
	struct rf_net_receive_response response = { .id = id,
						    .buffers = 1,
						    .status = RF_NET_INVALID };

	queue->interface->statistics.invalid++;
	ring_back_answer(&queue->receive.ring, &response);
}

static enum ring_result receive_take(struct queue *queue)
{
	struct queue_receive *receive = &queue->receive;
	struct rf_net_receive_request *buffer = &receive->stock[receive->count];
	enum ring_result result = ring_back_take(&receive->ring, buffer);

	if (result != RING_TAKEN)
		return result;
	if (!packet_check_buffer(buffer, queue->pool_bytes)) {
		receive_refuse(queue, buffer->id);
		return result;
	}
	receive->room += buffer->bytes;
	receive->count++;
	return result;
}

static bool receive_has(const struct queue *queue, uint32_t bytes)
{
	return queue->receive.room >= bytes;
}

/* For the largest packet if there are so many. The number of tries is that of the slots, as buffers may be bad. */
static bool receive_stock(struct queue *queue)
{
	uint32_t enough = receive_enough(queue->interface);
	enum ring_result result = RING_TAKEN;

	for (unsigned i = 0; i < queue->receive.ring.shape.slots && result == RING_TAKEN; i++) {
		if (receive_has(queue, enough) || queue->receive.count == QUEUE_STOCK)
			return true;
		result = receive_take(queue);
	}
	return result != RING_BROKEN;
}

/* --- Giving a packet --- */

static unsigned receive_buffers(const struct queue_receive *receive, uint32_t bytes)
{
	unsigned count = 0;

	for (uint64_t room = 0; room < bytes; count++)
		room += receive->stock[count].bytes;
	return count;
}

static void receive_forget(struct queue_receive *receive, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		receive->room -= receive->stock[i].bytes;
	receive->count -= count;
	memmove(receive->stock, receive->stock + count, receive->count * sizeof(*receive->stock));
}

static void receive_give(struct queue *queue, uint32_t bytes, const struct rf_net_offload *offload)
{
	struct queue_receive *receive = &queue->receive;
	unsigned count = receive_buffers(receive, bytes);
	struct rf_net_receive_response response = { .offload = *offload,
						    .buffers = (uint8_t)count };

	queue->interface->statistics.received++;
	queue->interface->statistics.received_bytes += bytes;
	for (unsigned i = 0; i < count; i++) {
		const struct rf_net_receive_request *buffer = &receive->stock[i];

		response.id = buffer->id;
		response.bytes = bytes < buffer->bytes ? bytes : buffer->bytes;
		bytes -= response.bytes;
		ring_back_answer(&receive->ring, &response);
		response.buffers = 0;
		response.offload = (struct rf_net_offload){ 0 };
	}
	receive_forget(receive, count);
}

static void receive_copy(struct queue *queue, uint32_t bytes)
{
	const uint8_t *from = queue->interface->scratch;

	for (unsigned i = 0; bytes; i++) {
		const struct rf_net_receive_request *buffer = &queue->receive.stock[i];
		uint32_t part = bytes < buffer->bytes ? bytes : buffer->bytes;

		memcpy((uint8_t *)queue->pool.address + buffer->offset, from, part);
		from += part;
		bytes -= part;
	}
}

/* --- Reading --- */

/* The stock, or the scratch if the stock may be too small. */
static int receive_pieces(struct queue *queue, bool direct, struct iovec *piece)
{
	struct queue_receive *receive = &queue->receive;
	uint32_t room = 0;
	int count = 1;

	if (!direct) {
		piece[1] = (struct iovec){ queue->interface->scratch,
					   sizeof(queue->interface->scratch) };
		return 2;
	}
	for (unsigned i = 0; i < receive->count && count < TAP_PIECES && room <= RF_NET_BYTES_MAX;
	     i++) {
		piece[count++] =
			(struct iovec){ (uint8_t *)queue->pool.address + receive->stock[i].offset,
					receive->stock[i].bytes };
		room += receive->stock[i].bytes;
	}
	return count;
}

/* Zero: nothing more is there now. */
static uint32_t receive_read(struct queue *queue, bool direct, struct virtio_net_hdr *header)
{
	struct iovec piece[TAP_PIECES];
	int count = receive_pieces(queue, direct, piece);
	ssize_t length;

	piece[0] = (struct iovec){ header, sizeof(*header) };
	length = readv(queue->interface->tap.file[queue->number], piece, count);
	if (length < (ssize_t)sizeof(*header))
		return 0;
	return (uint32_t)length - (uint32_t)sizeof(*header);
}

static bool receive_fits(const struct queue *queue, uint32_t bytes,
			 const struct virtio_net_hdr *header, struct rf_net_offload *offload)
{
	const struct queue_interface *interface = queue->interface;

	return interface->carrier && bytes >= RF_NET_BYTES_MIN &&
	       bytes <= receive_largest(interface) &&
	       packet_from_tap(header, bytes, &interface->accepts, offload);
}

/* False: there is none. */
static bool receive_packet(struct queue *queue)
{
	struct queue_interface *interface = queue->interface;
	bool direct = receive_has(queue, receive_enough(interface));
	struct virtio_net_hdr header;
	struct rf_net_offload offload;
	uint32_t bytes = receive_read(queue, direct, &header);

	if (!bytes)
		return false;
	if (!receive_fits(queue, bytes, &header, &offload)) {
		interface->statistics.unfit++;
	} else if (!receive_has(queue, bytes)) {
		interface->statistics.no_buffer++;
	} else {
		if (!direct)
			receive_copy(queue, bytes);
		receive_give(queue, bytes, &offload);
	}
	return true;
}

static void receive_ready(struct loop_watch *watch)
{
	struct queue *queue =
		(struct queue *)((char *)watch - offsetof(struct queue, receive.watch));

	queue->receive.ready = true;
	loop_unwatch(watch);
}

static void receive_wait(struct queue *queue)
{
	struct queue_receive *receive = &queue->receive;

	receive->ready = false;
	loop_watch(&queue->interface->loop, &receive->watch,
		   queue->interface->tap.file[queue->number], receive_ready);
}

/* False: the tap is left alone now. */
static bool receive_may(struct queue *queue)
{
	struct queue_receive *receive = &queue->receive;
	uint64_t now = loop_now();

	if (receive_has(queue, receive_enough(queue->interface))) {
		receive->starved = false;
		return true;
	}
	if (!receive->starved)
		receive->since = now;
	receive->starved = true;
	return now - receive->since >= PATIENCE;
}

uint64_t receive_delay(const struct queue *queue, uint64_t now)
{
	const struct queue_receive *receive = &queue->receive;
	uint64_t waited = now - receive->since;

	if (!receive->ready || !receive->starved)
		return 0;
	return waited < PATIENCE ? PATIENCE - waited : 1;
}

static void receive_publish(struct queue *queue)
{
	if (!ring_back_publish(&queue->receive.ring))
		return;
	queue->interface->statistics.events_out++;
	link_send(queue->interface->link, &queue->port);
}

/* Buffers are asked for by an event only where there are too few. False: the ring is broken. */
static bool receive_prepare(struct queue *queue)
{
	if (!receive_stock(queue))
		return false;
	if (receive_has(queue, receive_enough(queue->interface)) ||
	    queue->receive.count == QUEUE_STOCK || !ring_back_wait(&queue->receive.ring, 1))
		return true;
	return receive_stock(queue);
}

bool receive_turn(struct queue *queue)
{
	bool sound = receive_prepare(queue);

	for (unsigned i = 0; i < BATCH && sound && queue->receive.ready && receive_may(queue);
	     i++) {
		if (!receive_packet(queue))
			receive_wait(queue);
		sound = receive_prepare(queue);
	}
	receive_publish(queue);
	queue->more |= queue->receive.ready && receive_may(queue);
	return sound;
}

void receive_start(struct queue *queue)
{
	tap_drain(&queue->interface->tap, queue->number, STALE);
	queue->receive.ready = true;
}

void receive_stop(struct queue *queue)
{
	if (queue->receive.watch.active)
		loop_unwatch(&queue->receive.watch);
}
