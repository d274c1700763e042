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
#define VCPU_WORK_KERNEL_ONLY                                                                      \
	0x8 /* before user mode: its root holds entries user mode may not use */

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

struct vcpu *vcpu_create(struct domain *d, uint32_t id);
void vcpu_destroy(struct vcpu *v);
/* The state in which it starts; checks every field. */
int vcpu_set_context(struct vcpu *v, const struct rf_vcpu_context *context);

void vcpu_set_work(struct vcpu *v, uint32_t bits);
void vcpu_clear_work(struct vcpu *v, uint32_t bits);

/* NULL while idle. */
struct vcpu *vcpu_current(void);

/*
 * Everything that must happen before guest code goes on: called on each slow way out, returns
 * with a vCPU to enter.
 */
void vcpu_prepare_exit(void);

int64_t do_vcpu_register_page(uint64_t gfn);
int64_t do_vcpu_init(uint64_t id, uint64_t context);
int64_t do_vcpu_up(uint64_t id);
int64_t do_vcpu_down(void);
int64_t do_vcpu_status(uint64_t id);
int64_t do_block(void);
int64_t do_yield(void);
int64_t do_kick(uint64_t id);

#endif
