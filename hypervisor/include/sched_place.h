/* SPDX-License-Identifier: BSD-2-Clause */
/* Between sched.c and sched_place.c only. */
#ifndef HYPERVISOR_SCHED_PLACE_H
#define HYPERVISOR_SCHED_PLACE_H

#include <stdbool.h>
#include <stdint.h>

struct cpu;
struct sched_entity;
struct vcpu;

struct vcpu *sched_vcpu_of(struct sched_entity *entity);

/* The CPU the entity belongs to, its run queue locked. */
struct cpu *sched_lock(const struct sched_entity *entity);
void sched_unlock(struct cpu *cpu);

/* With the lock of its CPU: time goes to what it was spent on. */
void sched_account(struct sched_entity *entity, uint64_t now);
/* With the lock: that CPU has to choose again. It is told when the lock is given up. */
void sched_request_on(struct cpu *cpu);

/*
 * With the lock of its CPU: a runnable entity that waits nowhere goes to wait where it is best,
 * if it may run at all. Gives up the lock. waking: it did not wait before, so it has no old
 * claims.
 */
void sched_enqueue(struct cpu *locked, struct sched_entity *entity, bool waking);
/* With the lock: when should its CPU choose, now that this one waits there? */
void sched_choose_again(struct cpu *cpu, const struct sched_entity *entity, uint64_t now);
/* With the lock: until when this one, who is to run now, may do so while others wait. */
uint64_t sched_slice_end(const struct cpu *cpu, const struct sched_entity *running, uint64_t now);
/* With the lock: it waits no more. */
void sched_dequeue(struct cpu *cpu, struct sched_entity *entity);

/* The first waiting vCPU that may run on this CPU, which is locked; NULL: none. */
struct sched_entity *sched_first(struct cpu *cpu, const struct cpu *runner);

/*
 * This CPU has nothing to do: it says so, and then takes something that waits elsewhere.
 * True: it found something.
 */
bool sched_steal(struct cpu *cpu);
void sched_set_busy(const struct cpu *cpu);

/* After a switch: what waits here and should be elsewhere goes there. */
void sched_balance(struct cpu *cpu);

#endif
