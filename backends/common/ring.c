// SPDX-License-Identifier: BSD-2-Clause
/*
 * The two sides of a ring: numbers of its own, the other side's read once and compared with them.
 *
 * Odd: there is no consumer in the shared memory. What is under way is what was requested and not responded, and each
 * side counts that itself; the check of a producer is one subtraction, which is right across the wrap at 2^32.
 */
#include "backends/common/ring.h"

static void ring_start(struct ring *ring, void *memory, struct ring_shape shape)
{
	*ring = (struct ring){ .shared = memory, .shape = shape };
	ring->requests = (uint8_t *)memory + rf_ring_requests_offset();
	ring->responses =
		(uint8_t *)memory + rf_ring_responses_offset(shape.slots, shape.request_bytes);
}

static void *ring_slot(const struct ring *ring, uint8_t *slots, uint32_t number, uint32_t bytes)
{
	return slots + (size_t)(number & (ring->shape.slots - 1)) * bytes;
}

/* The other side may write the slot at this moment: each word is read once, and the copy is what counts. */
static void ring_copy(void *to, const void *from, uint32_t bytes)
{
	const uint64_t *source = from;
	uint64_t *target = to;

	for (uint32_t i = 0; i < bytes / sizeof(*source); i++)
		__atomic_store_n(&target[i], __atomic_load_n(&source[i], __ATOMIC_RELAXED),
				 __ATOMIC_RELAXED);
}

static enum ring_result ring_break(struct ring *ring)
{
	ring->broken = true;
	return RING_BROKEN;
}

/* Whoever writes these two reads the other side's two: a full barrier between. */
static void ring_set(uint32_t *field, uint32_t value)
{
	__atomic_store_n(field, value, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static bool ring_publish(struct ring *ring, uint32_t *producer, uint32_t now, uint32_t *threshold)
{
	uint32_t before = ring->published;

	if (now == before)
		return false;
	ring->published = now;
	ring_set(producer, now);
	return rf_ring_wants_event(before, now, __atomic_load_n(threshold, __ATOMIC_RELAXED));
}

const char *ring_back_open(struct ring *ring, void *memory, struct ring_shape shape)
{
	const struct rf_ring *shared = memory;

	if (__atomic_load_n(&shared->magic, __ATOMIC_RELAXED) != RF_RING_MAGIC)
		return "no ring is there";
	if (__atomic_load_n(&shared->slots, __ATOMIC_RELAXED) != shape.slots)
		return "its header has another number of slots";
	if (__atomic_load_n(&shared->request_bytes, __ATOMIC_RELAXED) != shape.request_bytes ||
	    __atomic_load_n(&shared->response_bytes, __ATOMIC_RELAXED) != shape.response_bytes)
		return "its slots have another size";
	ring_start(ring, memory, shape);
	__atomic_store_n(&ring->shared->response_producer, 0, __ATOMIC_RELAXED);
	ring_set(&ring->shared->request_threshold, 1);
	return NULL;
}

enum ring_result ring_back_take(struct ring *ring, void *request)
{
	uint32_t producer = __atomic_load_n(&ring->shared->request_producer, __ATOMIC_ACQUIRE);
	uint32_t ahead = producer - ring->requested;
	uint32_t bytes = ring->shape.request_bytes;

	if (ring->broken || ahead > ring->shape.slots - ring_back_open_requests(ring))
		return ring_break(ring);
	if (!ahead)
		return RING_NONE;
	ring_copy(request, ring_slot(ring, ring->requests, ring->requested, bytes), bytes);
	ring->requested++;
	return RING_TAKEN;
}

void ring_back_answer(struct ring *ring, const void *response)
{
	uint32_t bytes = ring->shape.response_bytes;

	ring_copy(ring_slot(ring, ring->responses, ring->responded, bytes), response, bytes);
	ring->responded++;
}

bool ring_back_publish(struct ring *ring)
{
	return ring_publish(ring, &ring->shared->response_producer, ring->responded,
			    &ring->shared->response_threshold);
}

bool ring_back_wait(struct ring *ring, uint32_t after)
{
	ring_set(&ring->shared->request_threshold, ring->requested + after);
	return __atomic_load_n(&ring->shared->request_producer, __ATOMIC_ACQUIRE) !=
	       ring->requested;
}

uint32_t ring_back_open_requests(const struct ring *ring)
{
	return ring->requested - ring->responded;
}

void ring_front_open(struct ring *ring, void *memory, struct ring_shape shape)
{
	struct rf_ring *shared = memory;

	*shared = (struct rf_ring){ .magic = RF_RING_MAGIC,
				    .slots = shape.slots,
				    .request_bytes = shape.request_bytes,
				    .response_bytes = shape.response_bytes,
				    .response_threshold = 1 };
	ring_start(ring, memory, shape);
}

bool ring_front_request(struct ring *ring, const void *request)
{
	uint32_t bytes = ring->shape.request_bytes;

	if (ring->requested - ring->responded == ring->shape.slots)
		return false;
	ring_copy(ring_slot(ring, ring->requests, ring->requested, bytes), request, bytes);
	ring->requested++;
	return true;
}

bool ring_front_publish(struct ring *ring)
{
	return ring_publish(ring, &ring->shared->request_producer, ring->requested,
			    &ring->shared->request_threshold);
}

enum ring_result ring_front_take(struct ring *ring, void *response)
{
	uint32_t producer = __atomic_load_n(&ring->shared->response_producer, __ATOMIC_ACQUIRE);
	uint32_t ahead = producer - ring->responded;
	uint32_t bytes = ring->shape.response_bytes;

	if (ring->broken || ahead > ring->published - ring->responded)
		return ring_break(ring);
	if (!ahead)
		return RING_NONE;
	ring_copy(response, ring_slot(ring, ring->responses, ring->responded, bytes), bytes);
	ring->responded++;
	return RING_TAKEN;
}

bool ring_front_wait(struct ring *ring, uint32_t after)
{
	ring_set(&ring->shared->response_threshold, ring->responded + after);
	return __atomic_load_n(&ring->shared->response_producer, __ATOMIC_ACQUIRE) !=
	       ring->responded;
}
