/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_NET_QUEUE_H
#define BACKENDS_NET_QUEUE_H

/*
 * One queue of a connected interface: packets from its transmit ring to the tap (transmit.c), and from the tap to
 * buffers of its receive ring (receive.c). It belongs to the worker's only thread.
 */
#include <stdbool.h>

#include "backends/common/limit.h"
#include "backends/common/link.h"
#include "backends/common/loop.h"
#include "backends/common/ring.h"
#include "backends/net/message.h"
#include "backends/net/tap.h"

#define QUEUE_STOCK 64 /* buffers that were taken from the ring, at most */

/* What all queues of an interface share. */
struct queue_interface {
	struct loop loop;
	struct link *link;
	struct tap tap;
	struct packet_rules rules;   /* of what goes */
	struct packet_rules accepts; /* of what comes: the features in it, and the MTU */
	bool carrier;
	struct limit bytes;
	struct limit packets;
	struct message_statistics statistics;
	uint8_t scratch[RF_NET_BYTES_MAX +
			1]; /* of a packet for which there are not enough buffers */
};

struct queue_transmit {
	struct ring ring;
	struct link_memory memory;
	bool held; /* `next` was taken from the ring, and waits for a limit */
	struct rf_net_transmit_request next;
};

struct queue_receive {
	struct ring ring;
	struct link_memory memory;
	struct rf_net_receive_request stock[QUEUE_STOCK];
	unsigned count; /* of the stock */
	uint64_t room;	/* bytes in it */
	bool ready;	/* the tap may have packets */
	bool starved;	/* there was no buffer for one */
	uint64_t since; /* when it began to be starved */
	struct loop_watch watch;
};

struct queue {
	struct queue_interface *interface;
	unsigned number;
	struct link_memory pool;
	uint32_t pool_bytes;
	struct link_port port;
	struct loop_watch watch;
	bool stopped; /* nothing more is taken */
	bool more;    /* there is more to do, without any event */
	struct queue_transmit transmit;
	struct queue_receive receive;
};

/* --- queue.c --- */

/* NULL, or why not; then nothing is left of it. `number` is the tap's queue. */
const char *queue_open(struct queue *queue, struct queue_interface *interface, unsigned number,
		       const struct message_queue *wanted);
/* Takes what has come, of either side. False: the front end broke a ring. */
bool queue_turn(struct queue *queue);
/* How long something has to wait, by a limit or for buffers; zero: nothing does. */
uint64_t queue_delay(const struct queue *queue, uint64_t now);
/* Takes nothing more. When queue_idle(), it may be closed. */
void queue_stop(struct queue *queue);
bool queue_idle(const struct queue *queue);
void queue_close(struct queue *queue);

/* --- transmit.c, receive.c --- */

/* False: the ring is broken. */
bool transmit_turn(struct queue *queue);
uint64_t transmit_delay(const struct queue *queue, uint64_t now);
void receive_start(struct queue *queue);
bool receive_turn(struct queue *queue);
uint64_t receive_delay(const struct queue *queue, uint64_t now);
void receive_stop(struct queue *queue);

#endif
