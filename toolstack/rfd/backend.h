/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Back ends that were gone though their devices are not (backend.c): when each is to be started again. One that does
 * not last is started later each time, but never given up: its device is there.
 */
#ifndef TOOLSTACK_RFD_BACKEND_H
#define TOOLSTACK_RFD_BACKEND_H

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "toolstack/lib/device.h"

#define BACKENDS	  256	/* that are remembered, those that were seen last */
#define BACKEND_QUICK_MS  3000	/* one that ended sooner has not lasted */
#define BACKEND_DELAY_MAX 64000 /* before it is started again, at most */

struct backend {
	const struct device_class *class; /* NULL: nothing is remembered here */
	uint32_t domain;
	unsigned id;
	uint64_t serial; /* the domain's */
	uint64_t begun;	 /* in milliseconds: when it was started, and */
	uint64_t seen;	 /* was last looked at: there, or gone */
	uint64_t due;	 /* when it is to be started; zero: it runs, or did */
	uint64_t delay;
	uint64_t starts; /* by this daemon */
};

/* Zeroes are a good one. */
struct backend_table {
	pthread_mutex_t lock; /* others list them */
	struct backend backends[BACKENDS];
};

/* It runs. */
void backend_seen(struct backend_table *table, const struct device_folders *folders, uint64_t now);
/* It is gone. True: it is to be started now, and backend_started() called. */
bool backend_gone(struct backend_table *table, const struct device_folders *folders,
		  uint64_t serial, uint64_t now);
void backend_started(struct backend_table *table, const struct device_folders *folders,
		     uint64_t now);
/* One for a list, as the API has it; any thread. */
json_t *backend_describe(struct backend_table *table, const struct device_folders *folders,
			 bool runs, uint64_t now);

#endif
