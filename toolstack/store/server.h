/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_SERVER_H
#define STORE_SERVER_H

#include "connection.h"
#include "store.h"

#define SERVER_SOCKETS 4

/* Something else that has work for the server now and then. */
struct server_extra {
	int file; /* readable when there is some */
	int look; /* and after so many milliseconds; -1: not */
	uint64_t looked;
	void (*work)(struct server_extra *extra);
};

struct server {
	struct store store; /* first */
	struct server_extra *extra;
	int poll;
	int listening[SERVER_SOCKETS];
	size_t sockets;
	struct connection_list connections;
	struct connection_list active;
	bool deaf; /* there was no room for a new client: listening is not polled in the next wait */
	int wait;  /* milliseconds that the next turn may wait; -1: for ever */
	bool upgrading;
	char upgrade_program[4096];
};

void server_init(struct server *server);
void server_free(struct server *server);

/* A socket to listen on. A stale one of that name is replaced, one in use is not. 0 or an error number. */
int server_listen(struct server *server, const char *path);

/* A listening socket that there is. */
void server_add_socket(struct server *server, int socket);

/* A client, whose transport the caller sets. */
struct connection *server_add_connection(struct server *server, uint16_t domain);
void server_poll_connection(struct server *server, struct connection *connection);

void server_add_extra(struct server *server, struct server_extra *extra);

/* Waits, at most so many milliseconds (-1: for ever), and does what there is to do. Signals come in the wait. */
void server_turn(struct server *server, int timeout);

#endif
