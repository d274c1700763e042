/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_CONNECTION_H
#define STORE_CONNECTION_H

#include "buffer.h"
#include "session.h"
#include "transport.h"

/* A client's bytes: what it sent, what it has not read yet. */
struct connection {
	struct session session; /* first */
	struct transport transport;
	struct buffer in;
	struct buffer out;
	uint32_t replies; /* since everything had been read */
	bool ended;
	bool more;   /* of a ring: there may be bytes that nobody has looked for */
	bool active; /* in the server's list of those with work */
	uint32_t polled;
	TAILQ_ENTRY(connection) in_active;
	TAILQ_ENTRY(connection) in_server;
};

TAILQ_HEAD(connection_list, connection);

void connection_init(struct connection *connection, struct store *store, uint16_t domain);
void connection_free(struct connection *connection);

/* Takes in what there is, up to one message. False at the end, or after something that no client may send. */
bool connection_read(struct connection *connection);

/* After false: whether the client may begin anew. If not, it is over. */
bool connection_refuse(struct connection *connection);

/* There is a whole message. */
bool connection_has_message(const struct connection *connection);

/* It may be answered now: not before earlier replies have been read, nor in a pause that its domain has to make. */
bool connection_is_ready(const struct connection *connection);
bool connection_is_paused(const struct connection *connection);

/* Answers one message. */
void connection_answer(struct connection *connection);

/* Lets go what can go: replies, then events. False at the end. */
bool connection_write(struct connection *connection);

/* There is something that could not go yet. */
bool connection_has_output(struct connection *connection);

#endif
