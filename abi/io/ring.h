/* SPDX-License-Identifier: MIT */
/*
 * The ring that a front end (in a guest) and a back end (a program of the control domain) share, the same for
 * every class of device. A queue is one ring: a grant of contiguous frames with this header, the slots
 * of requests, and the slots of responses. Where it is and how many slots it has is told by keys of the store
 * (docs/io.md); the header says it once more, so that two sides that do not fit notice at once.
 *
 * Request n is in request slot n modulo the number of slots, response n in response slot n. Producers are numbers of
 * requests and responses from the start of the connection, which wrap at 2^32. There are no consumers in
 * the ring: each side knows its own. The front end has at most as many requests without a
 * response as there are slots; so a slot is free when its producer comes to it, and for every request there is room
 * for its response. Responses come in any order and name their request by the `id` in it.
 *
 * Producing: fill the slots, then write the producer (a release), then a full barrier, then read the other side's
 * threshold, and if rf_ring_wants_event() says so, send an event through the queue's port. Consuming: read the
 * producer (an acquire), take what there is; before waiting for an event write the threshold (most often what was taken
 * plus one), then a full barrier, then look at the producer once more. A side that is busy leaves its threshold
 * where it was, behind, and gets no events.
 *
 * Neither side trusts the other. It reads a producer once and compares it with what it knows itself: more
 * requests than there are slots, or responses without a request, and the connection is over. It copies a slot once,
 * and looks only at the copy. Its own producer it keeps for itself too, and never reads it back.
 */
#ifndef RINGFENCE_ABI_IO_RING_H
#define RINGFENCE_ABI_IO_RING_H

#include <stdint.h>

#define RF_RING_MAGIC	  0x676e6972 /* "ring" */
#define RF_RING_SLOTS_MIN 8	     /* a power of two, all of them */
#define RF_RING_SLOTS_MAX 1024
#define RF_RING_LINE	  64

/* A line of the cache has one writer. */
struct rf_ring {
	/* The front end writes these before the back end is told of the ring, and never again. */
	uint32_t magic;
	uint32_t slots;
	uint32_t request_bytes;	 /* of a slot; the class says how many */
	uint32_t response_bytes; /* so does it here */
	uint32_t reserved0[12];	 /* zero, as all that is reserved */

	/* The front end writes these. */
	uint32_t request_producer;
	uint32_t response_threshold; /* send an event when response_producer comes to it */
	uint32_t reserved1[14];

	/* The back end writes these. */
	uint32_t response_producer;
	uint32_t request_threshold; /* send an event when request_producer comes to it */
	uint32_t reserved2[14];

	uint32_t reserved3[16];
};

_Static_assert(sizeof(struct rf_ring) == 4 * RF_RING_LINE, "rf_ring layout");
_Static_assert(__builtin_offsetof(struct rf_ring, magic) == 0, "what is fixed has a line");
_Static_assert(__builtin_offsetof(struct rf_ring, request_producer) == RF_RING_LINE,
	       "what the front end writes has a line");
_Static_assert(__builtin_offsetof(struct rf_ring, response_producer) == 2 * RF_RING_LINE,
	       "what the back end writes has a line");
_Static_assert((RF_RING_SLOTS_MAX & (RF_RING_SLOTS_MAX - 1)) == 0, "slots are a power of two");

/* The requests follow the header, the responses the requests. */
static inline uint32_t rf_ring_requests_offset(void)
{
	return (uint32_t)sizeof(struct rf_ring);
}

static inline uint32_t rf_ring_responses_offset(uint32_t slots, uint32_t request_bytes)
{
	return rf_ring_requests_offset() + slots * request_bytes;
}

/* Of the grant, at least. */
static inline uint32_t rf_ring_frames(uint32_t slots, uint32_t request_bytes,
				      uint32_t response_bytes)
{
	return (rf_ring_responses_offset(slots, request_bytes) + slots * response_bytes + 4095) /
	       4096;
}

/* A producer went from `before` to `now`: did it come to, or past, the threshold? */
static inline int rf_ring_wants_event(uint32_t before, uint32_t now, uint32_t threshold)
{
	return (uint32_t)(now - threshold) < (uint32_t)(now - before);
}

#endif
