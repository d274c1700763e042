/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_SESSION_H
#define STORE_SESSION_H

#include <stdbool.h>

#include "transaction.h"
#include "watch.h"

struct store;

/* That something at or below a watch's path has changed, not told yet. */
struct event {
	struct watch *watch;
	TAILQ_ENTRY(event) in_session;
	char path[]; /* as the session wants to see it */
};

TAILQ_HEAD(event_list, event);

/* A client of the store: who it is and what it has there. Whoever embeds it may set woken and ended. */
struct session {
	struct store *store;
	uint16_t domain;
	struct watch_list watches;
	struct event_list events;
	size_t event_bytes;
	size_t summed_up; /* watches that are */
	struct transaction_list transactions;
	void (*woken)(struct session *session); /* there is an event */
	void (*ended)(struct session *session); /* its domain is no more */
	TAILQ_ENTRY(session) in_store;
};

TAILQ_HEAD(session_list, session);

void session_init(struct session *session, struct store *store, uint16_t domain);

/* Ends everything that it has. */
void session_end(struct session *session);

/* Its watches and transactions end, the session goes on. */
void session_reset(struct session *session);

/* From now on it is a session of that domain: only if it was domain 0's, and has nothing yet. */
int session_restrict(struct session *session, uint16_t domain);

int session_watch(struct session *session, const char *path, size_t prefix, const char *token);
int session_unwatch(struct session *session, const char *path, const char *token);

/* Its watch has been told everything. */
void session_forget_events(struct session *session, const char *path, const char *token);

/* Path is absolute. */
void session_add_event(struct watch *watch, const char *path);

/* The next event's path and token; they are good until session_took_event(). */
bool session_next_event(struct session *session, const char **path, const char **token);
void session_took_event(struct session *session);

#endif
