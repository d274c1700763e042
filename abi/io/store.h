/* SPDX-License-Identifier: MIT */
/*
 * The page that a domain shares with the store, the daemon in the control domain: a ring for each
 * direction, in which both sides write the protocol of xenstore. Layout and meaning are xenstore's;
 * `port`, and how one begins again, are ours.
 *
 * Indices only grow; the place of a byte is its index modulo RF_STORE_RING_SIZE. A side writes the two
 * that are named after what it does, after the bytes, and then sends an event.
 *
 * The domain begins:
 * 1. It takes a zeroed page, writes `connection` = RF_STORE_RECONNECT, and grants the page as grant
 *    RF_GRANT_STORE to domain 0, for writing.
 * 2. event_connect(0, store_port of its start information) is its port. If that fails, or store_port is
 *    zero, event_listen(0) is: a store that comes later looks for it, about once a second.
 * 3. It writes that port into `port`, sends an event if it connected, and waits for RF_STORE_CONNECTED.
 *    There may be no store for ever.
 *
 * A store that finds RF_STORE_RECONNECT in `connection` forgets what this connection had (requests half
 * read, watches, transactions), makes the four indices zero, writes RF_STORE_CONNECTED and sends an
 * event. So while it is RF_STORE_RECONNECT the store alone writes into the rings' part of the page, and
 * the domain may reconnect at any time for reasons of its own.
 *
 * A store that was started anew does not know how far its predecessor came. If it finds anything else
 * in `connection`, it writes RF_STORE_RESTARTED, sends an event, and waits. The domain then begins again:
 * RF_STORE_RECONNECT when it writes nothing else into the page any more, an event, wait for
 * RF_STORE_CONNECTED; then it arms its watches and sends what had no answer.
 *
 * When the store ends, the domain's port listens for domain 0 again by itself and is raised, and
 * `connection` stays as it is; the next store connects to the port that `port` names.
 */
#ifndef RINGFENCE_ABI_IO_STORE_H
#define RINGFENCE_ABI_IO_STORE_H

#include <stdint.h>

#define RF_STORE_RING_SIZE	     1024

/* features: the store writes it */
#define RF_STORE_FEATURE_RECONNECT   1
#define RF_STORE_FEATURE_ERROR	     2

/* connection */
#define RF_STORE_CONNECTED	     0 /* the store writes it */
#define RF_STORE_RECONNECT	     1 /* the domain */
#define RF_STORE_RESTARTED	     2 /* the store */

/* error: the store writes why it serves the page no more, until the domain reconnects */
#define RF_STORE_ERROR_NONE	     0
#define RF_STORE_ERROR_COMMUNICATION 1
#define RF_STORE_ERROR_INDEX	     2
#define RF_STORE_ERROR_PROTOCOL	     3

struct rf_store_ring {
	char request[RF_STORE_RING_SIZE];
	char reply[RF_STORE_RING_SIZE];
	uint32_t request_consumer; /* the store writes it */
	uint32_t request_producer; /* the domain */
	uint32_t reply_consumer;   /* the domain */
	uint32_t reply_producer;   /* the store */
	uint32_t features;
	uint32_t connection;
	uint32_t error;
	uint32_t reserved[504];
	uint32_t port; /* the domain: its own end of the channel */
};

_Static_assert(sizeof(struct rf_store_ring) == 4096, "rf_store_ring is a page");

#endif
