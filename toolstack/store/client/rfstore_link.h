/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RFSTORE_LINK_H
#define RFSTORE_LINK_H

/* The inside of the library. All that is here is called with the lock held. */
#include <pthread.h>
#include <sys/queue.h>
#include <sys/uio.h>

#include "rfstore.h"
#include "wire.h"

/* Not told yet. */
struct rfstore_event {
	TAILQ_ENTRY(rfstore_event) in_store;
	struct rfstore_watch *watch;
	char path[];
};

struct rfstore_watch {
	struct rfstore *store;
	TAILQ_ENTRY(rfstore_watch) in_store;
	rfstore_changed *changed;
	void *argument;
	char token[16];
	char path[];
};

TAILQ_HEAD(rfstore_events, rfstore_event);
TAILQ_HEAD(rfstore_watches, rfstore_watch);

struct rfstore {
	pthread_mutex_t lock;
	pthread_cond_t told; /* a callback has returned */
	char *path;
	int socket; /* -1: not connected */
	int poll;   /* what callers poll: the three below */
	int queued; /* an eventfd: there are events, taken in while an answer was waited for */
	int timer;  /* it is time to try and connect again */
	bool restricted;
	uint16_t domain;
	uint32_t connection; /* counts them */
	uint32_t last_request;
	uint32_t last_token;
	struct rfstore_watches watches;
	struct rfstore_events events;
	struct rfstore_watch *telling; /* whose callback runs, in thread teller */
	pthread_t teller;
	size_t length; /* of what has come in */
	char in[2 * (sizeof(struct wire_header) + WIRE_PAYLOAD_MAX)];
};

/* An answer. */
struct rfstore_reply {
	char *data; /* with a zero behind it; the caller's */
	size_t length;
};

/* What follows a header, in at most that many pieces. */
#define RFSTORE_PIECES 4

struct rfstore_request {
	enum wire_type type;
	struct rfstore_transaction transaction;
	struct iovec piece[RFSTORE_PIECES];
	size_t pieces;
};

/* Text with its zero, or bytes. */
void rfstore_link_text(struct rfstore_request *request, const char *text);
void rfstore_link_bytes(struct rfstore_request *request, const void *data, size_t length);

/* Makes a request and waits for the answer; connects, if need be, and again if the store goes away. */
int rfstore_link_ask(struct rfstore *store, const struct rfstore_request *request,
		     struct rfstore_reply *reply);

/* One try to connect, and to be again what it was. */
int rfstore_link_connect(struct rfstore *store);

/* Takes in what has come, without waiting. */
void rfstore_link_take(struct rfstore *store);

/* Asks for one watch on the connection that there is. */
int rfstore_link_watch(struct rfstore *store, const struct rfstore_watch *watch);

/* An event has come for whoever has that token. */
void rfstore_watch_queue(struct rfstore *store, const char *path, const char *token);

#endif
