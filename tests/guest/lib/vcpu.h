/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vCPUs of the guest: what the library keeps of each (at GS), the virtual interrupt flag, starting
 * others, and how they wait for each other. There may be more vCPUs than CPUs, and a test must
 * finish on one CPU too: whoever waits calls relax(), which yields.
 */
#ifndef VCPU_H
#define VCPU_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/vcpu.h"

struct trap;
struct user;

struct vcpu {
	struct vcpu *self;	   /* first: this_vcpu() */
	struct rf_vcpu_page *page; /* layout.h knows these two */
	uint64_t resume_sp;
	uint32_t id;
	uint64_t stack_top;
	struct trap *try;
	struct user *user;
	void (*function)(void *argument);
	void *argument;
	volatile bool done;
	volatile uint32_t vectors[256]; /* how often each came */
};

static inline struct vcpu *this_vcpu(void)
{
	struct vcpu *v;

	asm volatile("mov %%gs:0, %0" : "=r"(v));
	return v;
}

static inline struct rf_vcpu_page *this_page(void)
{
	return this_vcpu()->page;
}

/* Any vCPU's, started or not. */
struct vcpu *vcpu_of(uint32_t id);

/*
 * The virtual interrupt flag: returns whether it was set. interrupts_on() takes what is pending
 * first.
 */
bool interrupts_off(void);
bool interrupts_on(void);

/*
 * Starts vCPU `id` (1 ...) at function(argument), with a page and a stack of its own, on the boot
 * root, interrupts off. When the function returns the vCPU goes down. vcpu_wait() waits for that;
 * after it, it may be started again.
 */
void vcpu_start(uint32_t id, void (*function)(void *argument), void *argument);
void vcpu_wait(uint32_t id);

/* For loops that wait for another vCPU. */
void relax(void);

struct spinlock {
	volatile uint32_t locked;
};

void spin_lock(struct spinlock *lock);
void spin_unlock(struct spinlock *lock);

/* All `count` vCPUs that call it go on together; may be used again. Zero is its initial state. */
struct meeting {
	uint32_t arrived;
	uint32_t round;
};

void meet(struct meeting *meeting, uint32_t count);

/* test.c and entry.S */
void vcpu_init_boot(void);
void vcpu_register_boot(void);
_Noreturn void vcpu_main(struct vcpu *v);

#endif
