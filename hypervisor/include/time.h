/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's time (time.c): its clock page, its one-shot timer, the time it lost to others.
 */
#ifndef HYPERVISOR_TIME_H
#define HYPERVISOR_TIME_H

#include <stdint.h>

#include "timer.h"

struct vcpu;

#define TIME_VECTOR_DEFAULT 0xec /* as Linux: LOCAL_TIMER_VECTOR */

struct vcpu_time {
	struct timer timer; /* deadline of set_timer; expiry posts RF_VECTOR_TIMER */
	struct timer poll;  /* deadline of poll; expiry wakes */
};

void time_init_vcpu(struct vcpu *v);
void time_stop_vcpu(struct vcpu *v);
/*
 * Writes time, steal_ns and run_ns of the vCPU's page: when it starts to run and after its page
 * was registered.
 */
void time_update_page(struct vcpu *v);

int64_t do_set_timer(uint64_t deadline_ns);
int64_t do_poll(uint64_t deadline_ns);

#endif
