/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers of the hypervisor, one queue a CPU (timer.c).
 */
#ifndef HYPERVISOR_TIMER_H
#define HYPERVISOR_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "list.h"
#include "spinlock.h"

#define TIMER_NEVER  (~0ULL)
#define TIMER_BUDGET 64 /* expiries an interrupt */

struct cpu;

struct timer {
	struct list_node link; /* linked while it is active */
	uint64_t deadline;     /* nanoseconds of arch_time_ns */
	void (*expire)(struct timer *timer);
	struct cpu *cpu;  /* whose queue it is in, or was last; changes under that queue's lock */
	uint32_t running; /* CPUs that are in its function; changed atomically */
};

struct timer_queue {
	struct spinlock lock;
	struct list_node head; /* sorted by deadline, equal ones in the order they were started */
	struct timer *running; /* whose function this CPU is in */
};

void timer_queue_init(struct timer_queue *queue);

/*
 * The function is called from the timer interrupt with no lock held and the timer inactive; it
 * may start and stop any timer, its own too, but must not free it, nor use what quiesce.h
 * protects (this CPU may count as idle).
 */
void timer_init(struct timer *timer, void (*expire)(struct timer *timer));

/*
 * On this CPU's queue, moving it if it was active elsewhere. A deadline in the past expires at
 * once, by interrupt; TIMER_NEVER makes it inactive without waiting for its function.
 */
void timer_start(struct timer *timer, uint64_t deadline);

/*
 * After it returns the timer is inactive, and its function is not running on another CPU: no
 * lock may be held that the function takes.
 * A function that starts its own timer again must be told not to first.
 */
void timer_stop(struct timer *timer);

/* For looking only: it may have changed already. */
bool timer_active(const struct timer *timer);

/* The timer interrupt: expires what is due, at most TIMER_BUDGET of them, and programs the next. */
void timer_interrupt(void);

#endif
