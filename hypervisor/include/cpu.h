/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One CPU of the machine. Each CPU writes its own structure; the fields that others write say so.
 */
#ifndef HYPERVISOR_CPU_H
#define HYPERVISOR_CPU_H

#include <stdbool.h>
#include <stdint.h>

#include "arch.h"
#include "arch_cpu.h"
#include "config.h"
#include "sched.h"
#include "timer.h"

struct shadow_root;

struct cpu {
	struct cpu *self;     /* first: GS base points here */
	struct vcpu *current; /* NULL while idle */
	struct arch_cpu arch;

	uint32_t id;
	bool online;

	/* See tlb.c: together they say whether this CPU could be using a guest's translations. */
	uint32_t in_guest;
	uint32_t flush_request; /* written by others */
	bool idle;		/* asleep in arch_idle: uses nothing */
	uint64_t exits;		/* times it left the hypervisor, or sat idle in it: for quiesce.c */

	bool need_schedule; /* written by others, under its run queue's lock or by itself */
	struct run_queue queue;
	struct timer_queue timers;
	uint64_t heartbeat_ns; /* for watchdog.c */
};

extern struct cpu cpus[CONFIG_MAX_CPUS];
extern uint32_t cpu_count; /* online CPUs are 0 .. cpu_count-1 */

static inline struct cpu *this_cpu(void)
{
	return arch_this_cpu();
}

#endif
