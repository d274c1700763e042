/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happened, in order, each with a number (event.c). The last EVENTS_KEPT are kept. Numbers grow for ever,
 * also from one run of the daemon to the next, so who was away sees whether something was missed.
 */
#ifndef TOOLSTACK_RFD_EVENT_H
#define TOOLSTACK_RFD_EVENT_H

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "abi/domain.h"

#define EVENTS_KEPT    1024
#define EVENTS_WAITERS 32

enum event_kind {
	EVENT_DAEMON_STARTED,
	EVENT_CREATED,
	EVENT_RUNNING,
	EVENT_PAUSED,
	EVENT_POWERED_OFF,
	EVENT_WANTS_REBOOT,
	EVENT_CRASHED,
	EVENT_REMOVED,
	EVENT_RENAMED,
	EVENT_RESTARTED,
	EVENT_PRESERVED,
	EVENT_FAILED,
	EVENT_HELPER_STARTED,
	EVENT_HELPER_ENDED,
	EVENT_KINDS,
};

/* Its number is where it lies. */
struct event {
	enum event_kind kind;
	uint32_t domain;
	uint64_t serial; /* of the domain; 0: it is of none */
	struct timespec time;
	char name[RF_DOMAIN_NAME_SIZE];
	char *text; /* NULL: none */
};

struct event_queue {
	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t more;
	struct event kept[EVENTS_KEPT]; /* by number */
	uint64_t first;			/* that is kept */
	uint64_t next;			/* that will come */
	uint64_t counts[EVENT_KINDS];
	unsigned waiting;
	bool closed;
};

void event_open(struct event_queue *queue);
/* Nobody waits any more, and nobody will. */
void event_close(struct event_queue *queue);
void event_free(struct event_queue *queue);
/* Of a domain, or of none: NULL. The text is for people, and may be empty. */
void event_add(struct event_queue *queue, enum event_kind kind, const struct rf_domain_info *info,
	       const char *format, ...) __attribute__((format(printf, 4, 5)));
/*
 * What came after that number, and if there is nothing, the next to come within so many seconds. NULL: too many
 * wait already.
 */
json_t *event_read(struct event_queue *queue, uint64_t since, unsigned seconds);
/* So many there were of each kind. */
void event_count(struct event_queue *queue, uint64_t counts[EVENT_KINDS]);
const char *event_name(enum event_kind kind);
const char *event_help(enum event_kind kind);

#endif
