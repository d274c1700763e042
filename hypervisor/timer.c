// SPDX-License-Identifier: BSD-2-Clause
/*
 * Timers: one sorted list a CPU, and the one hardware deadline that serves it.
 *
 * Interface: timer.h.
 * Locks: the queue's, of the CPU that a timer names. Another CPU may move the timer meanwhile,
 * so whoever locks looks again (lock_queue). Functions run with no lock held.
 * Odd: stopping the first timer leaves the hardware as it is: one needless interrupt is cheaper
 * than programming it twice. Starting takes time in proportion to the timers of one CPU: at
 * most three a vCPU.
 */
#include "timer.h"

#include "arch.h"
#include "cpu.h"
#include "quiesce.h"

static struct timer *timer_of(struct list_node *node)
{
	return list_entry(node, struct timer, link);
}

void timer_queue_init(struct timer_queue *queue)
{
	*queue = (struct timer_queue){ .lock = SPINLOCK_INIT };
	list_init(&queue->head);
}

void timer_init(struct timer *timer, void (*expire)(struct timer *timer))
{
	*timer = (struct timer){ .expire = expire, .cpu = this_cpu(), .deadline = TIMER_NEVER };
	list_init(&timer->link);
}

/* The queue the timer belongs to, locked. */
static struct cpu *lock_queue(struct timer *timer)
{
	for (;;) {
		struct cpu *cpu = __atomic_load_n(&timer->cpu, __ATOMIC_ACQUIRE);

		spin_lock(&cpu->timers.lock);
		if (cpu == __atomic_load_n(&timer->cpu, __ATOMIC_RELAXED))
			return cpu;
		spin_unlock(&cpu->timers.lock);
	}
}

static void insert(struct timer_queue *queue, struct timer *timer)
{
	struct list_node *place = queue->head.previous;

	while (place != &queue->head && timer_of(place)->deadline > timer->deadline)
		place = place->previous;
	list_insert_after(place, &timer->link);
}

void timer_start(struct timer *timer, uint64_t deadline)
{
	struct cpu *here = this_cpu(), *cpu;
	struct timer_queue *queue = &here->timers;

	while ((cpu = lock_queue(timer)) != here) {
		list_remove(&timer->link);
		__atomic_store_n(&timer->cpu, here, __ATOMIC_RELEASE);
		spin_unlock(&cpu->timers.lock);
	}
	list_remove(&timer->link);
	timer->deadline = deadline;
	if (deadline != TIMER_NEVER) {
		insert(queue, timer);
		if (queue->head.next == &timer->link && !queue->running)
			arch_timer_program(deadline);
	}
	spin_unlock(&queue->lock);
}

void timer_stop(struct timer *timer)
{
	struct cpu *cpu = lock_queue(timer);
	uint32_t own = this_cpu()->timers.running == timer;

	list_remove(&timer->link);
	spin_unlock(&cpu->timers.lock);
	while (__atomic_load_n(&timer->running, __ATOMIC_ACQUIRE) > own)
		arch_cpu_relax();
}

bool timer_active(const struct timer *timer)
{
	return __atomic_load_n(&timer->link.next, __ATOMIC_RELAXED) != &timer->link;
}

/* With the lock held, which it lets go meanwhile. */
static void expire(struct timer_queue *queue, struct timer *timer)
{
	list_remove(&timer->link);
	__atomic_fetch_add(&timer->running, 1, __ATOMIC_RELAXED);
	queue->running = timer;
	spin_unlock(&queue->lock);
	timer->expire(timer);
	spin_lock(&queue->lock);
	queue->running = NULL;
	__atomic_fetch_sub(&timer->running, 1, __ATOMIC_RELEASE);
}

void timer_interrupt(void)
{
	struct timer_queue *queue = &this_cpu()->timers;
	uint64_t now = arch_time_ns(), next = TIMER_NEVER;

	/* Timers use vCPUs and their pages: a CPU that was asleep is so no more. */
	quiesce_idle_end();
	spin_lock(&queue->lock);
	for (unsigned i = 0; i < TIMER_BUDGET && !list_empty(&queue->head); i++) {
		struct timer *timer = timer_of(queue->head.next);

		if (timer->deadline > now)
			break;
		expire(queue, timer);
	}
	if (!list_empty(&queue->head))
		next = timer_of(queue->head.next)->deadline;
	arch_timer_program(next > now ? next : 0);
	spin_unlock(&queue->lock);
}
