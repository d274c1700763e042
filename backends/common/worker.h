/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_COMMON_WORKER_H
#define BACKENDS_COMMON_WORKER_H

/* The process that has what is behind the device and the guest's rings: started, talked to, ended. */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "backends/common/link.h"
#include "backends/common/loop.h"
#include "backends/common/message.h"

struct worker_options {
	uint32_t domain;
	const char *link;   /* of a simulated front end; NULL: the guest */
	unsigned user;	    /* who it becomes, if it is root */
	bool no_jail;	    /* for sanitizers, which need more system calls */
	const void *source; /* what is behind the device, in the class's words */
};

/* What a class does in that process. */
struct worker_class {
	size_t bytes; /* of what it serves, which is zero at first */
	/* Opens all that is ever needed: then the jail closes. False: the text says what could not be. */
	bool (*open)(void *served, int socket, const struct worker_options *options, char *error,
		     size_t size);
	/* Until the monitor is gone. */
	void (*serve)(void *served);
};

struct worker {
	pid_t process;
	int socket;
};

/* False: the system has no process or descriptor for it. */
bool worker_start(struct worker *worker, const struct worker_class *class,
		  const struct worker_options *options);
/* Waits that long at most. 1: there is one; 0: none; -1: the worker is gone. */
int worker_receive(const struct worker *worker, struct message *message, int milliseconds);
/* Kills it, and waits until it is gone. */
void worker_end(struct worker *worker);

/* For a class's open(). False: the text says why. */
bool worker_open_loop(struct loop *loop, unsigned entries, unsigned buffers, char *error,
		      size_t size);
bool worker_open_link(struct link **link, const struct worker_options *options, char *error,
		      size_t size);
/* The text: what, and what the error number means. Always false. */
bool worker_fail(char *error, size_t size, const char *what, int number);

#endif
