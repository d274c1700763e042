// SPDX-License-Identifier: BSD-2-Clause
/* A disk's front end: its ring, and requests that are made again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "front.h"

#define RING_FRAMES 4

static const struct ring_shape front_shape = { FRONT_SLOTS, sizeof(struct rf_block_request),
					       sizeof(struct rf_block_response) };

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
		{ "version", RF_BLOCK_VERSION },
		{ "queues", 1 },
		{ "queue-0/port", FACE_PORT },
		{ "queue-0/slots", FRONT_SLOTS },
		{ "queue-0/ring-grant", FRONT_RING },
		{ "queue-0/pool-grant", FRONT_POOL },
		{ "queue-0/pool-frames", FRONT_POOL_FRAMES },
	};

	memset(face->grant[FRONT_RING].memory, 0, RING_FRAMES * 4096);
	ring_front_open(&front_of(face)->ring, face->grant[FRONT_RING].memory, front_shape);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		keys_write(face->store, face->folder, keys[i].name, keys[i].value);
}

/* What had no response is made again, before anything new. */
static void front_begin(struct face *face)
{
	struct front *front = front_of(face);

	front->connects++;
	keys_write(face->store, face->folder, "connects", front->connects);
	keys_number(face->store, face->back, "sectors", 1, UINT64_MAX, &front->sectors);
	for (unsigned i = 0; i < FRONT_SLOTS; i++) {
		if (front->slot[i].active)
			ring_front_request(&front->ring, &front->slot[i].request);
	}
	front_send(front);
}

/* --- Requests --- */

uint8_t *front_data(struct front *front, unsigned slot)
{
	return front->face.grant[FRONT_POOL].memory + (size_t)slot * FRONT_PIECE;
}

void front_put(struct front *front, unsigned slot)
{
	front->slot[slot].request.id = slot;
	front->slot[slot].active = true;
	if (front->face.state == STATE_CONNECTED)
		ring_front_request(&front->ring, &front->slot[slot].request);
}

void front_send(struct front *front)
{
	if (front->face.state == STATE_CONNECTED && ring_front_publish(&front->ring))
		face_kick(&front->face);
}

static bool front_waits(struct face *face)
{
	return ring_front_wait(&front_of(face)->ring, 1);
}

static void front_take(struct face *face)
{
	struct front *front = front_of(face);
	struct rf_block_response response;
	enum ring_result result = RING_TAKEN;

	face_drain(face);
	while ((result = ring_front_take(&front->ring, &response)) == RING_TAKEN) {
		if (response.id >= FRONT_SLOTS || !front->slot[response.id].active) {
			fprintf(stderr, "front: a response to nothing: %u\n", response.id);
			exit(1);
		}
		front->slot[response.id].active = false;
		front->done(front, response.id, response.status);
	}
	if (result == RING_BROKEN) {
		fprintf(stderr, "front: the back end broke the ring\n");
		exit(1);
	}
}

static void front_done_alone(struct front *front, unsigned slot, uint32_t status)
{
	(void)slot;
	front->slot[0].request.id = status;
}

uint32_t front_do(struct front *front, const struct rf_block_request *request)
{
	front->done = front_done_alone;
	front->slot[0].request = *request;
	front_put(front, 0);
	front_send(front);
	while (front->slot[0].active)
		face_turn(&front->face, 1000);
	return front->slot[0].request.id;
}

bool front_open(struct front *front, const char *store, const char *domain, const char *id,
		const char *socket)
{
	static const struct face_class class = {
		.name = "block",
		.show = front_show,
		.begin = front_begin,
		.take = front_take,
		.waits = front_waits,
	};

	return face_grant(&front->face, FRONT_RING, RING_FRAMES) &&
	       face_grant(&front->face, FRONT_POOL, FRONT_POOL_FRAMES) &&
	       face_open(&front->face, &class, store, domain, id, socket);
}
