// SPDX-License-Identifier: BSD-2-Clause
/* A front end's life: states, rings, requests that are made again. One thread, which polls everything. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "backends/common/link_socket.h"
#include "front.h"

#define RING_FRAMES 4

static const struct ring_shape front_shape = { FRONT_SLOTS, sizeof(struct rf_block_request),
					       sizeof(struct rf_block_response) };

static bool front_fail(const char *what)
{
	fprintf(stderr, "front: %s: %s\n", what, strerror(errno));
	return false;
}

/* --- Memory and events, as the worker asks for them --- */

static int front_memory(size_t frames, uint8_t **address)
{
	int file = memfd_create("front", MFD_CLOEXEC);

	if (file < 0 || ftruncate(file, (off_t)(frames * 4096)) < 0)
		return -1;
	*address = mmap(NULL, frames * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	return *address == MAP_FAILED ? -1 : file;
}

static void front_answer(struct front *front, struct link_socket_answer answer, const int *files,
			 unsigned count)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(LINK_SOCKET_FILES_MAX * sizeof(int))];
	} control = { 0 };
	struct iovec piece = { &answer, sizeof(answer) };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };

	if (count) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		control.header =
			(struct cmsghdr){ CMSG_LEN(count * sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.header), files, count * sizeof(int));
	}
	sendmsg(front->connection, &message, MSG_NOSIGNAL);
}

static void front_give(struct front *front, const struct link_socket_question *question)
{
	const int port[] = { front->to_back, front->to_front };
	const struct link_socket_answer no = { ENOENT, 0 };

	if (question->kind == LINK_SOCKET_CONNECT && question->number == FRONT_PORT)
		front_answer(front, (struct link_socket_answer){ 0, 0 }, port, 2);
	else if (question->kind == LINK_SOCKET_MAP && question->number == FRONT_RING)
		front_answer(front, (struct link_socket_answer){ 0, RING_FRAMES },
			     &front->ring_file, 1);
	else if (question->kind == LINK_SOCKET_MAP && question->number == FRONT_POOL)
		front_answer(front, (struct link_socket_answer){ 0, FRONT_POOL_FRAMES },
			     &front->pool_file, 1);
	else
		front_answer(front, no, NULL, 0);
}

static void front_serve(struct front *front)
{
	struct link_socket_question question;
	ssize_t length = recv(front->connection, &question, sizeof(question), MSG_DONTWAIT);

	if (length == sizeof(question)) {
		front_give(front, &question);
	} else if (length >= 0 || errno != EAGAIN) {
		close(front->connection);
		front->connection = -1;
	}
}

/* The newest worker is the one that counts. */
static void front_accept(struct front *front)
{
	int file = accept4(front->listener, NULL, NULL, SOCK_CLOEXEC);

	if (file < 0)
		return;
	if (front->connection >= 0)
		close(front->connection);
	front->connection = file;
}

/* --- States --- */

void front_say(struct front *front, enum keys_state state)
{
	front->state = state;
	keys_write(front->store, front->folder, "state", state);
}

static void front_show(struct front *front)
{
	const struct {
		const char *name;
		uint64_t value;
	} keys[] = {
		{ "version", RF_BLOCK_VERSION },
		{ "queues", 1 },
		{ "queue-0/port", FRONT_PORT },
		{ "queue-0/slots", FRONT_SLOTS },
		{ "queue-0/ring-grant", FRONT_RING },
		{ "queue-0/pool-grant", FRONT_POOL },
		{ "queue-0/pool-frames", FRONT_POOL_FRAMES },
	};

	memset(front->ring_memory, 0, RING_FRAMES * 4096);
	ring_front_open(&front->ring, front->ring_memory, front_shape);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		keys_write(front->store, front->folder, keys[i].name, keys[i].value);
	front_say(front, STATE_INITIALISED);
}

