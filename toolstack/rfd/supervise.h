/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does with guests that have ended what their configurations say (supervise.c). One that ends again and again soon
 * after its start is made again later each time.
 */
#ifndef TOOLSTACK_RFD_SUPERVISE_H
#define TOOLSTACK_RFD_SUPERVISE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "abi/domain.h"
#include "toolstack/lib/domain.h"
#include "toolstack/rfd/daemon.h"

#define SUPERVISE_QUICK_MS 10000 /* a life shorter than this is one that does not last */
#define SUPERVISE_WAIT_MAX 64	 /* seconds before it is made again, at most */
#define SUPERVISE_AGAIN_MS 60000 /* after a failure */
#define SUPERVISE_NAMES	   256

struct supervise_entry {
	uint64_t serial;
	uint64_t due; /* in milliseconds; 0: nothing is to be done */
};

/* How often guests of a name did not last. */
struct supervise_name {
	char name[RF_DOMAIN_NAME_SIZE];
	unsigned quick;
	uint64_t last;
};

struct supervise {
	struct daemon *daemon;
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t more;
	struct supervise_entry entries[DOMAIN_NUMBERS];
	struct supervise_name names[SUPERVISE_NAMES];
	bool stopping;
};

void supervise_start(struct supervise *supervise, struct daemon *daemon);
void supervise_stop(struct supervise *supervise);
/* It has ended, after so long a life; its console has been read. */
void supervise_add(struct supervise *supervise, const struct rf_domain_info *info,
		   uint64_t lived_ms);
/* How many milliseconds one of this name is to wait before it is made again. The lock is held. */
uint64_t supervise_delay(struct supervise *supervise, const char *name, uint64_t lived_ms);

#endif
