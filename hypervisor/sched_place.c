// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where a vCPU waits: on its last CPU, an idle one, or the one that has served those who wait
 * there best.
 *
 * Interface: sched_place.h, for sched.c.
 * Locks: one run queue's at a time. An entity belongs to the queue its `cpu` names, also while
 * it is in no list; that changes under the old queue's lock, so whoever locks looks again
 * (sched_lock). Between two queues an entity is runnable and in no list, and whoever puts it in
 * one checks that it still may be there.
 * Odd: virtual times of all queues where somebody waits are comparable, and a vCPU that waits
 * moves to where others have got a slice more than it. A CPU that one vCPU has alone runs ahead
 * without harm to anybody; so when another comes there, it is the first one's time that is
 * brought near, not the newcomer's. Pinned vCPUs can make a queue fall behind for good: claims
 * on other queues above CLAIM_KEPT are forgotten.
 *
 * An entity whose registers are still in a CPU (on_cpu) waits at that CPU only; it may be taken
 * from there once they have been saved.
 */
#include "sched_place.h"

#include "bitmap.h"
#include "cpu.h"
#include "vcpu.h"

/* Who wakes may be so far behind: enough to take the CPU of who is not. */
#define WAKE_CLAIM (2 * SCHED_GRANULARITY_NS)
#define MOVE_CLAIM (4 * SCHED_SLICE_NS)
#define CLAIM_KEPT 500000000ULL

/* CPUs that have nothing to run; changed atomically. */
static uint64_t idle_cpus;

struct vcpu *sched_vcpu_of(struct sched_entity *entity)
{
	return list_entry(entity, struct vcpu, sched);
}

static uint64_t cpu_bit(const struct cpu *cpu)
{
	return bitmap_mask(cpu->id);
}

static uint64_t online_mask(void)
{
	return cpu_count < 64 ? bitmap_mask(cpu_count) - 1 : ~0ULL;
}

struct cpu *sched_lock(const struct sched_entity *entity)
{
	for (;;) {
		struct cpu *cpu = __atomic_load_n(&entity->cpu, __ATOMIC_ACQUIRE);

		spin_lock(&cpu->queue.lock);
		if (cpu == __atomic_load_n(&entity->cpu, __ATOMIC_RELAXED))
			return cpu;
		spin_unlock(&cpu->queue.lock);
	}
}

/* Calling a CPU takes time, and the first thing that the one called does is to take the lock. */
void sched_unlock(struct cpu *cpu)
{
	bool call = cpu->queue.call;

	cpu->queue.call = false;
	spin_unlock(&cpu->queue.lock);
	if (call && __atomic_load_n(&cpu->need_schedule, __ATOMIC_RELAXED))
		arch_cpu_interrupt(cpu);
}

void sched_request_on(struct cpu *cpu)
{
	if (__atomic_load_n(&cpu->need_schedule, __ATOMIC_RELAXED))
		return;
	__atomic_store_n(&cpu->need_schedule, true, __ATOMIC_SEQ_CST);
	if (cpu->current)
		vcpu_set_work(cpu->current, VCPU_WORK_SCHEDULE);
	cpu->queue.call = cpu != this_cpu() && cpu->online;
}

void sched_dequeue(struct cpu *cpu, struct sched_entity *entity)
{
	if (list_linked(&entity->link))
		run_queue_remove(&cpu->queue, entity);
}

static bool may_wait(const struct sched_entity *entity)
{
	return entity->state == SCHED_RUNNABLE && !list_linked(&entity->link) && !entity->pause &&
	       !entity->parked;
}

static struct sched_entity *running_on(const struct cpu *cpu)
{
	struct vcpu *v = cpu->current;

	return v && v->sched.state == SCHED_RUNNING ? &v->sched : NULL;
}

