/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_BLOCK_FRONT_H
#define UNIT_BLOCK_FRONT_H

/*
 * A front end in the test's own process: grants are memory of the test, ports pairs of eventfds, and the disk is
 * turned by the test or by a thread.
 */
#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/block/disk.h"

#define FRONT_GRANTS 16
#define FRONT_RING   1 /* the grants and the port of queue 0; of queue Q so many more */
#define FRONT_POOL   2
#define FRONT_PORT   5
#define FRONT_SLOTS  32

struct front_grant {
	uint8_t *address; /* NULL: none */
	uint32_t frames;
	unsigned mapped;
};

struct front {
	struct link link;
	struct front_grant grant[FRONT_GRANTS];
	int to_back;
	int to_front;
	unsigned connected;
	struct ring ring;
	struct disk disk;
	int monitor; /* the test's end of the worker's socket */
	struct message_connect connect;
	char path[64];
};

static inline struct front *front_of(struct link *link)
{
	return (struct front *)link;
}

static int front_map(struct link *link, struct link_memory *memory)
{
	struct front_grant *grant = &front_of(link)->grant[memory->grant % FRONT_GRANTS];

	if (!grant->address || memory->grant >= FRONT_GRANTS)
		return -ENOENT;
	if ((uint64_t)memory->first + memory->frames > grant->frames)
		return -ERANGE;
	grant->mapped++;
	memory->address = grant->address + (size_t)memory->first * LINK_FRAME;
	return 0;
}

static void front_unmap(struct link *link, struct link_memory *memory)
{
	assert_true(front_of(link)->grant[memory->grant].mapped > 0);
	front_of(link)->grant[memory->grant].mapped--;
}

static int front_connect(struct link *link, struct link_port *port)
{
	if (port->port != FRONT_PORT)
		return -ENOENT;
	port->file = dup(front_of(link)->to_back);
	front_of(link)->connected++;
	return 0;
}

static void front_disconnect(struct link *link, struct link_port *port)
{
	close(port->file);
	front_of(link)->connected--;
}

static void front_send(struct link *link, const struct link_port *port)
{
	uint64_t one = 1;

	(void)port;
	assert_int_equal(write(front_of(link)->to_front, &one, sizeof(one)), sizeof(one));
}

static void front_close(struct link *link)
{
	(void)link;
}

static const struct link_methods front_methods = { front_map,	     front_unmap, front_connect,
						   front_disconnect, front_send,  front_close };

static inline void front_grant(struct front *front, uint32_t number, uint32_t frames)
{
	void *memory = mmap(NULL, (size_t)frames * LINK_FRAME, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(memory != MAP_FAILED);
	front->grant[number] = (struct front_grant){ memory, frames, 0 };
}

static inline struct ring_shape front_shape(void)
{
	return (struct ring_shape){ FRONT_SLOTS, sizeof(struct rf_block_request),
				    sizeof(struct rf_block_response) };
}

/* What the worker said; it is an error if it said nothing, or something else. */
static inline struct message front_hear(struct front *front, uint32_t kind)
{
	struct message message;

	while (recv(front->monitor, &message, sizeof(message), MSG_DONTWAIT) < 0)
		disk_turn(&front->disk);
	if (message.kind == MESSAGE_STATISTICS && kind != MESSAGE_STATISTICS)
		return front_hear(front, kind);
	assert_int_equal(message.kind, kind);
	return message;
}

/* The sectors that the worker says the disk has; it is an error if it says nothing. */
static inline uint64_t front_hear_sectors(struct front *front)
{
	struct message message = front_hear(front, MESSAGE_READY);

	return ((const struct message_ready *)message_content(&message))->sectors;
}

static inline void front_tell(struct front *front, uint32_t kind, const void *content, size_t bytes)
{
	assert_true(message_send(front->monitor, kind, content, bytes));
}

/* Makes the ring, fresh, and has the disk connected. */
static inline struct message front_attach(struct front *front)
{
	ring_front_open(&front->ring, front->grant[FRONT_RING].address, front_shape());
	front_tell(front, MESSAGE_CONNECT, &front->connect, sizeof(front->connect));
	return front_hear(front, MESSAGE_CONNECTED);
}

static inline void front_detach(struct front *front)
{
	front_tell(front, MESSAGE_RELEASE, NULL, 0);
	front_hear(front, MESSAGE_RELEASED);
	for (unsigned i = 0; i < FRONT_GRANTS; i++)
		assert_int_equal(front->grant[i].mapped, 0);
	assert_int_equal(front->connected, 0);
}

static inline void front_init(struct front *front)
{
	int pair[2];

	memset(front, 0, sizeof(*front));
	front->link = (struct link){ &front_methods, true };
	front_grant(front, FRONT_RING, 4);
	front_grant(front, FRONT_POOL, 512);
	front->to_back = eventfd(0, EFD_NONBLOCK);
	front->to_front = eventfd(0, EFD_NONBLOCK);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	front->monitor = pair[0];
	front->disk.socket = pair[1];
	front->disk.common.link = &front->link;
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
	for (unsigned i = 0; i < FRONT_GRANTS; i++) {
		if (front->grant[i].address)
			munmap(front->grant[i].address,
			       (size_t)front->grant[i].frames * LINK_FRAME);
	}
	close(front->to_back);
	close(front->to_front);
	close(front->monitor);
	close(front->disk.socket);
	if (front->path[0])
		unlink(front->path);
}

static inline void front_publish(struct front *front)
{
	uint64_t one = 1;

	if (ring_front_publish(&front->ring))
		assert_int_equal(write(front->to_back, &one, sizeof(one)), sizeof(one));
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
	return front->grant[FRONT_POOL].address;
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
