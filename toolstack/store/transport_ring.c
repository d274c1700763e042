// SPDX-License-Identifier: BSD-2-Clause
/*
 * The protocol's bytes through a page that is shared with a domain: a ring for each direction.
 *
 * Interface: transport_ring.
 * What is odd: the other side may write anything at any time. Each index is read once; if one cannot be, nothing is
 * served until the client begins anew, and the reason is in the page. Ours are written there but never read back. Who
 * begins, and how, is in abi/io/store.h.
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

static ssize_t ring_fail(struct transport *transport, uint32_t error)
{
	__atomic_store_n(&transport->ring->error, error, __ATOMIC_RELEASE);
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

	if (!transport->serving)
		return 0;
	if (used > RF_STORE_RING_SIZE)
		return ring_fail(transport, RF_STORE_ERROR_INDEX);
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

	if (!transport->serving)
		return 0;
	if (used > RF_STORE_RING_SIZE)
		return ring_fail(transport, RF_STORE_ERROR_INDEX);
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

static void ring_begin(struct transport *transport)
{
	struct rf_store_ring *ring = transport->ring;

	transport->consumer = 0;
	transport->producer = 0;
	transport->serving = true;
	ring->request_consumer = 0;
	ring->request_producer = 0;
	ring->reply_consumer = 0;
	ring->reply_producer = 0;
	ring->features = RF_STORE_FEATURE_RECONNECT | RF_STORE_FEATURE_ERROR;
	ring->error = RF_STORE_ERROR_NONE;
	__atomic_store_n(&ring->connection, RF_STORE_CONNECTED, __ATOMIC_RELEASE);
	transport->notify(transport);
}

static bool ring_begins(struct transport *transport)
{
	uint32_t connection = __atomic_load_n(&transport->ring->connection, __ATOMIC_ACQUIRE);

	if (connection != RF_STORE_RECONNECT)
		return false;
	ring_begin(transport);
	return true;
}

static bool ring_refuse(struct transport *transport)
{
	if (transport->ring->error == RF_STORE_ERROR_NONE)
		ring_fail(transport, RF_STORE_ERROR_PROTOCOL);
	transport->serving = false;
	transport->notify(transport);
	return true;
}

/* First the page: the client is told by the end of the channel. */
static void ring_close(struct transport *transport)
{
	if (transport->closed)
		transport->closed(transport);
	close(transport->file);
}

static const struct transport_methods methods = {
	.read = ring_read,
	.write = ring_write,
	.close = ring_close,
	.begins = ring_begins,
	.refuse = ring_refuse,
};

void transport_ring(struct transport *transport, struct rf_store_ring *ring, int file,
		    void (*notify)(struct transport *transport))
{
	*transport = (struct transport){
		.methods = &methods,
		.file = file,
		.ring = ring,
		.notify = notify,
	};
	/* What another store left there cannot be gone on with. */
	if (__atomic_load_n(&ring->connection, __ATOMIC_ACQUIRE) != RF_STORE_RECONNECT) {
		__atomic_store_n(&ring->connection, RF_STORE_RESTARTED, __ATOMIC_RELEASE);
		notify(transport);
	}
}
