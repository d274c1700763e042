// SPDX-License-Identifier: BSD-2-Clause
/*
 * The scheduler: weighted proportional share by virtual time, with caps.
 *
 * Interface: sched.h. Where a vCPU waits is decided in sched_place.c.
 * Locks: the run queue lock of the entity's CPU, one at a time; timers are started under it,
 * never stopped.
 * Odd: a vCPU is taken off its CPU on the way out to the guest, never in the middle of a
 * hypercall. After it was switched out, on_cpu is cleared with release order: whoever sees it
 * clear may run the vCPU elsewhere. Nobody waits for another CPU here; see sched_pause.
 */
#include "sched.h"

#include "bitmap.h"
#include "cpu.h"
#include "domain.h"
#include "quiesce.h"
#include "sched_place.h"
#include "shadow.h"
#include "vcpu.h"

#define RUN_MINIMUM                                                                                \
	50000ULL /* shorter is not worth a timer: it is made up for in the next period */

static void set_state(struct sched_entity *entity, enum sched_state state)
{
	__atomic_store_n(&entity->state, state, __ATOMIC_SEQ_CST);
}

/* --- Time -------------------------------------------------------------------------------- */

static bool has_cap(const struct sched_entity *entity)
{
	return entity->cap > 0 && entity->cap < 100;
}

static uint64_t cap_budget(const struct sched_entity *entity)
{
	return SCHED_CAP_PERIOD_NS / 100 * entity->cap;
}

/* Periods that have passed pay back what was used, too much included. */
static void start_cap_period(struct sched_entity *entity, uint64_t now)
{
	uint64_t past = now > entity->cap_period ? now - entity->cap_period : 0;
	uint64_t periods = past / SCHED_CAP_PERIOD_NS;
	uint64_t paid = periods * cap_budget(entity);

	entity->cap_period += periods * SCHED_CAP_PERIOD_NS;
	entity->cap_used -= paid < entity->cap_used ? paid : entity->cap_used;
}

static void account_run(struct sched_entity *entity, uint64_t past, uint64_t now)
{
	entity->run_ns += past;
	entity->virtual_time += run_queue_scale(past, entity->weight);
	if (!has_cap(entity))
		return;
	entity->cap_used += past;
	start_cap_period(entity, now);
}

void sched_account(struct sched_entity *entity, uint64_t now)
{
	uint64_t past = now > entity->since ? now - entity->since : 0;

	entity->since += past;
	if (entity->state == SCHED_RUNNING)
		account_run(entity, past, now);
	else if (entity->state == SCHED_RUNNABLE)
		entity->steal_ns += past;
}

void sched_times(struct vcpu *v, uint64_t *run_ns, uint64_t *steal_ns)
{
	struct cpu *cpu = sched_lock(&v->sched);

	sched_account(&v->sched, arch_time_ns());
	*run_ns = v->sched.run_ns;
	*steal_ns = v->sched.steal_ns;
	sched_unlock(cpu);
}

static void park(struct sched_entity *entity)
{
	entity->parked = true;
	timer_start(&entity->cap_timer, entity->cap_period + SCHED_CAP_PERIOD_NS);
}

static bool is_over_cap(const struct sched_entity *entity)
{
	return has_cap(entity) && entity->cap_used + RUN_MINIMUM > cap_budget(entity);
}

static void cap_expired(struct timer *timer)
{
	struct sched_entity *entity = list_entry(timer, struct sched_entity, cap_timer);
	struct cpu *cpu = sched_lock(entity);

	start_cap_period(entity, arch_time_ns());
	if (!entity->parked) {
		sched_unlock(cpu);
	} else if (is_over_cap(entity) && !entity->pause) {
		park(entity);
		sched_unlock(cpu);
	} else {
		entity->parked = false;
		sched_enqueue(cpu, entity, true);
	}
}

/* --- Beginning --------------------------------------------------------------------------- */

static void request(struct cpu *cpu)
{
	spin_lock(&cpu->queue.lock);
	sched_request_on(cpu);
	sched_unlock(cpu);
}

/* Whoever began to wait there may have started it on another CPU. */
static void slice_expired(struct timer *timer)
{
	request(list_entry(timer, struct cpu, queue.slice));
}

void sched_init_cpu(struct cpu *cpu)
{
	timer_queue_init(&cpu->timers);
	run_queue_init(&cpu->queue);
	timer_init(&cpu->queue.slice, slice_expired);
	sched_set_busy(cpu);
}

void sched_init_vcpu(struct vcpu *v)
{
	struct sched_entity *entity = &v->sched;

	*entity = (struct sched_entity){
		.state = SCHED_DOWN,
		.cpu = this_cpu(),
		.weight = SCHED_WEIGHT_DEFAULT,
		.affinity = ~0ULL,
	};
	list_init(&entity->link);
	timer_init(&entity->cap_timer, cap_expired);
}

