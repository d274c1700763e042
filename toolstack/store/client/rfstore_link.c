// SPDX-License-Identifier: BSD-2-Clause
/*
 * The library's connection to the store: made, lost, made again; requests and their answers.
 *
 * Interface: rfstore_link_text, rfstore_link_bytes, rfstore_link_ask, rfstore_link_connect, rfstore_link_take,
 * rfstore_link_watch.
 * Locks: the caller holds the store's, also while it waits for an answer: requests go one after the other.
 * What is odd: events come between a request and its answer; they are queued, and the eventfd says so to whoever polls.
 */
#include "rfstore_link.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_TIME 30000 /* milliseconds */
#define AGAIN_TIME  10000 /* for which a call tries to connect */
#define AGAIN_STEP  20

void rfstore_link_bytes(struct rfstore_request *request, const void *data, size_t length)
{
	request->piece[request->pieces].iov_base = (void *)data;
	request->piece[request->pieces++].iov_len = length;
}

void rfstore_link_text(struct rfstore_request *request, const char *text)
{
	rfstore_link_bytes(request, text, strlen(text) + 1);
}

static void set_timer(const struct rfstore *store, bool on)
{
	const struct timespec step = { .tv_nsec = AGAIN_STEP * 1000000L };
	const struct itimerspec time = { .it_value = on ? step : (struct timespec){ 0 },
					 .it_interval = on ? step : (struct timespec){ 0 } };

	timerfd_settime(store->timer, 0, &time, NULL);
}

static void drop(struct rfstore *store)
{
	if (store->socket < 0)
		return;
	close(store->socket);
	store->socket = -1;
	store->length = 0;
	set_timer(store, true);
}

static int send_all(struct rfstore *store, struct iovec *piece, size_t pieces)
{
	struct msghdr message = { .msg_iov = piece, .msg_iovlen = pieces };

	while (message.msg_iovlen) {
		ssize_t done = sendmsg(store->socket, &message, MSG_NOSIGNAL);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return ECONNRESET;
		while (message.msg_iovlen && (size_t)done >= message.msg_iov->iov_len) {
			done -= (ssize_t)message.msg_iov->iov_len;
			message.msg_iov++;
			message.msg_iovlen--;
		}
		if (message.msg_iovlen) {
			message.msg_iov->iov_base = (char *)message.msg_iov->iov_base + done;
			message.msg_iov->iov_len -= (size_t)done;
		}
	}
	return 0;
}

static int send_request(struct rfstore *store, const struct rfstore_request *request, uint32_t id)
{
	struct wire_header header = { .type = request->type,
				      .request = id,
				      .transaction = request->transaction.id };
	struct iovec piece[RFSTORE_PIECES + 1] = { { &header, sizeof(header) } };

	for (size_t i = 0; i < request->pieces; i++) {
		piece[i + 1] = request->piece[i];
		header.length += (uint32_t)request->piece[i].iov_len;
	}
	return send_all(store, piece, request->pieces + 1);
}

/* More bytes, if there are. EAGAIN: there are none, ECONNRESET: there will be none. */
static int receive(struct rfstore *store, bool wait)
{
	struct pollfd poll_file = { .fd = store->socket, .events = POLLIN };
	ssize_t done;

	if (wait && poll(&poll_file, 1, ANSWER_TIME) == 0)
		return ETIMEDOUT;
	done = recv(store->socket, store->in + store->length, sizeof(store->in) - store->length,
		    MSG_DONTWAIT);
	if (done < 0 && (errno == EAGAIN || errno == EINTR))
		return EAGAIN;
	if (done <= 0)
		return ECONNRESET;
	store->length += (size_t)done;
	return 0;
}

/* The first message that is whole; 0, EAGAIN or, for one that no store sends, EPROTO. */
static int first_message(const struct rfstore *store, struct wire_header *header)
{
	if (store->length < sizeof(*header))
		return EAGAIN;
	memcpy(header, store->in, sizeof(*header));
	if (header->length > WIRE_PAYLOAD_MAX)
		return EPROTO;
	return store->length < sizeof(*header) + header->length ? EAGAIN : 0;
}

static void remove_message(struct rfstore *store, const struct wire_header *header)
{
	size_t size = sizeof(*header) + header->length;

	store->length -= size;
	memmove(store->in, store->in + size, store->length);
}

/* If it is one: path and token, each with a zero. */
static void take_event(struct rfstore *store, const struct wire_header *header)
{
	const char *path = store->in + sizeof(*header);
	size_t length = strnlen(path, header->length);

	if (header->type == WIRE_WATCH_EVENT && length < header->length &&
	    !path[header->length - 1] && length + 1 < header->length)
		rfstore_watch_queue(store, path, path + length + 1);
}

/* Whole messages that are here already: nobody who polls would learn of them from the socket. */
static void take_rest(struct rfstore *store)
{
	struct wire_header header;

	while (first_message(store, &header) == 0) {
		take_event(store, &header);
		remove_message(store, &header);
	}
}

static int take_reply(const struct rfstore *store, const struct wire_header *header,
		      struct rfstore_reply *reply)
{
	const char *payload = store->in + sizeof(*header);
	char *data = malloc(header->length + 1UL);

