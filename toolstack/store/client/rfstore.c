// SPDX-License-Identifier: BSD-2-Clause
/*
 * The library's functions, but for watches: each makes one request and takes its answer apart.
 *
 * Interface: rfstore.h.
 * Locks: ask() takes the store's.
 */
#include "rfstore.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "rfstore_link.h"

static char *default_path(void)
{
	const char *path = getenv("XENSTORED_PATH");
	const char *folder = getenv("XENSTORED_RUNDIR");
	char *made;

	if (path)
		return strdup(path);
	if (asprintf(&made, "%s/socket", folder ? folder : "/run/xenstored") < 0)
		return NULL;
	return made;
}

/* One file to poll for the socket, which comes and goes, and the two that stay. */
static bool make_files(struct rfstore *store)
{
	struct epoll_event event = { .events = EPOLLIN };

	store->socket = -1;
	store->poll = epoll_create1(EPOLL_CLOEXEC);
	store->queued = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	store->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	return store->poll >= 0 && store->queued >= 0 && store->timer >= 0 &&
	       epoll_ctl(store->poll, EPOLL_CTL_ADD, store->queued, &event) == 0 &&
	       epoll_ctl(store->poll, EPOLL_CTL_ADD, store->timer, &event) == 0;
}

static void close_file(int file)
{
	if (file >= 0)
		close(file);
}

int rfstore_open(struct rfstore **out, const char *path)
{
	struct rfstore *store = calloc(1, sizeof(*store));
	int error = ENOMEM;

	if (!store)
		return ENOMEM;
	pthread_mutex_init(&store->lock, NULL);
	pthread_cond_init(&store->told, NULL);
	TAILQ_INIT(&store->watches);
	TAILQ_INIT(&store->events);
	store->path = path ? strdup(path) : default_path();
	if (!make_files(store))
		error = errno;
	else if (store->path)
		error = rfstore_link_connect(store);
	if (error)
		rfstore_close(store);
	else
		*out = store;
	return error;
}

void rfstore_close(struct rfstore *store)
{
	struct rfstore_event *event;
	struct rfstore_watch *watch;

	while ((event = TAILQ_FIRST(&store->events))) {
		TAILQ_REMOVE(&store->events, event, in_store);
		free(event);
	}
	while ((watch = TAILQ_FIRST(&store->watches))) {
		TAILQ_REMOVE(&store->watches, watch, in_store);
		free(watch);
	}
	close_file(store->socket);
	close_file(store->poll);
	close_file(store->queued);
	close_file(store->timer);
	pthread_mutex_destroy(&store->lock);
	pthread_cond_destroy(&store->told);
	free(store->path);
	free(store);
}

static int ask(struct rfstore *store, const struct rfstore_request *request,
	       struct rfstore_reply *reply)
{
	size_t length = 0;
	int error;

	for (size_t i = 0; i < request->pieces; i++)
		length += request->piece[i].iov_len;
	/* The store would hang up. */
	if (length > WIRE_PAYLOAD_MAX)
		return E2BIG;
	pthread_mutex_lock(&store->lock);
	error = rfstore_link_ask(store, request, reply);
	pthread_mutex_unlock(&store->lock);
	return error;
}

/* For requests whose answer is that they are done. */
static int tell(struct rfstore *store, const struct rfstore_request *request)
{
	struct rfstore_reply reply = { NULL, 0 };
	int error = ask(store, request, &reply);

	free(reply.data);
	return error;
}

static struct rfstore_request request_for(enum wire_type type,
					  struct rfstore_transaction transaction, const char *path)
{
	struct rfstore_request request = { .type = type, .transaction = transaction };

	rfstore_link_text(&request, path);
	return request;
}

int rfstore_begin(struct rfstore *store, struct rfstore_transaction *transaction)
{
	const struct rfstore_request request =
		request_for(WIRE_TRANSACTION_START, RFSTORE_NONE, "");
	struct rfstore_reply reply = { NULL, 0 };
	int error;

	pthread_mutex_lock(&store->lock);
	error = rfstore_link_ask(store, &request, &reply);
	if (!error) {
		transaction->id = (uint32_t)strtoul(reply.data, NULL, 10);
		transaction->connection = store->connection;
	}
	pthread_mutex_unlock(&store->lock);
	free(reply.data);
	return error;
}

