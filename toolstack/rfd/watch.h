/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looks at all domains whenever there is news of one (watch.c): makes events of what has changed, has consoles logged,
 * and says who has ended.
 */
#ifndef TOOLSTACK_RFD_WATCH_H
#define TOOLSTACK_RFD_WATCH_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "toolstack/rfd/console_log.h"
#include "toolstack/rfd/daemon.h"
#include "toolstack/rfd/supervise.h"

/* What was there when we last looked. */
struct watch_domain {
	bool there;
	bool told; /* that it has ended */
	bool logging;
	bool log_failed; /* and that was said */
	struct rf_domain_info info;
	uint64_t since; /* in milliseconds, when it was first seen */
	struct console_log log;
};

struct watch {
	struct daemon *daemon;
	struct supervise *supervise;
	struct access access;
	pthread_t thread;
	int stop;   /* an eventfd: readable when it is to end */
	bool again; /* what is there in the first look is not new */
	struct watch_domain domains[DOMAIN_NUMBERS];
};

bool watch_start(struct watch *watch, struct daemon *daemon, struct supervise *supervise,
		 struct report *report);
void watch_stop(struct watch *watch);
/* Once; what the thread does. For tests: between watch_open and watch_close. */
void watch_look(struct watch *watch);
bool watch_open(struct watch *watch, struct daemon *daemon, struct supervise *supervise,
		struct report *report);
void watch_close(struct watch *watch);

#endif
