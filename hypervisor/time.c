// SPDX-License-Identifier: BSD-2-Clause
/*
 * A guest's time: what it reads, and what it waits for.
 *
 * Interface: time.h, abi/time.h. Locks: none; the timers have theirs, and only the CPU a vCPU
 * runs on writes its page.
 */
#include "time.h"

#include "arch.h"
#include "interrupt.h"
#include "sched.h"
#include "vcpu.h"
#include "abi/time.h"

static void timer_expired(struct timer *timer)
{
	struct vcpu_time *time = list_entry(timer, struct vcpu_time, timer);

	interrupt_post(list_entry(time, struct vcpu, time), RF_VECTOR_TIMER);
}

static void poll_expired(struct timer *timer)
{
	struct vcpu_time *time = list_entry(timer, struct vcpu_time, poll);

	sched_wake(list_entry(time, struct vcpu, time), false);
}

void time_init_vcpu(struct vcpu *v)
{
	timer_init(&v->time.timer, timer_expired);
	timer_init(&v->time.poll, poll_expired);
}

void time_stop_vcpu(struct vcpu *v)
{
	timer_stop(&v->time.timer);
	timer_stop(&v->time.poll);
}

void time_stop_poll(struct vcpu *v)
{
	if (timer_active(&v->time.poll))
		timer_stop(&v->time.poll);
}

static void write_info(struct rf_time_info *info, uint32_t *version)
{
	struct rf_time_info now = { .wall_clock = arch_wall_clock() };

	arch_time_scale(&now.multiplier, &now.shift, &now.tsc_timestamp, &now.system_time);
	__atomic_store_n(&info->version, *version + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	info->shift = now.shift;
	info->tsc_timestamp = now.tsc_timestamp;
	info->system_time = now.system_time;
	info->multiplier = now.multiplier;
	info->wall_clock = now.wall_clock;
	*version += 2;
	__atomic_store_n(&info->version, *version, __ATOMIC_RELEASE);
}

void time_update_page(struct vcpu *v)
{
	uint64_t run_ns, steal_ns;

	sched_times(v, &run_ns, &steal_ns);
	write_info(&v->page->time, &v->time.version);
	__atomic_store_n(&v->page->timer_ns,
			 timer_active(&v->time.timer) ? v->time.timer.deadline : 0,
			 __ATOMIC_RELAXED);
	__atomic_store_n(&v->page->run_ns, run_ns, __ATOMIC_RELAXED);
	__atomic_store_n(&v->page->steal_ns, steal_ns, __ATOMIC_RELAXED);
}

/* Only the page of a vCPU that runs here is written; others get it from time_update_page(). */
static void set_timer(struct vcpu *v, uint64_t deadline_ns)
{
	timer_start(&v->time.timer, deadline_ns);
	__atomic_store_n(&v->page->timer_ns, deadline_ns, __ATOMIC_RELAXED);
}

/* The next tick after now. */
static uint64_t next_tick(uint64_t tick_ns, uint64_t period, uint64_t now)
{
	uint64_t left = tick_ns > now ? (tick_ns - now) % period
				      : period - (now - tick_ns) % period;

	return now + (left ? left : period);
}

void time_tick(struct vcpu *v)
{
	uint64_t period = __atomic_load_n(&v->page->tick_period, __ATOMIC_RELAXED);
	uint64_t tick_ns = __atomic_load_n(&v->page->tick_ns, __ATOMIC_RELAXED);

	if (timer_active(&v->time.timer))
		return;
	if (period < RF_TICK_MIN || period > RF_TICK_MAX)
		__atomic_store_n(&v->page->timer_ns, 0, __ATOMIC_RELAXED);
	else
		set_timer(v, next_tick(tick_ns, period, arch_time_ns()));
}

int64_t do_set_timer(uint64_t deadline_ns)
{
	struct vcpu *v = vcpu_current();

	if (deadline_ns != RF_TIME_NEVER && deadline_ns > arch_time_ns()) {
		set_timer(v, deadline_ns);
		return 0;
	}
	/* Waits for an expiry that is under way: afterwards the old deadline posts nothing. */
	timer_stop(&v->time.timer);
	__atomic_store_n(&v->page->timer_ns, 0, __ATOMIC_RELAXED);
	if (deadline_ns != RF_TIME_NEVER)
		interrupt_post(v, RF_VECTOR_TIMER);
	return 0;
}

int64_t do_poll(uint64_t deadline_ns)
{
	struct vcpu *v = vcpu_current();

	time_stop_poll(v);
	if (interrupt_pending(v) || deadline_ns <= arch_time_ns())
		return 0;
	/*
	 * A deadline that passes before it blocks would wake nobody: it expires by an
	 * interrupt, and those are off.
	 */
	if (deadline_ns != RF_TIME_NEVER)
		timer_start(&v->time.poll, deadline_ns);
	if (!sched_block())
		timer_stop(&v->time.poll);
	return 0;
}
