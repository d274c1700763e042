/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_NET_INTERFACE_H
#define BACKENDS_NET_INTERFACE_H

/*
 * The worker's side of an interface: a tap, the queues of a front end, limits and counts; what the monitor says
 * (message.h).
 */
#include "backends/common/worker.h"
#include "backends/net/queue.h"

/* Its source is the name of a tap. */
extern const struct worker_class interface_worker;

struct interface {
	struct queue_interface common;
	struct queue queue[RF_NET_QUEUES_MAX];
	unsigned queues; /* open ones; zero: not connected */
	bool releasing;	 /* they are being closed */
	bool ended;	 /* the monitor is gone */
	int socket;
	struct loop_watch monitor;
	struct loop_timer delay; /* for a limit, or for buffers */
	struct loop_timer report;
	struct message_statistics reported;
};

/* interface->common has the loop, the link and the tap, all open. */
void interface_open(struct interface *interface, int socket);
/* Until interface->ended. */
void interface_turn(struct interface *interface);

#endif