int rfstore_end(struct rfstore *store, struct rfstore_transaction transaction, bool commit)
{
	const struct rfstore_request request =
		request_for(WIRE_TRANSACTION_END, transaction, commit ? "T" : "F");
	int error = tell(store, &request);

	/* One that is not to be done is not done, wherever the store is. */
	return commit || (error != EAGAIN && error != ECONNRESET) ? error : 0;
}

int rfstore_transact(struct rfstore *store, rfstore_work *work, void *argument)
{
	struct rfstore_transaction transaction;
	int error, ended;

	do {
		error = rfstore_begin(store, &transaction);
		if (error)
			return error;
		error = work(store, transaction, argument);
		ended = rfstore_end(store, transaction, !error);
		if (!error)
			error = ended;
	} while (error == EAGAIN);
	return error;
}

int rfstore_read(struct rfstore *store, struct rfstore_transaction transaction, const char *path,
		 char **value, size_t *length)
{
	const struct rfstore_request request = request_for(WIRE_READ, transaction, path);
	struct rfstore_reply reply = { NULL, 0 };
	int error = ask(store, &request, &reply);

	if (error)
		return error;
	*value = reply.data;
	if (length)
		*length = reply.length;
	return 0;
}

int rfstore_write(struct rfstore *store, struct rfstore_transaction transaction, const char *path,
		  const void *value, size_t length)
{
	struct rfstore_request request = request_for(WIRE_WRITE, transaction, path);

	rfstore_link_bytes(&request, value, length);
	return tell(store, &request);
}

int rfstore_mkdir(struct rfstore *store, struct rfstore_transaction transaction, const char *path)
{
	const struct rfstore_request request = request_for(WIRE_MKDIR, transaction, path);

	return tell(store, &request);
}

int rfstore_remove(struct rfstore *store, struct rfstore_transaction transaction, const char *path)
{
	const struct rfstore_request request = request_for(WIRE_RM, transaction, path);
	int error = tell(store, &request);

	return error == ENOENT ? 0 : error;
}

/* The names in a text, each with a zero: an array of them and the text, in one block. */
static int split_names(const char *text, size_t length, char ***names, size_t *count)
{
	size_t number = 0, at = 0;
	char *copy;

	for (size_t i = 0; i < length; i++)
		number += !text[i];
	*names = malloc(number * sizeof(**names) + length + 1);
	if (!*names)
		return ENOMEM;
	copy = memcpy((char *)(*names + number), text, length);
	for (size_t i = 0; i < number; i++) {
		(*names)[i] = copy + at;
		at += strlen(copy + at) + 1;
	}
	*count = number;
	return 0;
}

/* A listing that is put together from parts. */
struct listing {
	char *text;
	size_t length;
	char state[24]; /* the folder's, by the store */
	bool done;
};

static int add_part(struct listing *listing, const struct rfstore_reply *reply)
{
	size_t state = strlen(reply->data) + 1;
	size_t length = reply->length > state ? reply->length - state : 0;
	char *grown = realloc(listing->text, listing->length + length + 1);

	if (!grown)
		return ENOMEM;
	listing->text = grown;
	/* It changed in between: from the start. */
	if (listing->length && strcmp(listing->state, reply->data) != 0) {
		listing->length = 0;
		return 0;
	}
	snprintf(listing->state, sizeof(listing->state), "%s", reply->data);
	memcpy(listing->text + listing->length, reply->data + state, length);
	listing->length += length;
	/* An empty name ends it. */
	listing->done = !length || (listing->text[listing->length - 1] == 0 &&
				    (length == 1 || listing->text[listing->length - 2] == 0));
	if (listing->done && length)
		listing->length--;
	return 0;
}

static int list_part(struct rfstore *store, struct rfstore_transaction transaction,
		     const char *path, struct listing *listing)
{
	struct rfstore_request request = request_for(WIRE_DIRECTORY_PART, transaction, path);
	struct rfstore_reply reply = { NULL, 0 };
	char offset[24];
	int error;

	snprintf(offset, sizeof(offset), "%zu", listing->length);
	rfstore_link_text(&request, offset);
	error = ask(store, &request, &reply);
	if (!error)
		error = add_part(listing, &reply);
	free(reply.data);
	return error;
}

