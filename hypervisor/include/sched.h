/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which vCPU runs where: a run queue per CPU, shares by weight, caps, stealing by idle CPUs,
 * wake-up preference for who has used little, affinity masks (sched.c; where a vCPU waits:
 * sched_place.c).
 */
#ifndef HYPERVISOR_SCHED_H
#define HYPERVISOR_SCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "list.h"
#include "run_queue.h"
#include "spinlock.h"
#include "timer.h"

#define SCHED_WEIGHT_DEFAULT 256
#define SCHED_WEIGHT_CONTROL 1024 /* others wait for what the control domain does for them */
#define SCHED_WEIGHT_MIN     1
#define SCHED_WEIGHT_MAX     65535
#define SCHED_SLICE_NS	     5000000ULL /* a vCPU runs this long before another of equal claim */
#define SCHED_CAP_PERIOD_NS  100000000ULL
#define SCHED_RUN_LEAST_NS   200000ULL /* who is patient takes no CPU that was got just now */
#define SCHED_GRANULARITY_NS 500000ULL /* a claim must be better by this to preempt */

struct cpu;
struct vcpu;

enum sched_state {
	SCHED_DOWN,
	SCHED_BLOCKED,
	SCHED_RUNNABLE, /* in a run queue, unless it is parked or paused */
	SCHED_RUNNING,
};

/* All changes under the run queue lock of `cpu`; what others read without it says so. */
struct sched_entity {
	struct list_node link;
	enum sched_state state; /* read by others */
	struct cpu *cpu;	/* where it runs or waits, or did last; read by others */
	bool on_cpu;		/* its registers are in that CPU, or being saved; read by others */
	bool kicked;		/* a kick that came while it was not blocked */
	bool waked;		/* it has not run since it woke, */
	bool patient;		/* for what can wait for SCHED_RUN_LEAST_NS */
	bool pause;		/* may not run: its domain is paused, shut down or dying */
	bool parked;		/* over its cap until cap_timer expires */
	uint32_t weight;
	uint32_t cap;	       /* percent of one CPU; 0: none */
	uint64_t affinity;     /* mask of CPUs it may run on */
	uint64_t virtual_time; /* see run_queue.h */
	uint64_t since;	       /* up to when it was accounted */
	uint64_t begun;	       /* when it got the CPU */
	uint64_t run_ns;       /* totals */
	uint64_t steal_ns;
	uint64_t cap_period; /* start of the current period of the cap, */
	uint64_t cap_used;   /* and what it ran in it */
	struct timer cap_timer;
};

/* The CPU's run queue and timers; the boot CPU first. */
void sched_init_cpu(struct cpu *cpu);
/*
 * Down, default weight, no cap, any CPU. The creator of the vCPU may set weight, cap and
 * affinity until it is up.
 */
void sched_init_vcpu(struct vcpu *v);
/* Its timers stop, for good once it is paused. */
void sched_stop_vcpu(struct vcpu *v);

/* Down to runnable. */
void sched_up(struct vcpu *v);
/* The current vCPU goes down on the way out. */
void sched_down(void);
/*
 * The current vCPU stops running until sched_wake or sched_kick, unless interrupt_pending() or
 * a kick came before; true if it will stop.
 */
bool sched_block(void);
/*
 * patient: it may wait for a moment, so that whoever had something for it to do has more. One that
 * waits already may be told that it may not any more.
 */
void sched_wake(struct vcpu *v, bool patient);
/* As sched_wake, at once; remembered when it is not blocked. */
void sched_kick(struct vcpu *v);
/* The current vCPU lets the next one go first. */
void sched_pass(void);

/*
 * Its domain may not run (or may again). Pausing does not wait: the vCPU may still be on its
 * CPU for as long as that takes to leave the guest, so two that pause each other cannot hang.
 * Who must know polls sched_is_off_cpu, with no lock held, until it says true; paused, it stays
 * so.
 */
void sched_pause(struct vcpu *v);
void sched_unpause(struct vcpu *v);
bool sched_is_off_cpu(const struct vcpu *v);

/* From now on: the time so far counts with what was before. */
void sched_set_share(struct vcpu *v, uint32_t weight, uint32_t cap);
/* The mask names at least one online CPU. */
void sched_set_affinity(struct vcpu *v, uint64_t mask);
/* Makes the CPU the vCPU runs on, if it is in guest code, enter the hypervisor. */
void sched_interrupt(const struct vcpu *v);

/* Run and steal time up to now. */
void sched_times(struct vcpu *v, uint64_t *run_ns, uint64_t *steal_ns);

/*
 * Called on the way out whenever cpu->need_schedule is set or there is no current vCPU: picks
 * the next, switches to it (arch_vcpu_switch, shadow_vcpu_enter and _leave), and returns when
 * there is one, idling and taking dying domains apart until then.
 */
void sched_switch(void);
/* One attempt at that; false: nothing to run. */
bool sched_try_switch(void);

/* This CPU looks for something better to run on its way out. */
void sched_request(void);

#endif