/* The furthest of the queues in which somebody waits. */
static bool furthest_queue(uint64_t now, uint64_t *furthest)
{
	bool found = false;
	uint64_t time;

	for (uint32_t i = 0; i < cpu_count; i++) {
		if (!__atomic_load_n(&cpus[i].queue.length, __ATOMIC_RELAXED) ||
		    !run_queue_least(&cpus[i].queue, now, &time))
			continue;
		if (!found || run_queue_before(*furthest, time))
			*furthest = time;
		found = true;
	}
	return found;
}

/* The first to wait at a CPU: its time counts, that of who runs there is brought near. */
static void join_lone(struct cpu *cpu, struct sched_entity *entity, bool waking, uint64_t now)
{
	struct sched_entity *running = running_on(cpu);
	uint64_t reference = entity->virtual_time;

	if (waking) {
		if (!furthest_queue(now, &reference) && running)
			reference = running->virtual_time;
		run_queue_clamp(entity, reference, WAKE_CLAIM, MOVE_CLAIM);
	}
	if (running)
		run_queue_clamp(running, reference, MOVE_CLAIM, MOVE_CLAIM);
	cpu->queue.virtual_time = reference;
}

static void join(struct cpu *cpu, struct sched_entity *entity, bool waking, uint64_t now)
{
	struct run_queue *queue = &cpu->queue;
	struct sched_entity *running = running_on(cpu);

	if (running)
		sched_account(running, now);
	run_queue_advance(queue, running, now);
	if (queue->length)
		run_queue_clamp(entity, queue->virtual_time, waking ? WAKE_CLAIM : MOVE_CLAIM,
				MOVE_CLAIM);
	else
		join_lone(cpu, entity, waking, now);
	run_queue_add(queue, entity);
	run_queue_advance(queue, running, now);
}

/*
 * When that CPU should choose again for this one, who waits there: as soon as its claim is the
 * better one, among several by enough to be worth a switch; a slice at most.
 */
static uint64_t turn_by_claim(const struct cpu *cpu, const struct sched_entity *running,
			      const struct sched_entity *entity, uint64_t now)
{
	uint64_t goal = entity->virtual_time;
	uint64_t wait;

	if (cpu->queue.length > 1)
		goal += run_queue_scale(SCHED_GRANULARITY_NS, entity->weight);
	if (run_queue_before(goal, running->virtual_time))
		return now;
	wait = (goal - running->virtual_time) * running->weight / SCHED_WEIGHT_DEFAULT;
	return now + (wait < SCHED_SLICE_NS ? wait : SCHED_SLICE_NS);
}

/*
 * Who has just got this CPU keeps it for a moment: a guest whose back end waits here for the first
 * of its requests makes the next ones, too, before that runs.
 */
static uint64_t turn(const struct cpu *cpu, const struct sched_entity *entity, uint64_t now)
{
	const struct sched_entity *running = running_on(cpu);
	uint64_t at;

	/* An idle CPU may have come too late to see who waits here. */
	if (!running || (__atomic_load_n(&idle_cpus, __ATOMIC_SEQ_CST) & entity->affinity))
		return now;
	at = turn_by_claim(cpu, running, entity, now);
	if (entity->patient && cpu == this_cpu() && at < running->begun + SCHED_RUN_LEAST_NS)
		at = running->begun + SCHED_RUN_LEAST_NS;
	return at;
}

/* Those that wait for their next slice wait for a whole one, but not who has something new to do. */
uint64_t sched_slice_end(const struct cpu *cpu, const struct sched_entity *running, uint64_t now)
{
	uint64_t least = now + SCHED_RUN_LEAST_NS, at;
	struct list_node *node;

	list_for_each(node, &cpu->queue.head) {
		struct sched_entity *entity = list_entry(node, struct sched_entity, link);

		if (!entity->waked)
			continue;
		at = turn_by_claim(cpu, running, entity, now);
		return at < least ? least : at;
	}
	return now + SCHED_SLICE_NS;
}

