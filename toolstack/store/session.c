// SPDX-License-Identifier: BSD-2-Clause
/*
 * One client's share of the store: its watches, the events it has not been told, its transactions.
 *
 * Interface: session_init, session_end, session_reset, session_restrict; session_watch, session_unwatch;
 * session_forget_events, session_add_event, session_next_event, session_took_event.
 * What is odd: events are bounded without losing any. When there are too many, a watch is summed up: its events
 * give way to one for its own path, as when it was set, after which its owner looks at everything again.
 */
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "store.h"

/* What domain 0 may leave unread: enough for one event of each of 100,000 nodes. */
#define CONTROL_EVENT_BYTES (16UL << 20)

void session_init(struct session *session, struct store *store, uint16_t domain)
{
	memset(session, 0, sizeof(*session));
	session->store = store;
	session->domain = domain;
	TAILQ_INIT(&session->watches);
	TAILQ_INIT(&session->events);
	TAILQ_INIT(&session->transactions);
	TAILQ_INSERT_TAIL(&store->sessions, session, in_store);
}

static struct account *account_of(const struct session *session)
{
	return quota_account(&session->store->quota, session->domain);
}

static size_t event_cost(const struct event *event)
{
	return sizeof(*event) + strlen(event->path) + 1;
}

static void remove_event(struct session *session, struct event *event)
{
	TAILQ_REMOVE(&session->events, event, in_session);
	session->event_bytes -= event_cost(event);
	if (event->watch->last == event)
		event->watch->last = NULL;
	free(event);
}

static void remove_events_of(struct session *session, const struct watch *watch)
{
	struct event *next, *event = TAILQ_FIRST(&session->events);

	for (; event; event = next) {
		next = TAILQ_NEXT(event, in_session);
		if (event->watch == watch)
			remove_event(session, event);
	}
}

static uint64_t watch_cost(const struct watch *watch)
{
	return sizeof(*watch) + strlen(watch->path) + strlen(watch->token) + 2;
}

static void remove_watch(struct session *session, struct watch *watch)
{
	struct account *account = account_of(session);

	remove_events_of(session, watch);
	session->summed_up -= watch->summed_up;
	TAILQ_REMOVE(&session->watches, watch, in_session);
	account->watches--;
	account->bytes -= watch_cost(watch);
	watch_remove(&session->store->watches, watch);
}

void session_reset(struct session *session)
{
	struct event *event;
	struct watch *watch;

	/* Events first: looking for each watch's among all of them would take the product of both. */
	while ((event = TAILQ_FIRST(&session->events)))
		remove_event(session, event);
	while ((watch = TAILQ_FIRST(&session->watches)))
		remove_watch(session, watch);
	transaction_end_all(session);
}

void session_end(struct session *session)
{
	session_reset(session);
	TAILQ_REMOVE(&session->store->sessions, session, in_store);
}

int session_restrict(struct session *session, uint16_t domain)
{
	if (session->domain)
		return EPERM;
	if (!TAILQ_EMPTY(&session->watches) || !TAILQ_EMPTY(&session->transactions))
		return EBUSY;
	session->domain = domain;
	return 0;
}

int session_watch(struct session *session, const char *path, size_t prefix, const char *token)
{
	const struct quota *quota = &session->store->quota;
	struct account *account = account_of(session);
	struct watch *watch;

	if (strlen(token) > WIRE_TOKEN_MAX)
		return E2BIG;
	if (watch_find(&session->store->watches, session, path, token))
		return EEXIST;
	if (session->domain && account->watches >= quota->limits.watches)
		return E2BIG;
	watch = watch_add(&session->store->watches, session, path, prefix, token);
	TAILQ_INSERT_TAIL(&session->watches, watch, in_session);
	account->watches++;
	account->bytes += watch_cost(watch);
	session_add_event(watch, path);
	return 0;
}

int session_unwatch(struct session *session, const char *path, const char *token)
{
	struct watch *watch = watch_find(&session->store->watches, session, path, token);

	if (!watch)
		return ENOENT;
	remove_watch(session, watch);
	return 0;
}

void session_forget_events(struct session *session, const char *path, const char *token)
{
	remove_events_of(session, watch_find(&session->store->watches, session, path, token));
}

static void sum_up(struct session *session, struct watch *watch)
{
	remove_events_of(session, watch);
	watch->summed_up = true;
	session->summed_up++;
}

void session_add_event(struct watch *watch, const char *path)
{
	struct session *session = watch->session;
	size_t limit = session->domain ? session->store->quota.limits.event_bytes
				       : CONTROL_EVENT_BYTES;
	const char *seen = path + watch->prefix;
	struct event *event;

	if (watch->summed_up || (watch->last && strcmp(watch->last->path, seen) == 0))
		return;
	if (session->event_bytes + sizeof(*event) + strlen(seen) + 1 > limit) {
		sum_up(session, watch);
	} else {
		event = memory_alloc(sizeof(*event) + strlen(seen) + 1);
		event->watch = watch;
		strcpy(event->path, seen);
		TAILQ_INSERT_TAIL(&session->events, event, in_session);
		session->event_bytes += event_cost(event);
		watch->last = event;
	}
	if (session->woken)
		session->woken(session);
}

static struct watch *first_summed_up(const struct session *session)
{
	struct watch *watch;

	if (!session->summed_up)
		return NULL;
	TAILQ_FOREACH(watch, &session->watches, in_session) {
		if (watch->summed_up)
			return watch;
	}
	return NULL;
}

bool session_next_event(struct session *session, const char **path, const char **token)
{
	const struct event *event = TAILQ_FIRST(&session->events);
	const struct watch *watch = event ? event->watch : first_summed_up(session);

	if (!watch)
		return false;
	*path = event ? event->path : watch->path + watch->prefix;
	*token = watch->token;
	return true;
}

void session_took_event(struct session *session)
{
	struct event *event = TAILQ_FIRST(&session->events);
	struct watch *watch;

	if (event) {
		remove_event(session, event);
		return;
	}
	watch = first_summed_up(session);
	watch->summed_up = false;
	session->summed_up--;
}
