// SPDX-License-Identifier: GPL-2.0
/*
 * The front end of networks: one ring (abi/io/ring.h), of which it has its own numbers. Locks are its
 * user's.
 */
#include "net.h"

void net_ring_clear(struct net_ring *ring)
{
	memset(ring->shared, 0, PAGE_SIZE << ring->order);
	*ring->shared = (struct rf_ring){
		.magic			= RF_RING_MAGIC,
		.slots			= ring->slots,
		.request_bytes		= ring->request_size,
		.response_bytes		= ring->response_size,
		.response_threshold	= 1,
	};
	ring->requests = 0;
	ring->told = 0;
	ring->responses = 0;
}

static u32 mask_of(const struct net_ring *ring)
{
	return ring->slots - 1;
}

void *net_ring_request(const struct net_ring *ring, u32 number)
{
	return (void *)ring->shared + rf_ring_requests_offset() +
	       (number & mask_of(ring)) * ring->request_size;
}

void net_ring_response(const struct net_ring *ring, u32 number, void *response)
{
	memcpy(response,
	       (void *)ring->shared + rf_ring_responses_offset(ring->slots, ring->request_size) +
		       (number & mask_of(ring)) * ring->response_size,
	       ring->response_size);
	/* From here on only the copy is looked at. */
	barrier();
}

bool net_ring_publish(struct net_ring *ring)
{
	u32 before = ring->told;

	if (before == ring->requests)
		return false;
	ring->told = ring->requests;
	smp_store_release(&ring->shared->request_producer, ring->told);
	smp_mb();
	return rf_ring_wants_event(before, ring->told, READ_ONCE(ring->shared->request_threshold));
}

int net_ring_waiting(const struct net_ring *ring)
{
	u32 waiting = smp_load_acquire(&ring->shared->response_producer) - ring->responses;

	return waiting <= ring->told - ring->responses ? waiting : -EPROTO;
}

bool net_ring_arm(struct net_ring *ring)
{
	WRITE_ONCE(ring->shared->response_threshold, ring->responses + 1);
	smp_mb();
	return READ_ONCE(ring->shared->response_producer) != ring->responses;
}
