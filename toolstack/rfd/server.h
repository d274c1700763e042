/* SPDX-License-Identifier: BSD-2-Clause */
/* HTTP on a unix socket (server.c). */
#ifndef TOOLSTACK_RFD_SERVER_H
#define TOOLSTACK_RFD_SERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "toolstack/lib/report.h"
#include "toolstack/rfd/daemon.h"

#define SERVER_CONNECTIONS 64
#define SERVER_BODY_MAX	   (1U << 20)
#define SERVER_SECONDS	   30 /* that a request may take to arrive, or an answer to be read */

struct MHD_Daemon;

struct server_connection {
	int socket;	/* negative: none */
	uint64_t until; /* in milliseconds, when it is cut off; 0: it is our turn */
};

struct server {
	struct daemon *daemon;
	struct MHD_Daemon *http;
	pthread_mutex_t lock; /* of what follows */
	struct server_connection connections[SERVER_CONNECTIONS];
	uint64_t patience; /* milliseconds */
};

/* Only the owner may connect. Whoever calls has seen to it that nobody else serves this path. */
bool server_start(struct server *server, struct daemon *daemon, struct report *report);
/* Cuts off who is too slow; to be called about once a second. */
void server_look(struct server *server);
void server_stop(struct server *server);

#endif