/* What had no response is made again, before anything new. */
static void front_begin(struct front *front)
{
	front_say(front, STATE_CONNECTED);
	front->connects++;
	keys_write(front->store, front->folder, "connects", front->connects);
	keys_number(front->store, front->back, "sectors", 1, UINT64_MAX, &front->sectors);
	for (unsigned i = 0; i < FRONT_SLOTS; i++) {
		if (front->slot[i].active)
			ring_front_request(&front->ring, &front->slot[i].request);
	}
	front_send(front);
}

static void front_look(struct front *front)
{
	front->other = keys_state(front->store, front->back);
	if (front->state == STATE_CONNECTED && front->other == STATE_WAITING)
		front_say(front, STATE_INITIALISING);
	if (front->state == STATE_INITIALISING && front->other == STATE_WAITING)
		front_show(front);
	if (front->state == STATE_INITIALISED && front->other == STATE_CONNECTED)
		front_begin(front);
}

static void front_noticed(void *argument, const char *path)
{
	(void)path;
	front_look(argument);
}

/* --- Requests --- */

uint8_t *front_data(struct front *front, unsigned slot)
{
	return front->pool + (size_t)slot * FRONT_PIECE;
}

void front_put(struct front *front, unsigned slot)
{
	front->slot[slot].request.id = slot;
	front->slot[slot].active = true;
	if (front->state == STATE_CONNECTED)
		ring_front_request(&front->ring, &front->slot[slot].request);
}

void front_send(struct front *front)
{
	uint64_t one = 1;

	if (front->state != STATE_CONNECTED || !ring_front_publish(&front->ring))
		return;
	if (write(front->to_back, &one, sizeof(one)) < 0)
		front_fail("event");
}

static void front_take(struct front *front)
{
	struct rf_block_response response;
	enum ring_result result = RING_TAKEN;
	uint64_t count;

	if (read(front->to_front, &count, sizeof(count)) < 0 && errno != EAGAIN)
		front_fail("event");
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

void front_turn(struct front *front, int milliseconds)
{
	struct pollfd files[] = { { rfstore_file(front->store), POLLIN, 0 },
				  { front->listener, POLLIN, 0 },
				  { front->to_front, POLLIN, 0 },
				  { front->connection, POLLIN, 0 } };

	if (front->state == STATE_CONNECTED && ring_front_wait(&front->ring, 1))
		milliseconds = 0;
	poll(files, 4, milliseconds);
	if (files[3].revents)
		front_serve(front);
	if (files[1].revents)
		front_accept(front);
	rfstore_dispatch(front->store);
	if (front->state == STATE_CONNECTED)
		front_take(front);
}

void front_until(struct front *front, enum keys_state other)
{
	while (front->other != other || (other == STATE_CONNECTED && front->state != other))
		front_turn(front, 1000);
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
		front_turn(front, 1000);
	return front->slot[0].request.id;
}

/* --- Opening --- */

static bool front_listen(struct front *front, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	front->connection = -1;
	front->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	return (front->listener >= 0 &&
		bind(front->listener, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		listen(front->listener, 4) == 0) ||
	       front_fail(path);
}

bool front_open(struct front *front, const char *store, const char *domain, const char *id,
		const char *socket)
{
	struct rfstore_watch *watch;

	snprintf(front->folder, KEYS_PATH, "/local/domain/%s/device/block/%s", domain, id);
	snprintf(front->back, KEYS_PATH, "/local/domain/0/backend/block/%s/%s", domain, id);
	front->to_back = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	front->to_front = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	front->ring_file = front_memory(RING_FRAMES, &front->ring_memory);
	front->pool_file = front_memory(FRONT_POOL_FRAMES, &front->pool);
	front->state = STATE_INITIALISING;
	if (front->ring_file < 0 || front->pool_file < 0)
		return front_fail("memory");
	if (!front_listen(front, socket))
		return false;
	return (rfstore_open(&front->store, store) == 0 &&
		rfstore_watch(front->store, front->back, front_noticed, front, &watch) == 0) ||
	       front_fail("store");
}