void sched_choose_again(struct cpu *cpu, const struct sched_entity *entity, uint64_t now)
{
	struct timer *slice = &cpu->queue.slice;
	struct sched_entity *running = running_on(cpu);
	uint64_t at;

	if (running)
		sched_account(running, now);
	at = turn(cpu, entity, now);
	if (at <= now)
		sched_request_on(cpu);
	else if (!timer_active(slice) || at < slice->deadline)
		timer_start(slice, at);
}

/* With the lock of `locked`, which it gives up. */
static void move_to(struct cpu *locked, struct sched_entity *entity, struct cpu *target,
		    bool waking)
{
	if (target != locked) {
		__atomic_store_n(&entity->cpu, target, __ATOMIC_RELEASE);
		sched_unlock(locked);
		locked = sched_lock(entity);
	}
	if (may_wait(entity)) {
		uint64_t now = arch_time_ns();

		join(locked, entity, waking, now);
		sched_choose_again(locked, entity, now);
	}
	sched_unlock(locked);
}

/* One that is idle and that nobody else has just found to be. */
static struct cpu *idle_cpu(const struct sched_entity *entity)
{
	uint64_t idle = __atomic_load_n(&idle_cpus, __ATOMIC_SEQ_CST) & entity->affinity;

	if (!idle)
		return NULL;
	if ((idle & cpu_bit(entity->cpu)) && !entity->cpu->queue.length)
		return entity->cpu;
	for (; idle; idle &= idle - 1) {
		struct cpu *cpu = &cpus[__builtin_ctzll(idle)];

		if (!__atomic_load_n(&cpu->queue.length, __ATOMIC_RELAXED))
			return cpu;
	}
	return NULL;
}

static struct cpu *shortest_queue(uint64_t mask)
{
	struct cpu *shortest = NULL;

	for (mask &= online_mask(); mask; mask &= mask - 1) {
		struct cpu *cpu = &cpus[__builtin_ctzll(mask)];

		if (!shortest ||
		    __atomic_load_n(&cpu->queue.length, __ATOMIC_RELAXED) < shortest->queue.length)
			shortest = cpu;
	}
	return shortest;
}

void sched_enqueue(struct cpu *locked, struct sched_entity *entity, bool waking)
{
	struct cpu *target = NULL;

	if (!__atomic_load_n(&entity->on_cpu, __ATOMIC_ACQUIRE)) {
		target = idle_cpu(entity);
		if (!target && !(entity->affinity & cpu_bit(locked)))
			target = shortest_queue(entity->affinity);
	}
	move_to(locked, entity, target ? target : locked, waking);
}

struct sched_entity *sched_first(struct cpu *cpu, const struct cpu *runner)
{
	struct list_node *node;

	list_for_each(node, &cpu->queue.head) {
		struct sched_entity *entity = list_entry(node, struct sched_entity, link);

		if (!(entity->affinity & cpu_bit(runner)))
			continue;
		if (cpu == runner || !__atomic_load_n(&entity->on_cpu, __ATOMIC_ACQUIRE))
			return entity;
	}
	return NULL;
}

void sched_set_busy(const struct cpu *cpu)
{
	if (__atomic_load_n(&idle_cpus, __ATOMIC_RELAXED) & cpu_bit(cpu))
		__atomic_fetch_and(&idle_cpus, ~cpu_bit(cpu), __ATOMIC_SEQ_CST);
}

/* How many wait there for others: a CPU that has nothing to run takes the first at once. */
static uint32_t stealable(const struct cpu *cpu)
{
	uint32_t length = __atomic_load_n(&cpu->queue.length, __ATOMIC_SEQ_CST);

	if (length && !__atomic_load_n(&cpu->queue.busy, __ATOMIC_ACQUIRE))
		length--;
	return length;
}

static struct cpu *longest_queue(uint64_t mask)
{
	struct cpu *longest = NULL;
	uint32_t most = 0;

