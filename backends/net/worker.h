/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_NET_WORKER_H
#define BACKENDS_NET_WORKER_H

/* The process that has the tap and the guest's rings: started, talked to, ended. */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "backends/net/message.h"

struct worker_options {
	const char *tap;
	uint32_t domain;
	const char *link; /* of a simulated front end; NULL: the guest */
	unsigned user;	  /* who it becomes, if it is root */
	bool no_jail;	  /* for sanitizers, which need more system calls */
};

struct worker {
	pid_t process;
	int socket;
};

/* False: the system has no process or descriptor for it. */
bool worker_start(struct worker *worker, const struct worker_options *options);
void worker_send(const struct worker *worker, const struct message *message);
/* Waits that long at most. 1: there is one; 0: none; -1: the worker is gone. */
int worker_receive(const struct worker *worker, struct message *message, int milliseconds);
/* Kills it, and waits until it is gone. */
void worker_end(struct worker *worker);

#endif
