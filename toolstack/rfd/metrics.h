/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers for Prometheus, collected every few seconds, however often they are asked for (metrics.c). */
#ifndef TOOLSTACK_RFD_METRICS_H
#define TOOLSTACK_RFD_METRICS_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#define METRICS_SECONDS 5

struct daemon;

struct metrics {
	pthread_mutex_t lock; /* of what follows */
	char *text;
	size_t size;
};

void metrics_open(struct metrics *metrics);
void metrics_close(struct metrics *metrics);
/* Looks at everything. */
void metrics_collect(struct daemon *daemon);
/* A copy of what was collected last, which the caller frees; NULL: out of memory. */
char *metrics_copy(struct metrics *metrics, size_t *size);

#endif
