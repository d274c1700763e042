/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The runnable vCPUs of one CPU, in the order of their virtual time: run time divided by weight
 * (run_queue.c).
 *
 * Virtual time wraps; only differences count. A nanosecond of running at the default weight is
 * one unit.
 */
#ifndef HYPERVISOR_RUN_QUEUE_H
#define HYPERVISOR_RUN_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "list.h"
#include "spinlock.h"
#include "timer.h"

struct sched_entity;

struct run_queue {
	struct spinlock lock;
	struct list_node head; /* least virtual time first; without the one that runs */
	uint64_t virtual_time; /* about the least of all here */
	bool call;	       /* its CPU must be told, once the lock is given up */
	struct timer slice;    /* active while somebody waits, or who runs has a cap */

	/* Written under the lock, read by others without it, as hints. */
	uint32_t length;
	uint64_t first_time; /* of the first in the list, when length is not zero */
	bool busy;	     /* somebody runs: */
	uint32_t running_weight;
	uint64_t running_time;	/* virtual time it had */
	uint64_t running_since; /* at this moment */
};

void run_queue_init(struct run_queue *queue);

/* Virtual time that so long a run takes at this weight. */
uint64_t run_queue_scale(uint64_t nanoseconds, uint32_t weight);
bool run_queue_before(uint64_t a, uint64_t b);

void run_queue_add(struct run_queue *queue, struct sched_entity *entity);
void run_queue_remove(struct run_queue *queue, struct sched_entity *entity);

/*
 * Brings an entity's virtual time within what it would run in `behind` and `ahead`
 * nanoseconds of a reference.
 */
void run_queue_clamp(struct sched_entity *entity, uint64_t reference, uint64_t behind,
		     uint64_t ahead);

/*
 * `running` is who runs now (NULL: nobody), accounted up to now: the queue's time moves on,
 * and the hints.
 */
void run_queue_advance(struct run_queue *queue, const struct sched_entity *running, uint64_t now);

/* Everybody here, and who runs, forgets a claim on others that is so old. */
void run_queue_forget(struct run_queue *queue, struct sched_entity *running, uint64_t step);

/* The least virtual time there, as far as can be told without the lock. False: nobody is there. */
bool run_queue_least(const struct run_queue *queue, uint64_t now, uint64_t *time);

#endif
