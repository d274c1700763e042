// SPDX-License-Identifier: BSD-2-Clause
/*
 * Watches of the library, and telling of changes.
 *
 * Interface: rfstore_watch, rfstore_unwatch, rfstore_file, rfstore_dispatch, rfstore_wait; rfstore_watch_queue.
 * Locks: the store's is not held while a callback runs.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "rfstore_link.h"

/* The eventfd is readable when, and only when, events are queued. */
static void show_queue(const struct rfstore *store)
{
	uint64_t count = 1;
	ssize_t done;

	if (TAILQ_EMPTY(&store->events))
		done = read(store->queued, &count, sizeof(count));
	else
		done = write(store->queued, &count, sizeof(count));
	(void)done;
}

void rfstore_watch_queue(struct rfstore *store, const char *path, const char *token)
{
	struct rfstore_watch *watch;
	struct rfstore_event *event;

	TAILQ_FOREACH(watch, &store->watches, in_store) {
		if (strcmp(watch->token, token) == 0)
			break;
	}
	event = watch ? malloc(sizeof(*event) + strlen(path) + 1) : NULL;
	if (!event)
		return;
	event->watch = watch;
	strcpy(event->path, path);
	TAILQ_INSERT_TAIL(&store->events, event, in_store);
	show_queue(store);
}

static void remove_events(struct rfstore *store, const struct rfstore_watch *watch)
{
	struct rfstore_event *next, *event = TAILQ_FIRST(&store->events);

	for (; event; event = next) {
		next = TAILQ_NEXT(event, in_store);
		if (event->watch != watch)
			continue;
		TAILQ_REMOVE(&store->events, event, in_store);
		free(event);
	}
	show_queue(store);
}

/* In the list before the store is asked, so that its first event finds it. */
static int set_watch(struct rfstore *store, struct rfstore_watch *watch)
{
	struct rfstore_request request = { .type = WIRE_WATCH };
	struct rfstore_reply reply = { NULL, 0 };
	uint32_t connection = store->connection;
	int error;

	rfstore_link_text(&request, watch->path);
	rfstore_link_text(&request, watch->token);
	TAILQ_INSERT_TAIL(&store->watches, watch, in_store);
	error = rfstore_link_ask(store, &request, &reply);
	free(reply.data);
	/* A new connection has set it already. */
	if (error == EEXIST && store->connection != connection)
		error = 0;
	if (error) {
		TAILQ_REMOVE(&store->watches, watch, in_store);
		remove_events(store, watch);
	}
	return error;
}

int rfstore_watch(struct rfstore *store, const char *path, rfstore_changed *changed, void *argument,
		  struct rfstore_watch **out)
{
	struct rfstore_watch *watch = calloc(1, sizeof(*watch) + strlen(path) + 1);
	int error;

	if (!watch)
		return ENOMEM;
	watch->store = store;
	watch->changed = changed;
	watch->argument = argument;
	strcpy(watch->path, path);
	pthread_mutex_lock(&store->lock);
	snprintf(watch->token, sizeof(watch->token), "%u", ++store->last_token);
	error = set_watch(store, watch);
	pthread_mutex_unlock(&store->lock);
	if (error)
		free(watch);
	else
		*out = watch;
	return error;
}

void rfstore_unwatch(struct rfstore_watch *watch)
{
	struct rfstore_request request = { .type = WIRE_UNWATCH };
	struct rfstore_reply reply = { NULL, 0 };
	struct rfstore *store = watch->store;

	pthread_mutex_lock(&store->lock);
	TAILQ_REMOVE(&store->watches, watch, in_store);
	remove_events(store, watch);
	rfstore_link_text(&request, watch->path);
	rfstore_link_text(&request, watch->token);
	/* Without a connection the store has forgotten it. */
	if (store->socket >= 0)
		rfstore_link_ask(store, &request, &reply);
	free(reply.data);
	while (store->telling == watch && !pthread_equal(store->teller, pthread_self()))
		pthread_cond_wait(&store->told, &store->lock);
	pthread_mutex_unlock(&store->lock);
	free(watch);
}

int rfstore_file(const struct rfstore *store)
{
	return store->poll;
}

/* The lock is held, but not while the callback runs. One thread tells at a time, so that order is kept. */
static void tell(struct rfstore *store, struct rfstore_event *event)
{
	rfstore_changed *changed = event->watch->changed;
	void *argument = event->watch->argument;

	TAILQ_REMOVE(&store->events, event, in_store);
	show_queue(store);
	store->telling = event->watch;
	store->teller = pthread_self();
	pthread_mutex_unlock(&store->lock);
	changed(argument, event->path);
	pthread_mutex_lock(&store->lock);
	store->telling = NULL;
	pthread_cond_broadcast(&store->told);
	free(event);
}

int rfstore_dispatch(struct rfstore *store)
{
	struct rfstore_event *event;
	int count = 0;

	pthread_mutex_lock(&store->lock);
	rfstore_link_take(store);
	while (!store->telling && (event = TAILQ_FIRST(&store->events))) {
		tell(store, event);
		count++;
	}
	pthread_mutex_unlock(&store->lock);
	return count;
}

static int64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int rfstore_wait(struct rfstore *store, int timeout)
{
	struct pollfd file = { .fd = store->poll, .events = POLLIN };
	int64_t deadline = clock_now() + timeout;
	int64_t left = timeout;
	int count = rfstore_dispatch(store);

	/* What makes the file readable need not be an event. */
	while (!count && left) {
		if (poll(&file, 1, timeout < 0 ? -1 : (int)left) < 0 && errno != EINTR)
			break;
		count = rfstore_dispatch(store);
		left = timeout < 0 ? -1 : deadline - clock_now();
		if (timeout >= 0 && left < 0)
			left = 0;
	}
	return count;
}