	for (; mask; mask &= mask - 1) {
		struct cpu *cpu = &cpus[__builtin_ctzll(mask)];
		uint32_t length = stealable(cpu);

		if (length > most) {
			most = length;
			longest = cpu;
		}
	}
	return longest;
}

bool sched_steal(struct cpu *cpu)
{
	uint64_t mask = online_mask() & ~cpu_bit(cpu);
	struct cpu *victim;

	__atomic_fetch_or(&idle_cpus, cpu_bit(cpu), __ATOMIC_SEQ_CST);
	while ((victim = longest_queue(mask))) {
		struct sched_entity *entity;

		mask &= ~cpu_bit(victim);
		spin_lock(&victim->queue.lock);
		entity = sched_first(victim, cpu);
		if (entity) {
			sched_dequeue(victim, entity);
			move_to(victim, entity, cpu, false);
			return true;
		}
		sched_unlock(victim);
	}
	return false;
}

/*
 * Another CPU that has served its own better than this one who waits: by a slice; or one vCPU
 * has it alone and counts on old claims.
 */
static struct cpu *better_cpu(const struct sched_entity *entity, const struct cpu *cpu,
			      uint64_t now)
{
	uint64_t mask = entity->affinity & online_mask() & ~cpu_bit(cpu);
	uint64_t best = entity->virtual_time + run_queue_scale(SCHED_SLICE_NS, entity->weight);
	struct cpu *better = NULL;

	for (; mask; mask &= mask - 1) {
		struct cpu *other = &cpus[__builtin_ctzll(mask)];
		uint64_t time;

		if (!run_queue_least(&other->queue, now, &time))
			continue;
		if (!other->queue.length &&
		    run_queue_before(time + CLAIM_KEPT, entity->virtual_time))
			time = best + 1;
		if (run_queue_before(best, time)) {
			best = time;
			better = other;
		}
	}
	return better;
}

static struct cpu *balance_target(struct cpu *cpu, const struct sched_entity *entity, bool first,
				  uint64_t now)
{
	struct cpu *target;

	if (__atomic_load_n(&entity->on_cpu, __ATOMIC_ACQUIRE))
		return NULL;
	target = idle_cpu(entity);
	if (!target && !(entity->affinity & cpu_bit(cpu)))
		target = shortest_queue(entity->affinity);
	if (!target && first)
		target = better_cpu(entity, cpu, now);
	return target == cpu ? NULL : target;
}

/* Moves one away; false: all is well. */
static bool balance_one(struct cpu *cpu, uint64_t now)
{
	struct list_node *node;

	spin_lock(&cpu->queue.lock);
	list_for_each(node, &cpu->queue.head) {
		struct sched_entity *entity = list_entry(node, struct sched_entity, link);
		struct cpu *target = balance_target(cpu, entity, node == cpu->queue.head.next, now);

		if (!target)
			continue;
		sched_dequeue(cpu, entity);
		move_to(cpu, entity, target, false);
		return true;
	}
	sched_unlock(cpu);
	return false;
}

static void forget_old_claims(struct cpu *cpu, uint64_t now)
{
	uint64_t furthest;

	if (!furthest_queue(now, &furthest))
		return;
	spin_lock(&cpu->queue.lock);
	if (run_queue_before(cpu->queue.virtual_time + 2 * CLAIM_KEPT, furthest))
		run_queue_forget(&cpu->queue, running_on(cpu),
				 furthest - CLAIM_KEPT - cpu->queue.virtual_time);
	sched_unlock(cpu);
}

void sched_balance(struct cpu *cpu)
{
	uint64_t now;

	if (cpu_count == 1 || !__atomic_load_n(&cpu->queue.length, __ATOMIC_SEQ_CST))
		return;
	now = arch_time_ns();
	for (uint32_t i = 0; i < cpu_count; i++)
		if (!balance_one(cpu, now))
			break;
	forget_old_claims(cpu, now);
}
