// SPDX-License-Identifier: BSD-2-Clause
/* A front end's life, whatever its class: states, and what the worker asks for. One thread, which polls everything. */
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
#include "face.h"

static bool face_fail(const char *what)
{
	fprintf(stderr, "front: %s: %s\n", what, strerror(errno));
	return false;
}

/* --- Memory and events, as the worker asks for them --- */

bool face_grant(struct face *face, unsigned number, uint32_t frames)
{
	struct face_grant *grant = &face->grant[number];
	size_t bytes = (size_t)frames * 4096;

	grant->frames = frames;
	grant->file = memfd_create("front", MFD_CLOEXEC);
	if (grant->file < 0 || ftruncate(grant->file, (off_t)bytes) < 0)
		return face_fail("memory");
	grant->memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, grant->file, 0);
	return grant->memory != MAP_FAILED || face_fail("memory");
}

static void face_answer(struct face *face, struct link_socket_answer answer, const int *files,
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
	sendmsg(face->connection, &message, MSG_NOSIGNAL);
}

static void face_give(struct face *face, const struct link_socket_question *question)
{
	const struct face_grant *grant = &face->grant[question->number % FACE_GRANTS];
	const int port[] = { face->to_back, face->to_front };

	if (face->refuse && !--face->refuse)
		face_answer(face, (struct link_socket_answer){ ENOMEM, 0 }, NULL, 0);
	else if (question->kind == LINK_SOCKET_CONNECT && question->number == FACE_PORT)
		face_answer(face, (struct link_socket_answer){ 0, 0 }, port, 2);
	else if (question->kind == LINK_SOCKET_MAP && question->number < FACE_GRANTS &&
		 grant->memory)
		face_answer(face, (struct link_socket_answer){ 0, grant->frames }, &grant->file, 1);
	else
		face_answer(face, (struct link_socket_answer){ ENOENT, 0 }, NULL, 0);
}

static void face_serve(struct face *face)
{
	struct link_socket_question question;
	ssize_t length = recv(face->connection, &question, sizeof(question), MSG_DONTWAIT);

	if (length == sizeof(question)) {
		face_give(face, &question);
	} else if (length >= 0 || errno != EAGAIN) {
		close(face->connection);
		face->connection = -1;
	}
}

/* The newest worker is the one that counts. */
static void face_accept(struct face *face)
{
	int file = accept4(face->listener, NULL, NULL, SOCK_CLOEXEC);

	if (file < 0)
		return;
	if (face->connection >= 0)
		close(face->connection);
	face->connection = file;
}

bool face_is_thrown_out(struct face *face)
{
	char *error;
	bool said;

	face_until(face, STATE_CLOSING);
	error = keys_text(face->store, face->back, "error");
	said = error;
	free(error);
	face_say(face, STATE_INITIALISING);
	face_until(face, STATE_CONNECTED);
	return said;
}

void face_kick(struct face *face)
{
	uint64_t one = 1;

	if (write(face->to_back, &one, sizeof(one)) < 0)
		face_fail("event");
}

void face_drain(struct face *face)
{
	uint64_t count;

	if (read(face->to_front, &count, sizeof(count)) < 0 && errno != EAGAIN)
		face_fail("event");
}

/* --- States --- */

void face_say(struct face *face, enum keys_state state)
{
	face->state = state;
	keys_write(face->store, face->folder, "state", state);
}

static void face_look(struct face *face)
{
	face->other = keys_state(face->store, face->back);
	if (face->state == STATE_CONNECTED && face->other == STATE_WAITING)
		face_say(face, STATE_INITIALISING);
	if (face->state == STATE_INITIALISING && face->other == STATE_WAITING) {
		face->class->show(face);
		face_say(face, STATE_INITIALISED);
	}
	if (face->state == STATE_INITIALISED && face->other == STATE_CONNECTED) {
		face_say(face, STATE_CONNECTED);
		face->class->begin(face);
	}
}

static void face_noticed(void *argument, const char *path)
{
	(void)path;
	face_look(argument);
}

void face_turn(struct face *face, int milliseconds)
{
	struct pollfd files[] = { { rfstore_file(face->store), POLLIN, 0 },
				  { face->listener, POLLIN, 0 },
				  { face->to_front, POLLIN, 0 },
				  { face->connection, POLLIN, 0 } };

	if (face->state == STATE_CONNECTED && face->class->waits(face))
		milliseconds = 0;
	poll(files, 4, milliseconds);
	if (files[3].revents)
		face_serve(face);
	if (files[1].revents)
		face_accept(face);
	rfstore_dispatch(face->store);
	if (face->state == STATE_CONNECTED)
		face->class->take(face);
}

void face_until(struct face *face, enum keys_state other)
{
	while (face->other != other || (other == STATE_CONNECTED && face->state != other))
		face_turn(face, 1000);
}

/* --- Opening --- */

static bool face_listen(struct face *face, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	face->connection = -1;
	face->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	return (face->listener >= 0 &&
		bind(face->listener, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		listen(face->listener, 4) == 0) ||
	       face_fail(path);
}

bool face_open(struct face *face, const struct face_class *class, const char *store,
	       const char *domain, const char *id, const char *socket)
{
	struct rfstore_watch *watch;

	face->class = class;
	snprintf(face->folder, KEYS_PATH, "/local/domain/%s/device/%s/%s", domain, class->name, id);
	snprintf(face->back, KEYS_PATH, "/local/domain/0/backend/%s/%s/%s", class->name, domain,
		 id);
	face->to_back = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	face->to_front = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	face->state = STATE_INITIALISING;
	if (!face_listen(face, socket))
		return false;
	return (rfstore_open(&face->store, store) == 0 &&
		rfstore_watch(face->store, face->back, face_noticed, face, &watch) == 0) ||
	       face_fail("store");
}
