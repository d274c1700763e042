/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_COMMON_RING_H
#define BACKENDS_COMMON_RING_H

/*
 * Both sides of a ring (abi/io/ring.h). The back end's is ring_back_*; the front end's, ring_front_*, is for simulators
 * and tests. A ring belongs to one thread.
 *
 * Of the shared memory, all that the other side writes is read once, and believed only within the bounds that a side
 * knows from its own numbers. When it is beyond them the ring is broken and stays so: nothing more is taken from it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/io/ring.h"

/* What a class puts in the slots. */
struct ring_shape {
	uint32_t slots;
	uint32_t request_bytes; /* multiples of eight, and what is copied to and from is aligned so */
	uint32_t response_bytes;
};

struct ring {
	struct rf_ring *shared;
	uint8_t *requests;
	uint8_t *responses;
	struct ring_shape shape;
	uint32_t requested; /* requests made (front end) or taken (back end) */
	uint32_t responded; /* responses taken (front end) or made (back end) */
	uint32_t published; /* of what this side makes, what the other was told of */
	bool broken;
};

enum ring_result { RING_NONE, RING_TAKEN, RING_BROKEN };

/* NULL, or what is wrong with the header. The memory is of at least rf_ring_frames() frames. */
const char *ring_back_open(struct ring *ring, void *memory, struct ring_shape shape);
/* Copies the next request, once. */
enum ring_result ring_back_take(struct ring *ring, void *request);
/* For each request that was taken one response, in any order. The front end sees it after ring_back_publish(). */
void ring_back_answer(struct ring *ring, const void *response);
/* True: send an event. */
bool ring_back_publish(struct ring *ring);
/* Asks for an event after that many more requests. True: some have come already, look again. */
bool ring_back_wait(struct ring *ring, uint32_t after);
/* Taken and not answered. */
uint32_t ring_back_open_requests(const struct ring *ring);

void ring_front_open(struct ring *ring, void *memory, struct ring_shape shape);
/* False: as many as there are slots have no response. */
bool ring_front_request(struct ring *ring, const void *request);
bool ring_front_publish(struct ring *ring);
enum ring_result ring_front_take(struct ring *ring, void *response);
bool ring_front_wait(struct ring *ring, uint32_t after);

#endif
