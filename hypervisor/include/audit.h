/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The audit: recounts everything the hypervisor believes about memory and domains, and names
 * the first thing that is not so (audit.c). Debug builds only; the hypercall says -EOPNOTSUPP
 * in others.
 */
#ifndef HYPERVISOR_AUDIT_H
#define HYPERVISOR_AUDIT_H

#include <stdint.h>

#include "config.h"

struct domain;

extern uint32_t audit_running;

void audit_wait(void);

/* Where a CPU of the hypervisor holds nothing and uses nothing: stays here while an audit runs. */
static inline void audit_hold(void)
{
	if (CONFIG_DEBUG && __builtin_expect(__atomic_load_n(&audit_running, __ATOMIC_RELAXED), 0))
		audit_wait();
}

/* NULL: all is well. All other CPUs are held in the hypervisor while it runs. */
const char *audit_run(void);

/* NULL: no entry of the domain's shadows outlives or exceeds the guest's, which has flushed all it tightened. */
const char *audit_flushed(struct domain *d);

int64_t do_audit(uint64_t flags);

#endif