void sched_stop_vcpu(struct vcpu *v)
{
	timer_stop(&v->sched.cap_timer);
}

/* --- State ------------------------------------------------------------------------------- */

void sched_request(void)
{
	request(this_cpu());
}

/* With the lock, which it gives up: from down or blocked to runnable. */
static void make_runnable(struct cpu *cpu, struct sched_entity *entity, bool patient)
{
	entity->waked = true;
	entity->patient = patient;
	sched_account(entity, arch_time_ns());
	set_state(entity, SCHED_RUNNABLE);
	sched_enqueue(cpu, entity, true);
}

void sched_up(struct vcpu *v)
{
	struct cpu *cpu = sched_lock(&v->sched);

	if (v->sched.state != SCHED_DOWN) {
		sched_unlock(cpu);
		return;
	}
	v->sched.kicked = false;
	make_runnable(cpu, &v->sched, false);
}

/* The current vCPU stops, unless something that must not be missed happened. */
static bool stop_current(enum sched_state state)
{
	struct vcpu *v = vcpu_current();
	struct cpu *cpu = sched_lock(&v->sched);
	bool stop;

	sched_account(&v->sched, arch_time_ns());
	/* Whoever posts a vector sets it before it reads the state: one of us sees the other. */
	set_state(&v->sched, state);
	arch_memory_barrier();
	stop = state == SCHED_DOWN || !(v->sched.kicked || interrupt_pending(v));
	if (stop)
		sched_request_on(cpu);
	else
		set_state(&v->sched, SCHED_RUNNING);
	v->sched.kicked = false;
	sched_unlock(cpu);
	return stop;
}

bool sched_block(void)
{
	return stop_current(SCHED_BLOCKED);
}

void sched_down(void)
{
	stop_current(SCHED_DOWN);
}

void sched_wake(struct vcpu *v, bool patient)
{
	struct sched_entity *entity = &v->sched;
	struct cpu *cpu = sched_lock(entity);

	if (entity->state == SCHED_BLOCKED) {
		make_runnable(cpu, entity, patient);
		return;
	}
	if (entity->patient && !patient && list_linked(&entity->link)) {
		entity->patient = false;
		sched_choose_again(cpu, entity, arch_time_ns());
	}
	sched_unlock(cpu);
}

void sched_kick(struct vcpu *v)
{
	struct cpu *cpu = sched_lock(&v->sched);

	if (v->sched.state == SCHED_BLOCKED) {
		make_runnable(cpu, &v->sched, false);
		return;
	}
	v->sched.kicked = v->sched.state != SCHED_DOWN;
	sched_unlock(cpu);
}

void sched_pass(void)
{
	struct vcpu *v = vcpu_current();
	struct cpu *cpu = sched_lock(&v->sched);

	if (cpu->queue.length) {
		sched_account(&v->sched, arch_time_ns());
		if (run_queue_before(v->sched.virtual_time, cpu->queue.first_time))
			v->sched.virtual_time = cpu->queue.first_time;
		sched_request_on(cpu);
	}
	sched_unlock(cpu);
}

void sched_pause(struct vcpu *v)
{
	struct cpu *cpu = sched_lock(&v->sched);

	sched_account(&v->sched, arch_time_ns());
	v->sched.pause = true;
	sched_dequeue(cpu, &v->sched);
	if (cpu->current == v)
		sched_request_on(cpu);
	sched_unlock(cpu);
}

void sched_unpause(struct vcpu *v)
{
	struct cpu *cpu = sched_lock(&v->sched);

	v->sched.pause = false;
	if (v->sched.state == SCHED_RUNNABLE && !list_linked(&v->sched.link))
		sched_enqueue(cpu, &v->sched, true);
	else
		sched_unlock(cpu);
}

bool sched_is_off_cpu(const struct vcpu *v)
{
	return !__atomic_load_n(&v->sched.on_cpu, __ATOMIC_ACQUIRE);
}

void sched_set_share(struct vcpu *v, uint32_t weight, uint32_t cap)
{
	struct sched_entity *entity = &v->sched;
	struct cpu *cpu = sched_lock(entity);
	uint64_t now = arch_time_ns();

	sched_account(entity, now);
	entity->weight = weight;
	if (cap != entity->cap) {
		entity->cap = cap;
		entity->cap_period = now;
		entity->cap_used = 0;
	}
	/* It may run on: without a cap, or at its new slice. */
	if (cpu->current == v)
		sched_request_on(cpu);
	sched_unlock(cpu);
}

