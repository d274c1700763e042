/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_FRONT_LINK_H
#define UNIT_FRONT_LINK_H

/*
 * What a front end in the test's own process has, whatever its class: grants are memory of the test, the port is a
 * pair of eventfds, and a socket is between the test, which plays the monitor, and the worker, which is turned by the
 * test.
 */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/common/link.h"
#include "backends/common/message.h"
#include "backends/common/ring.h"

#define FRONT_GRANTS 16
#define FRONT_PORT   5
#define FRONT_SLOTS  32

struct front_grant {
	uint8_t *address; /* NULL: none */
	uint32_t frames;
	unsigned mapped;
	bool read_only;
};

struct front_link {
	struct link link;
	struct front_grant grant[FRONT_GRANTS];
	int to_back;
	int to_front;
	unsigned connected;
	unsigned refuse; /* not zero: counts down with each grant and port that is asked for, and refuses the last */
	int monitor; /* the test's end of the worker's socket, and */
	int worker;  /* the other one */
};

static inline struct front_link *front_link_of(struct link *link)
{
	return (struct front_link *)link;
}

static bool front_refuses(struct front_link *shared)
{
	return shared->refuse && !--shared->refuse;
}

static int front_map(struct link *link, struct link_memory *memory)
{
	struct front_grant *grant = &front_link_of(link)->grant[memory->grant % FRONT_GRANTS];

	if (front_refuses(front_link_of(link)) || !grant->address || memory->grant >= FRONT_GRANTS)
		return -ENOENT;
	if ((uint64_t)memory->first + memory->frames > grant->frames)
		return -ERANGE;
	if (grant->read_only && !memory->read_only)
		return -EPERM;
	grant->mapped++;
	memory->address = grant->address + (size_t)memory->first * LINK_FRAME;
	return 0;
}

static void front_unmap(struct link *link, struct link_memory *memory)
{
	assert_true(front_link_of(link)->grant[memory->grant].mapped > 0);
	front_link_of(link)->grant[memory->grant].mapped--;
}

static int front_connect(struct link *link, struct link_port *port)
{
	if (front_refuses(front_link_of(link)) || port->port != FRONT_PORT)
		return -ENOENT;
	port->file = dup(front_link_of(link)->to_back);
	front_link_of(link)->connected++;
	return 0;
}

static void front_disconnect(struct link *link, struct link_port *port)
{
	close(port->file);
	front_link_of(link)->connected--;
}

static inline void front_link_write(int file)
{
	uint64_t one = 1;

	assert_int_equal(write(file, &one, sizeof(one)), sizeof(one));
}

static void front_send(struct link *link, const struct link_port *port)
{
	(void)port;
	front_link_write(front_link_of(link)->to_front);
}

static void front_close(struct link *link)
{
	(void)link;
}

static const struct link_methods front_methods = { front_map,	     front_unmap, front_connect,
						   front_disconnect, front_send,  front_close };

static inline void front_link_grant(struct front_link *shared, uint32_t number, uint32_t frames)
{
	void *memory = mmap(NULL, (size_t)frames * LINK_FRAME, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(memory != MAP_FAILED);
	shared->grant[number] = (struct front_grant){ memory, frames, 0, false };
}

static inline void front_link_open(struct front_link *shared)
{
	int pair[2];

	shared->link = (struct link){ &front_methods, true };
	shared->to_back = eventfd(0, EFD_NONBLOCK);
	shared->to_front = eventfd(0, EFD_NONBLOCK);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	shared->monitor = pair[0];
	shared->worker = pair[1];
}

static inline void front_link_end(struct front_link *shared)
{
	for (unsigned i = 0; i < FRONT_GRANTS; i++) {
		if (shared->grant[i].address)
			munmap(shared->grant[i].address,
			       (size_t)shared->grant[i].frames * LINK_FRAME);
	}
	close(shared->to_back);
	close(shared->to_front);
	close(shared->monitor);
	close(shared->worker);
}

/* The back end has nothing of it. */
static inline void front_link_unused(const struct front_link *shared)
{
	for (unsigned i = 0; i < FRONT_GRANTS; i++)
		assert_int_equal(shared->grant[i].mapped, 0);
	assert_int_equal(shared->connected, 0);
}

/* How many events came to the front end; they are taken. */
static inline uint64_t front_link_events(struct front_link *shared)
{
	uint64_t count;

	return read(shared->to_front, &count, sizeof(count)) < 0 ? 0 : count;
}

static inline void front_link_publish(struct front_link *shared, struct ring *ring)
{
	if (ring_front_publish(ring))
		front_link_write(shared->to_back);
}

static inline void front_link_tell(struct front_link *shared, uint32_t kind, const void *content,
				   size_t bytes)
{
	assert_true(message_send(shared->monitor, kind, content, bytes));
}

/* What the worker said, which has to be of that kind; it is turned until it says something. */
static inline struct message front_link_hear(struct front_link *shared, uint32_t kind,
					     void (*turn)(struct front_link *shared))
{
	struct message message;

	do {
		while (recv(shared->monitor, &message, sizeof(message), MSG_DONTWAIT) < 0)
			turn(shared);
	} while (message.kind == MESSAGE_STATISTICS && kind != MESSAGE_STATISTICS);
	assert_int_equal(message.kind, kind);
	return message;
}

#endif
