/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_TRANSPORT_H
#define STORE_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "abi/io/store.h"
#include "client/wire.h"

struct transport;

/* How bytes come and go. Reading and writing never wait: 0 is nothing now, -1 is the end. */
struct transport_methods {
	ssize_t (*read)(struct transport *transport, void *data, size_t size);
	ssize_t (*write)(struct transport *transport, const void *data, size_t size);
	void (*close)(struct transport *transport);
	/* Whether the client begins anew: nothing of what was before counts any more. May be NULL. */
	bool (*begins)(struct transport *transport);
	/* It is not served any more until it begins anew; false: it is over. May be NULL. */
	bool (*refuse)(struct transport *transport);
};

struct transport {
	const struct transport_methods *methods;
	int file; /* readable when there is something to do, and, for a socket, writable */
	struct rf_store_ring *ring;
	bool serving;	   /* of a ring: what is in it counts */
	uint32_t consumer; /* our own indices */
	uint32_t producer;
	void (*notify)(struct transport *transport); /* wakes the other side */
	void (*closed)(struct transport *transport); /* gives the page back; may be NULL */
	void *data;				     /* of whoever set closed */
};

/* A connected stream socket, which it closes. */
void transport_socket(struct transport *transport, int socket);

/*
 * The store's side of a shared page. file becomes readable when the client has done something; reading 8 bytes of it
 * takes that away. The client is served once it has said that it begins. Closing closes file.
 */
void transport_ring(struct transport *transport, struct rf_store_ring *ring, int file,
		    void (*notify)(struct transport *transport));

#endif
