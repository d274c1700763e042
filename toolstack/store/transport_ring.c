// SPDX-License-Identifier: BSD-2-Clause
/*
 * The protocol's bytes through a page that is shared with a domain: a ring for each direction.
 *
 * Interface: transport_ring.
 * What is odd: the other side may write anything at any time. Each index is read once; one that cannot be ends
 * the connection, with the reason in the page. Ours are written there but never read back.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "transport.h"

/* How much of a ring is used, by indices that only grow; more than there is: nonsense. */
static uint32_t ring_used(uint32_t producer, uint32_t consumer)
{
	return producer - consumer;
}

static ssize_t ring_refuse(struct transport *transport)
{
	__atomic_store_n(&transport->ring->error, RF_STORE_ERROR_INDEX, __ATOMIC_RELEASE);
	return -1;
}

/* How far from here bytes lie in one piece. */
static size_t ring_piece(uint32_t index, size_t size)
{
	size_t piece = RF_STORE_RING_SIZE - index % RF_STORE_RING_SIZE;

	return piece < size ? piece : size;
}

static ssize_t ring_read(struct transport *transport, void *data, size_t size)
{
	struct rf_store_ring *ring = transport->ring;
	uint32_t consumer = transport->consumer;
	uint32_t producer = __atomic_load_n(&ring->request_producer, __ATOMIC_ACQUIRE);
	uint32_t used = ring_used(producer, consumer);
	size_t first;

	if (used > RF_STORE_RING_SIZE)
		return ring_refuse(transport);
	if (size > used)
		size = used;
	if (!size)
		return 0;
	first = ring_piece(consumer, size);
	memcpy(data, ring->request + consumer % RF_STORE_RING_SIZE, first);
	memcpy((char *)data + first, ring->request, size - first);
	transport->consumer = consumer + (uint32_t)size;
	__atomic_store_n(&ring->request_consumer, transport->consumer, __ATOMIC_RELEASE);
	transport->notify(transport);
	return (ssize_t)size;
}

static ssize_t ring_write(struct transport *transport, const void *data, size_t size)
{
	struct rf_store_ring *ring = transport->ring;
	uint32_t producer = transport->producer;
	uint32_t consumer = __atomic_load_n(&ring->reply_consumer, __ATOMIC_ACQUIRE);
	uint32_t used = ring_used(producer, consumer);
	size_t first;

	if (used > RF_STORE_RING_SIZE)
		return ring_refuse(transport);
	if (size > RF_STORE_RING_SIZE - used)
		size = RF_STORE_RING_SIZE - used;
	if (!size)
		return 0;
	first = ring_piece(producer, size);
	memcpy(ring->reply + producer % RF_STORE_RING_SIZE, data, first);
	memcpy(ring->reply, (const char *)data + first, size - first);
	transport->producer = producer + (uint32_t)size;
	__atomic_store_n(&ring->reply_producer, transport->producer, __ATOMIC_RELEASE);
	transport->notify(transport);
	return (ssize_t)size;
}

static void ring_close(struct transport *transport)
{
	close(transport->file);
}

static const struct transport_methods methods = {
	.read = ring_read,
	.write = ring_write,
	.close = ring_close,
};

void transport_ring(struct transport *transport, struct rf_store_ring *ring, int file,
		    void (*notify)(struct transport *transport))
{
	*transport = (struct transport){
		.methods = &methods,
		.file = file,
		.ring = ring,
		.consumer = __atomic_load_n(&ring->request_consumer, __ATOMIC_ACQUIRE),
		.producer = __atomic_load_n(&ring->reply_producer, __ATOMIC_ACQUIRE),
		.notify = notify,
	};
	ring->features = RF_STORE_FEATURE_RECONNECT | RF_STORE_FEATURE_ERROR;
	__atomic_store_n(&ring->error, RF_STORE_ERROR_NONE, __ATOMIC_RELAXED);
	__atomic_store_n(&ring->connection, RF_STORE_CONNECTED, __ATOMIC_RELEASE);
}
