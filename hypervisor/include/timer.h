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

#define TIMER_NEVER (~0ULL)

struct timer {
	struct list_node link;
	uint64_t deadline;		     /* nanoseconds of arch_time_ns */
	void (*expire)(struct timer *timer); /* called with no lock held, timer inactive */
	struct cpu *cpu;		     /* whose queue it is in */
	bool active;
};

struct timer_queue {
	struct spinlock lock;
	struct list_node head; /* sorted by deadline */
};

void timer_queue_init(struct timer_queue *queue);
void timer_init(struct timer *timer, void (*expire)(struct timer *timer));
/*
 * On this CPU's queue; moves it if it was active elsewhere. A deadline in the past expires at
 * once, by interrupt.
 */
void timer_start(struct timer *timer, uint64_t deadline);
/* After it returns the timer is inactive, and its function is not running on another CPU. */
void timer_stop(struct timer *timer);
/* The timer interrupt: expires what is due, a bounded number at a time, and programs the next. */
void timer_interrupt(void);

#endif