int rfstore_list(struct rfstore *store, struct rfstore_transaction transaction, const char *path,
		 char ***names, size_t *count)
{
	struct listing listing = { .text = NULL };
	int error = 0;

	while (!error && !listing.done)
		error = list_part(store, transaction, path, &listing);
	if (!error)
		error = split_names(listing.text, listing.length, names, count);
	free(listing.text);
	return error;
}

int rfstore_get_permissions(struct rfstore *store, struct rfstore_transaction transaction,
			    const char *path, struct rfstore_permission **list, size_t *count)
{
	const struct rfstore_request request = request_for(WIRE_GET_PERMISSIONS, transaction, path);
	struct rfstore_reply reply = { NULL, 0 };
	int error = ask(store, &request, &reply);
	size_t number = 0;

	if (error)
		return error;
	*list = calloc(reply.length / 2 + 1, sizeof(**list));
	for (size_t at = 0; *list && at < reply.length; at += strlen(reply.data + at) + 1) {
		(*list)[number].access = reply.data[at];
		(*list)[number++].domain = (uint16_t)strtoul(reply.data + at + 1, NULL, 10);
	}
	*count = number;
	free(reply.data);
	return *list ? 0 : ENOMEM;
}

int rfstore_set_permissions(struct rfstore *store, struct rfstore_transaction transaction,
			    const char *path, const struct rfstore_permission *list, size_t count)
{
	struct rfstore_request request = request_for(WIRE_SET_PERMISSIONS, transaction, path);
	char text[WIRE_PAYLOAD_MAX];
	size_t length = 0;

	for (size_t i = 0; i < count; i++) {
		if (length + 8 > sizeof(text))
			return E2BIG;
		length +=
			(size_t)sprintf(text + length, "%c%u", list[i].access, list[i].domain) + 1;
	}
	rfstore_link_bytes(&request, text, length);
	return tell(store, &request);
}

static struct rfstore_request request_of(enum wire_type type, uint16_t domain, char number[8])
{
	struct rfstore_request request = { .type = type };

	snprintf(number, 8, "%u", domain);
	rfstore_link_text(&request, number);
	return request;
}

int rfstore_introduce(struct rfstore *store, uint16_t domain, uint64_t frame, uint32_t port)
{
	char number[8], frame_text[24], port_text[12];
	struct rfstore_request request = request_of(WIRE_INTRODUCE, domain, number);

	snprintf(frame_text, sizeof(frame_text), "%llu", (unsigned long long)frame);
	snprintf(port_text, sizeof(port_text), "%u", port);
	rfstore_link_text(&request, frame_text);
	rfstore_link_text(&request, port_text);
	return tell(store, &request);
}

int rfstore_release(struct rfstore *store, uint16_t domain)
{
	char number[8];
	const struct rfstore_request request = request_of(WIRE_RELEASE, domain, number);

	return tell(store, &request);
}

int rfstore_is_introduced(struct rfstore *store, uint16_t domain, bool *introduced)
{
	char number[8];
	const struct rfstore_request request =
		request_of(WIRE_IS_DOMAIN_INTRODUCED, domain, number);
	struct rfstore_reply reply = { NULL, 0 };
	int error = ask(store, &request, &reply);

	if (!error)
		*introduced = reply.data[0] == 'T';
	free(reply.data);
	return error;
}

int rfstore_set_target(struct rfstore *store, uint16_t domain, uint16_t target)
{
	char number[8], target_number[8];
	struct rfstore_request request = request_of(WIRE_SET_TARGET, domain, number);

	snprintf(target_number, sizeof(target_number), "%u", target);
	rfstore_link_text(&request, target_number);
	return tell(store, &request);
}

int rfstore_control(struct rfstore *store, const char *command, const char *parameter, char **text)
{
	struct rfstore_request request = request_for(WIRE_CONTROL, RFSTORE_NONE, command);
	struct rfstore_reply reply = { NULL, 0 };
	int error;

	if (parameter)
		rfstore_link_text(&request, parameter);
	error = ask(store, &request, &reply);
	if (!error)
		*text = reply.data;
	return error;
}

int rfstore_restrict(struct rfstore *store, uint16_t domain)
{
	char number[8], *text;
	int error;

	snprintf(number, sizeof(number), "%u", domain);
	error = rfstore_control(store, "restrict", number, &text);
	if (error)
		return error;
	free(text);
	pthread_mutex_lock(&store->lock);
	store->restricted = true;
	store->domain = domain;
	pthread_mutex_unlock(&store->lock);
	return 0;
}
