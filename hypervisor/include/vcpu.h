/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vCPU: what the core keeps of it, its page, its life (vcpu.c).
 */
#ifndef HYPERVISOR_VCPU_H
#define HYPERVISOR_VCPU_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/counters.h"
#include "abi/vcpu.h"
#include "arch_vcpu.h"
#include "guest_access.h"
#include "interrupt.h"
#include "sched.h"
#include "time.h"

struct domain;
struct shadow_root;

/* Reasons to look closer before returning to the guest; changed atomically, by any CPU. */
#define VCPU_WORK_EVENT	   0x1 /* a vector waits */
#define VCPU_WORK_SCHEDULE 0x2 /* another vCPU should run, or this one may not */
#define VCPU_WORK_FILL	   0x4 /* before user mode: fill at fault_address */

struct vcpu {
	struct arch_vcpu arch; /* first: assembly reaches it by small offsets */
	uint32_t work;	       /* VCPU_WORK_* */
	uint32_t id;
	struct domain *domain;

	struct rf_vcpu_page *page; /* the registered page, or spare_page; never NULL */
	uint64_t page_mfn;	   /* FRAME_NONE: not registered */
	struct rf_vcpu_page *spare_page;

	struct sched_entity sched;
	struct interrupt interrupt;
	struct vcpu_time time;
	struct guest_access_cache access_cache;

	struct shadow_root *root; /* NULL: none loaded yet */
	uint64_t root_gfn;
	uint64_t fault_address; /* of the last page fault given to the guest */
	bool initialized;	/* vcpu_init was called, or it is vCPU 0 */

	struct rf_counters counters; /* written by the CPU it runs on */
};

/* Down, with no page and no context. NULL: no memory. */
struct vcpu *vcpu_create(struct domain *d, uint32_t id);
/*
 * It never ran, or it is paused and off its CPU: stop its timers; quiesce_wait(), as a CPU may be in
 * the middle of moving it from one run queue to another; then destroy it.
 */
void vcpu_stop(struct vcpu *v);
void vcpu_destroy(struct vcpu *v);

/*
 * The state in which it starts, for one that is down and off its CPU; checks every field:
 * -EINVAL. page FRAME_NONE: it registers one later.
 */
int vcpu_set_context(struct vcpu *v, const struct rf_vcpu_context *context);

/* RF_VCPU_*. */
uint32_t vcpu_status(const struct vcpu *v);

void vcpu_set_work(struct vcpu *v, uint32_t bits);
void vcpu_clear_work(struct vcpu *v, uint32_t bits);

/* NULL while idle. */
struct vcpu *vcpu_current(void);

/*
 * Everything that must happen before guest code goes on: called on each slow way out, returns
 * with a vCPU to enter.
 */
void vcpu_prepare_exit(void);

/*
 * vcpu_register_page(gfn): from now on the caller's page; it is held until another is
 * registered. 0, or -EINVAL: the domain has no RAM there.
 *
 * vcpu_init(id, context): sets the state of a vCPU that is down, forgetting the one before and
 * vectors that wait. 0, or -ENOENT: the domain has no such vCPU; -EFAULT: the context cannot be
 * read; -EBUSY: it is not down; -EINVAL: rip is not canonical or the hypervisor's, kernel_gs is
 * not canonical, root is no page of the domain's RAM, page is not its RAM.
 *
 * vcpu_up(id): it runs: after vcpu_init from there, after vcpu_down from where it went down. 0,
 * or -ENOENT; -EBUSY: it is not down; -EINVAL: it was never initialised.
 *
 * vcpu_down(): the caller stops until another vCPU brings it up; its timers are stopped. 0, or
 * -EBUSY: all others are down, so nobody could.
 *
 * vcpu_status(id): RF_VCPU_*, or -ENOENT. DOWN is only said once it can be initialised.
 *
 * block(): sets the interrupt flag and stops until a vector waits or a kick comes; a kick since
 * it last stopped counts. 0. yield(): whoever waits for this CPU goes first. 0. kick(id): ends
 * a block or poll, the next one if it is in none; nothing for one that is down. 0, or -ENOENT.
 */
int64_t do_vcpu_register_page(uint64_t gfn);
int64_t do_vcpu_init(uint64_t id, uint64_t context);
int64_t do_vcpu_up(uint64_t id);
int64_t do_vcpu_down(void);
int64_t do_vcpu_status(uint64_t id);
int64_t do_block(void);
int64_t do_yield(void);
int64_t do_kick(uint64_t id);

#endif
