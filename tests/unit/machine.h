/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine on the fake architecture whose CPUs take turns in one thread, for tests of what runs
 * when. Guests are vCPUs that do what the test says when they are current; they have no memory.
 *
 * machine_go() moves the clock to the next timer and lets every CPU that has something to do
 * enter the hypervisor and leave it again, as the entry code would.
 */
#ifndef UNIT_MACHINE_H
#define UNIT_MACHINE_H

#include <stdlib.h>

#include "bitmap.h"
#include "cpu.h"
#include "domain.h"
#include "fake_arch.h"
#include "sched.h"
#include "shadow.h"
#include "timer.h"
#include "tlb.h"
#include "vcpu.h"

#define MACHINE_VCPUS 64

static struct domain machine_domain;
static uint64_t machine_reaps;
/* Called in the middle of a switch: chosen, and not yet switched to. */
static void (*machine_switch_hook)(void);
/* Called when the vectors that wait have been given, and user mode is about to go on. */
static void (*machine_fill_hook)(struct vcpu *v);

/* In place of the core's: guests here have no page tables, and nothing dies. */
void shadow_vcpu_enter(struct vcpu *next)
{
	(void)next;
	if (machine_switch_hook)
		machine_switch_hook();
}

void shadow_vcpu_leave(struct vcpu *previous, const struct vcpu *next)
{
	(void)previous;
	(void)next;
}

void shadow_before_user(struct vcpu *v)
{
	vcpu_clear_work(v, VCPU_WORK_FILL);
	if (machine_fill_hook)
		machine_fill_hook(v);
}

bool domain_reap(void)
{
	machine_reaps++;
	return false;
}

static inline struct vcpu *machine_vcpu(uint32_t weight, uint32_t cap, uint64_t affinity)
{
	uint32_t id = machine_domain.vcpu_count++;
	struct vcpu *v = calloc(1, sizeof(*v));

	v->id = id;
	v->domain = &machine_domain;
	v->spare_page = calloc(1, sizeof(*v->spare_page));
	v->page = v->spare_page;
	v->page_mfn = FRAME_NONE;
	v->initialized = true;
	sched_init_vcpu(v);
	time_init_vcpu(v);
	v->sched.weight = weight;
	v->sched.cap = cap;
	v->sched.affinity = affinity;
	machine_domain.vcpus[id] = v;
	return v;
}

static inline void machine_free(void)
{
	for (uint32_t i = 0; i < machine_domain.vcpu_count; i++) {
		free(machine_domain.vcpus[i]->spare_page);
		free(machine_domain.vcpus[i]);
	}
	machine_domain.vcpu_count = 0;
}

/* This CPU enters the hypervisor, and does what the entry code does first. */
static inline void machine_enter(uint32_t id)
{
	fake_set_cpu(id);
	cpus[id].in_guest = 0;
	if (cpus[id].arch.interrupted)
		cpus[id].arch.interrupted = false;
	if (cpus[id].arch.timer <= fake_clock_ns) {
		cpus[id].arch.timer = ~0ULL;
		timer_interrupt();
	}
}

/* It leaves it again, or sits idle. */
static inline void machine_leave(uint32_t id)
{
	struct cpu *cpu = &cpus[id];

	fake_set_cpu(id);
	if (!cpu->current && !sched_try_switch())
		return;
	if (cpu->need_schedule && !sched_try_switch())
		return;
	vcpu_prepare_exit();
}

/* All CPUs are there, and idle. */
static inline void machine_init(uint32_t cpu_number)
{
	fake_arch_init(16, cpu_number);
	for (uint32_t i = 0; i < CONFIG_MAX_CPUS; i++)
		sched_init_cpu(&cpus[i]);
	machine_switch_hook = NULL;
	machine_domain = (struct domain){ .id = 1, .state = RF_DOMAIN_RUNNING };
	for (uint32_t i = cpu_number; i-- > 0;)
		machine_leave(i);
}

/* CPUs that were interrupted, until none is. */
static inline void machine_settle(void)
{
	bool again = true;

	while (again) {
		again = false;
		for (uint32_t i = 0; i < cpu_count; i++) {
			const struct cpu *cpu = &cpus[i];

			if (!cpu->arch.interrupted && !cpu->need_schedule &&
			    cpu->arch.timer > fake_clock_ns)
				continue;
			machine_enter(i);
			machine_leave(i);
			again = true;
		}
	}
}

static inline uint64_t machine_next_timer(void)
{
	uint64_t next = ~0ULL;

	for (uint32_t i = 0; i < cpu_count; i++)
		if (cpus[i].arch.timer < next)
			next = cpus[i].arch.timer;
	return next;
}

/* Lets time pass up to a moment, through all timers before it. */
static inline void machine_run_to(uint64_t end)
{
	machine_settle();
	for (uint64_t next; (next = machine_next_timer()) <= end;) {
		if (next > fake_clock_ns)
			fake_clock_ns = next;
		machine_settle();
	}
	fake_clock_ns = end;
	machine_settle();
}

static inline void machine_run(uint64_t nanoseconds)
{
	machine_run_to(fake_clock_ns + nanoseconds);
}

/* Acts for a vCPU that is current somewhere: enters on its CPU; machine_leave_vcpu ends it. */
static inline bool machine_is_running(const struct vcpu *v)
{
	return v->sched.state == SCHED_RUNNING && v->sched.cpu->current == v;
}

static inline void machine_enter_vcpu(const struct vcpu *v)
{
	machine_enter(v->sched.cpu->id);
}

static inline uint64_t machine_run_ns(struct vcpu *v)
{
	uint64_t run_ns, steal_ns;

	sched_times(v, &run_ns, &steal_ns);
	return run_ns;
}

/* Nobody waits for a CPU that it may use while that has nothing to do. */
static inline bool machine_is_work_conserving(void)
{
	for (uint32_t i = 0; i < machine_domain.vcpu_count; i++) {
		const struct vcpu *v = machine_domain.vcpus[i];

		if (v->sched.state != SCHED_RUNNABLE || v->sched.pause || v->sched.parked)
			continue;
		for (uint32_t c = 0; c < cpu_count; c++)
			if (!cpus[c].current && (v->sched.affinity & bitmap_mask(c)))
				return false;
	}
	return true;
}

#endif
