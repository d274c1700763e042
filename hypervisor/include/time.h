/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's time (time.c): its clock page, its one-shot timer, the time it lost to others.
 */
#ifndef HYPERVISOR_TIME_H
#define HYPERVISOR_TIME_H

#include <stdint.h>

#include "timer.h"

struct vcpu;

struct vcpu_time {
	struct timer timer; /* deadline of set_timer; expiry posts RF_VECTOR_TIMER */
	struct timer poll;  /* deadline of poll; expiry wakes */
	uint32_t version;   /* of rf_time_info: even */
};

void time_init_vcpu(struct vcpu *v);
/* Neither timer will expire; they can be started again. */
void time_stop_vcpu(struct vcpu *v);
/* A poll that ended early leaves its timer: before the vCPU blocks again. */
void time_stop_poll(struct vcpu *v);
/*
 * Writes time, timer_ns, steal_ns and run_ns of the current vCPU's page: when it starts to run and after
 * its page was registered.
 */
void time_update_page(struct vcpu *v);

/* RF_VECTOR_TIMER is given to the current vCPU: sets its timer to the next tick, where it has any. */
void time_tick(struct vcpu *v);

/* See abi/time.h. */
int64_t do_set_timer(uint64_t deadline_ns);
int64_t do_poll(uint64_t deadline_ns);

#endif
