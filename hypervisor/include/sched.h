/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which vCPU runs where (sched.c): a run queue per CPU, shares by weight, caps, stealing by
 * idle CPUs, wake-up preference for who has used little, affinity masks.
 */
#ifndef HYPERVISOR_SCHED_H
#define HYPERVISOR_SCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "list.h"
#include "spinlock.h"

#define SCHED_WEIGHT_DEFAULT 256
#define SCHED_WEIGHT_MIN     1
#define SCHED_WEIGHT_MAX     65535
#define SCHED_SLICE_NS	     5000000ULL /* a vCPU runs this long before another of equal claim */

struct cpu;
struct vcpu;

enum sched_state {
	SCHED_DOWN,
	SCHED_BLOCKED,
	SCHED_RUNNABLE, /* in a run queue */
	SCHED_RUNNING,
};

struct run_queue {
	struct spinlock lock;
	struct list_node head; /* runnable vCPUs, least virtual time first */
	uint32_t length;
	uint64_t virtual_time; /* floor for those who wake */
};

struct sched_entity {
	struct list_node link;
	enum sched_state state;
	struct cpu *cpu;   /* where it runs or waits, or did last */
	uint64_t affinity; /* mask of CPUs it may run on */
	uint32_t weight;
	uint32_t cap;	       /* percent of one CPU; 0: none */
	uint64_t virtual_time; /* run time scaled by weight */
	uint64_t since;	       /* when it got its state */
	uint64_t run_ns;       /* totals */
	uint64_t steal_ns;
	uint64_t cap_period; /* start of the current accounting period of the cap, */
	uint64_t cap_used;   /* and what it ran in it */
	bool kicked;	     /* a wake-up that came while it was not blocked */
	bool pause;	     /* may not run: its domain is paused, shut down or dying */
};

void sched_init_cpu(struct cpu *cpu);
void sched_init_vcpu(struct vcpu *v);

/*
 * Down to runnable; runnable or running or blocked to down (waits until it has left its CPU,
 * unless it is this vCPU).
 */
void sched_up(struct vcpu *v);
void sched_down(struct vcpu *v);
/* The current vCPU stops running until sched_wake; it does not stop when a wake-up came before. */
void sched_block(void);
void sched_wake(struct vcpu *v);
void sched_pass(void);
/*
 * Its domain may not run (or may again). Returns when the vCPU is off its CPU, unless it is the
 * current one.
 */
void sched_pause(struct vcpu *v);
void sched_unpause(struct vcpu *v);
void sched_set_affinity(struct vcpu *v, uint64_t mask);
/* Makes the CPU the vCPU runs on, if any, enter the hypervisor. */
void sched_kick(struct vcpu *v);

/*
 * Called on the way out whenever cpu->need_schedule is set or the current vCPU may not go on:
 * picks the next, switches to it (arch_vcpu_switch, shadow_vcpu_leave and _enter), and returns
 * when there is one, idling until then.
 */
void sched_switch(void);
/* The slice timer and accounting. */
void sched_tick(void);

#endif