void sched_set_affinity(struct vcpu *v, uint64_t mask)
{
	struct cpu *cpu = sched_lock(&v->sched);

	v->sched.affinity = mask;
	if (list_linked(&v->sched.link) && sched_is_off_cpu(v)) {
		sched_dequeue(cpu, &v->sched);
		sched_enqueue(cpu, &v->sched, false);
		return;
	}
	if (cpu->current == v && !(mask & bitmap_mask(cpu->id)))
		sched_request_on(cpu);
	sched_unlock(cpu);
}

void sched_interrupt(const struct vcpu *v)
{
	const struct cpu *cpu = __atomic_load_n(&v->sched.cpu, __ATOMIC_ACQUIRE);

	/* One that is in the hypervisor looks at the vCPU's work before it leaves. */
	if (cpu != this_cpu() && __atomic_load_n(&v->sched.on_cpu, __ATOMIC_SEQ_CST) &&
	    __atomic_load_n(&cpu->in_guest, __ATOMIC_SEQ_CST))
		arch_cpu_interrupt(cpu);
}

/* --- Switching --------------------------------------------------------------------------- */

static void put_back(struct cpu *cpu, struct sched_entity *entity, uint64_t now)
{
	if (entity->state != SCHED_RUNNING)
		return;
	sched_account(entity, now);
	entity->waked = false;
	set_state(entity, SCHED_RUNNABLE);
	if (is_over_cap(entity))
		park(entity);
	else if (!entity->pause)
		run_queue_add(&cpu->queue, entity);
}

static void set_slice(struct cpu *cpu, const struct sched_entity *entity, uint64_t now)
{
	uint64_t deadline = TIMER_NEVER;

	if (entity && cpu->queue.length)
		deadline = sched_slice_end(cpu, entity, now);
	else if (cpu->queue.length || domain_reap_waits())
		deadline = now + SCHED_SLICE_NS;
	if (entity && has_cap(entity)) {
		uint64_t budget = cap_budget(entity);
		uint64_t left = entity->cap_used < budget ? budget - entity->cap_used : 0;

		if (left < deadline - now)
			deadline = now + left;
	}
	if (deadline != TIMER_NEVER || timer_active(&cpu->queue.slice))
		timer_start(&cpu->queue.slice, deadline);
}

static struct vcpu *take_next(struct cpu *cpu, uint64_t now)
{
	struct sched_entity *entity = sched_first(cpu, cpu);

	if (entity) {
		sched_dequeue(cpu, entity);
		sched_account(entity, now);
		if (has_cap(entity))
			start_cap_period(entity, now);
		set_state(entity, SCHED_RUNNING);
		if (sched_vcpu_of(entity) != cpu->current)
			entity->begun = now;
		__atomic_store_n(&entity->on_cpu, true, __ATOMIC_SEQ_CST);
		sched_set_busy(cpu);
	}
	run_queue_advance(&cpu->queue, entity, now);
	set_slice(cpu, entity, now);
	return entity ? sched_vcpu_of(entity) : NULL;
}

static void switch_to(struct vcpu *previous, struct vcpu *next)
{
	shadow_vcpu_enter(next);
	arch_vcpu_switch(previous, next);
	shadow_vcpu_leave(previous, next);
	if (previous)
		__atomic_store_n(&previous->sched.on_cpu, false, __ATOMIC_RELEASE);
	if (!next)
		return;
	next->counters.switches++;
	time_update_page(next);
}

/* False: nothing waits here. */
static bool switch_once(struct cpu *cpu)
{
	struct vcpu *previous = cpu->current, *next;
	uint64_t now = arch_time_ns();

	spin_lock(&cpu->queue.lock);
	__atomic_store_n(&cpu->need_schedule, false, __ATOMIC_RELAXED);
	if (previous) {
		vcpu_clear_work(previous, VCPU_WORK_SCHEDULE);
		put_back(cpu, &previous->sched, now);
	}
	next = take_next(cpu, now);
	cpu->current = next;
	sched_unlock(cpu);

	if (next != previous)
		switch_to(previous, next);
	sched_balance(cpu);
	return next;
}

bool sched_try_switch(void)
{
	struct cpu *cpu = this_cpu();

	do {
		if (switch_once(cpu))
			return true;
	} while (sched_steal(cpu));
	return false;
}

static void idle(struct cpu *cpu)
{
	/* There may be much to do, and timers and other CPUs do not wait. */
	if (domain_reap()) {
		arch_interrupt_window();
		return;
	}
	quiesce_idle_begin();
	if (!__atomic_load_n(&cpu->need_schedule, __ATOMIC_ACQUIRE))
		arch_idle();
	quiesce_idle_end();
}

void sched_switch(void)
{
	struct cpu *cpu = this_cpu();

	if (cpu->current)
		domain_reap();
	while (!sched_try_switch())
		idle(cpu);
}