	if (!data)
		return ENOMEM;
	memcpy(data, payload, header->length);
	data[header->length] = 0;
	reply->data = data;
	reply->length = header->length;
	if (header->type != WIRE_ERROR)
		return 0;
	reply->data = NULL;
	reply->length = (size_t)wire_error_number(data);
	free(data);
	return (int)reply->length;
}

/* Waits for the answer to a request. */
static int wait_reply(struct rfstore *store, uint32_t id, struct rfstore_reply *reply, bool *lost)
{
	struct wire_header header;
	int error;

	for (;;) {
		error = first_message(store, &header);
		if (error == EAGAIN)
			error = receive(store, true);
		else if (!error && header.type != WIRE_WATCH_EVENT && header.request == id)
			break;
		else if (!error) {
			take_event(store, &header);
			remove_message(store, &header);
		}
		if (error && error != EAGAIN) {
			*lost = error != ETIMEDOUT;
			drop(store);
			return error;
		}
	}
	error = take_reply(store, &header, reply);
	remove_message(store, &header);
	take_rest(store);
	return error;
}

/* On the connection that there is. *lost: it has gone, and nobody knows whether the store did it. */
static int ask_once(struct rfstore *store, const struct rfstore_request *request,
		    struct rfstore_reply *reply, bool *lost)
{
	uint32_t id = ++store->last_request;
	int error = send_request(store, request, id);

	if (error) {
		*lost = true;
		drop(store);
		return error;
	}
	return wait_reply(store, id, reply, lost);
}

int rfstore_link_watch(struct rfstore *store, const struct rfstore_watch *watch)
{
	struct rfstore_request request = { .type = WIRE_WATCH };
	struct rfstore_reply reply = { NULL, 0 };
	bool lost = false;
	int error;

	rfstore_link_text(&request, watch->path);
	rfstore_link_text(&request, watch->token);
	error = ask_once(store, &request, &reply, &lost);
	free(reply.data);
	return error;
}

static int restrict_again(struct rfstore *store)
{
	struct rfstore_request request = { .type = WIRE_CONTROL };
	struct rfstore_reply reply = { NULL, 0 };
	bool lost = false;
	char number[8];
	int error;

	snprintf(number, sizeof(number), "%u", store->domain);
	rfstore_link_text(&request, "restrict");
	rfstore_link_text(&request, number);
	error = ask_once(store, &request, &reply, &lost);
	free(reply.data);
	return error;
}

/* A connection is again what the one before was. */
static int arm(struct rfstore *store)
{
	const struct rfstore_watch *watch;
	int error = store->restricted ? restrict_again(store) : 0;

	TAILQ_FOREACH(watch, &store->watches, in_store) {
		/* A watch that is refused now, by a quota say, must not keep the others from their work. */
		if (!error && store->socket >= 0)
			rfstore_link_watch(store, watch);
	}
	return store->socket < 0 ? ECONNRESET : error;
}

int rfstore_link_connect(struct rfstore *store)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct epoll_event event = { .events = EPOLLIN };
	int error;

	if (strlen(store->path) >= sizeof(address.sun_path))
		return ENAMETOOLONG;
	strcpy(address.sun_path, store->path);
	store->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (store->socket < 0)
		return errno;
	if (connect(store->socket, (struct sockaddr *)&address, sizeof(address)) < 0) {
		error = errno;
		drop(store);
		return error;
	}
	store->connection++;
	set_timer(store, false);
	epoll_ctl(store->poll, EPOLL_CTL_ADD, store->socket, &event);
	error = arm(store);
	if (error)
		drop(store);
	return error;
}

static uint64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Until there is a connection, or it is too late. */
static int connect_until(struct rfstore *store, uint64_t deadline)
{
	const struct timespec step = { .tv_nsec = AGAIN_STEP * 1000000L };
	int error = store->socket < 0 ? rfstore_link_connect(store) : 0;

	while (error && clock_now() < deadline) {
		nanosleep(&step, NULL);
		error = rfstore_link_connect(store);
	}
	return error;
}

int rfstore_link_ask(struct rfstore *store, const struct rfstore_request *request,
		     struct rfstore_reply *reply)
{
	uint64_t deadline = clock_now() + AGAIN_TIME;
	bool again = false;
	int error;

	for (;;) {
		bool lost = false;

		error = connect_until(store, deadline);
		if (error)
			return error;
		if (request->transaction.id && request->transaction.connection != store->connection)
			return again && request->type == WIRE_TRANSACTION_END ? ECONNRESET : EAGAIN;
		error = ask_once(store, request, reply, &lost);
		if (!lost)
			break;
		again = true;
	}
	/* The first time did it. */
	if (again && request->type == WIRE_RELEASE && error == ENOENT)
		return 0;
	return error;
}

void rfstore_link_take(struct rfstore *store)
{
	struct wire_header header;
	uint64_t count;
	int error = 0;

	if (store->socket < 0) {
		if (read(store->timer, &count, sizeof(count)) < 0 && errno == EAGAIN)
			return;
		if (rfstore_link_connect(store))
			return;
	}
	while (!error) {
		take_rest(store);
		error = first_message(store, &header);
		if (error == EAGAIN)
			error = receive(store, false);
	}
	if (error != EAGAIN)
		drop(store);
}
