/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_BLOCK_FRONT_H
#define UNIT_BLOCK_FRONT_H

/* A front end of a disk in the test's own process (front_link.h). The disk is turned by the test or by a thread. */
#include "front_link.h"

#include <fcntl.h>
#include <poll.h>

#include "backends/block/disk.h"

#define FRONT_RING 1 /* the grants and the port of queue 0; of queue Q so many more */
#define FRONT_POOL 2

struct front {
	struct front_link shared;
	struct ring ring;
	struct disk disk;
	struct message_connect connect;
	char path[64];
};

static inline struct ring_shape front_shape(void)
{
	return (struct ring_shape){ FRONT_SLOTS, sizeof(struct rf_block_request),
				    sizeof(struct rf_block_response) };
}

static void front_turn(struct front_link *shared)
{
	disk_turn(&((struct front *)shared)->disk);
}

static inline struct message front_hear(struct front *front, uint32_t kind)
{
	return front_link_hear(&front->shared, kind, front_turn);
}

/* The sectors that the worker says the disk has; it is an error if it says nothing. */
static inline uint64_t front_hear_sectors(struct front *front)
{
	struct message message = front_hear(front, MESSAGE_READY);

	return ((const struct message_ready *)message_content(&message))->sectors;
}

static inline void front_tell(struct front *front, uint32_t kind, const void *content, size_t bytes)
{
	front_link_tell(&front->shared, kind, content, bytes);
}

/* Makes the ring, fresh, and has the disk connected. */
static inline struct message front_attach(struct front *front)
{
	ring_front_open(&front->ring, front->shared.grant[FRONT_RING].address, front_shape());
	front_tell(front, MESSAGE_CONNECT, &front->connect, sizeof(front->connect));
	return front_hear(front, MESSAGE_CONNECTED);
}

static inline void front_detach(struct front *front)
{
	front_tell(front, MESSAGE_RELEASE, NULL, 0);
	front_hear(front, MESSAGE_RELEASED);
	front_link_unused(&front->shared);
}

static inline void front_init(struct front *front)
{
	memset(front, 0, sizeof(*front));
	front_link_open(&front->shared);
	front_link_grant(&front->shared, FRONT_RING, 4);
	front_link_grant(&front->shared, FRONT_POOL, 512);
	front->disk.socket = front->shared.worker;
	front->disk.common.link = &front->shared.link;
	front->connect.queues = 1;
	front->connect.queue[0] =
		(struct message_queue){ FRONT_PORT, FRONT_SLOTS, FRONT_RING, FRONT_POOL, 512 };
	assert_int_equal(loop_open(&front->disk.common.loop, 64, RF_BLOCK_QUEUES_MAX), 0);
}

/* A disk of so many bytes in a file of its own, in the folder for temporary ones; attached. */
static inline void front_open(struct front *front, uint64_t bytes)
{
	const char *folder = getenv("TMPDIR") ?: "/tmp";
	char error[MESSAGE_TEXT] = "";
	int file;

	front_init(front);
	snprintf(front->path, sizeof(front->path), "%s/block-XXXXXX", folder);
	file = mkstemp(front->path);
	assert_true(file >= 0);
	assert_int_equal(ftruncate(file, (off_t)bytes), 0);
	close(file);
	front->disk.common.image.kind = &image_raw;
	front->disk.common.image.path = front->path;
	if (!disk_open(&front->disk, front->disk.socket, error, sizeof(error)))
		fail_msg("%s", error);
	disk_tell_ready(&front->disk);
	assert_int_equal(front_hear_sectors(front), bytes / 512);
	assert_string_equal(front_attach(front).text, "");
}

static inline void front_end(struct front *front)
{
	image_close(&front->disk.common.image);
	loop_close(&front->disk.common.loop);
	front_link_end(&front->shared);
	if (front->path[0])
		unlink(front->path);
}

static inline void front_publish(struct front *front)
{
	front_link_publish(&front->shared, &front->ring);
}

/* One request, and turns until its response is there. */
static inline uint32_t front_do(struct front *front, const struct rf_block_request *request)
{
	struct rf_block_response response;

	assert_true(ring_front_request(&front->ring, request));
	front_publish(front);
	while (ring_front_take(&front->ring, &response) == RING_NONE)
		disk_turn(&front->disk);
	assert_int_equal(response.id, request->id);
	return response.status;
}

static inline uint8_t *front_pool(struct front *front)
{
	return front->shared.grant[FRONT_POOL].address;
}

/* With data at that place in the pool. */
static inline struct rf_block_request front_request(uint8_t operation, uint64_t sector,
						    uint32_t sectors, uint32_t place)
{
	struct rf_block_request request = { .sector = sector,
					    .sectors = sectors,
					    .id = (uint32_t)sector + 77,
					    .operation = operation };

	if (operation == RF_BLOCK_READ || operation == RF_BLOCK_WRITE) {
		request.segments = 1;
		request.segment[0] = (struct rf_block_segment){ FRONT_POOL, place, sectors * 512 };
	}
	return request;
}

#endif
