// SPDX-License-Identifier: BSD-2-Clause
/*
 * Run queues: who waits for a CPU, and how their claims compare.
 *
 * Interface: run_queue.h. Locks: the caller holds the queue's, save for run_queue_least, which
 * reads hints: what it says may be wrong for a moment.
 */
#include "run_queue.h"

#include "sched.h"

#define RUN_MAX (1ULL << 55) /* a year: what can be scaled */

bool run_queue_before(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) < 0;
}

static struct sched_entity *entity_of(const struct list_node *node)
{
	return list_entry(node, struct sched_entity, link);
}

void run_queue_init(struct run_queue *queue)
{
	*queue =
		(struct run_queue){ .lock = SPINLOCK_INIT, .running_weight = SCHED_WEIGHT_DEFAULT };
	list_init(&queue->head);
}

uint64_t run_queue_scale(uint64_t nanoseconds, uint32_t weight)
{
	return (nanoseconds < RUN_MAX ? nanoseconds : RUN_MAX) * SCHED_WEIGHT_DEFAULT / weight;
}

static void update_length(struct run_queue *queue, uint32_t length)
{
	if (!list_empty(&queue->head))
		__atomic_store_n(&queue->first_time, entity_of(queue->head.next)->virtual_time,
				 __ATOMIC_RELAXED);
	__atomic_store_n(&queue->length, length, __ATOMIC_SEQ_CST);
}

void run_queue_add(struct run_queue *queue, struct sched_entity *entity)
{
	struct list_node *place = queue->head.previous;

	while (place != &queue->head &&
	       run_queue_before(entity->virtual_time, entity_of(place)->virtual_time))
		place = place->previous;
	list_insert_after(place, &entity->link);
	update_length(queue, queue->length + 1);
}

void run_queue_remove(struct run_queue *queue, struct sched_entity *entity)
{
	list_remove(&entity->link);
	update_length(queue, queue->length - 1);
}

void run_queue_clamp(struct sched_entity *entity, uint64_t reference, uint64_t behind,
		     uint64_t ahead)
{
	uint64_t low = reference - run_queue_scale(behind, entity->weight);
	uint64_t high = reference + run_queue_scale(ahead, entity->weight);

	if (run_queue_before(entity->virtual_time, low))
		entity->virtual_time = low;
	if (run_queue_before(high, entity->virtual_time))
		entity->virtual_time = high;
}

void run_queue_advance(struct run_queue *queue, const struct sched_entity *running, uint64_t now)
{
	uint64_t least;

	if (running) {
		__atomic_store_n(&queue->running_weight, running->weight, __ATOMIC_RELAXED);
		__atomic_store_n(&queue->running_time, running->virtual_time, __ATOMIC_RELAXED);
		__atomic_store_n(&queue->running_since, now, __ATOMIC_RELAXED);
	}
	__atomic_store_n(&queue->busy, running != NULL, __ATOMIC_RELEASE);
	if (run_queue_least(queue, now, &least) && run_queue_before(queue->virtual_time, least))
		queue->virtual_time = least;
}

void run_queue_forget(struct run_queue *queue, struct sched_entity *running, uint64_t step)
{
	struct list_node *node;

	queue->virtual_time += step;
	list_for_each(node, &queue->head)
		entity_of(node)->virtual_time += step;
	if (running) {
		running->virtual_time += step;
		queue->running_time += step;
	}
	update_length(queue, queue->length);
}

bool run_queue_least(const struct run_queue *queue, uint64_t now, uint64_t *time)
{
	bool busy = __atomic_load_n(&queue->busy, __ATOMIC_ACQUIRE);
	uint32_t length = __atomic_load_n(&queue->length, __ATOMIC_RELAXED);
	uint64_t since, ran;

	*time = __atomic_load_n(&queue->first_time, __ATOMIC_RELAXED);
	if (!busy)
		return length;
	since = __atomic_load_n(&queue->running_since, __ATOMIC_RELAXED);
	ran = __atomic_load_n(&queue->running_time, __ATOMIC_RELAXED);
	if (now > since)
		ran += run_queue_scale(now - since,
				       __atomic_load_n(&queue->running_weight, __ATOMIC_RELAXED));
	if (!length || run_queue_before(ran, *time))
		*time = ran;
	return true;
}
