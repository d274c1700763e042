/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the counters of a vCPU (counters.c). */
#ifndef HYPERVISOR_COUNTERS_H
#define HYPERVISOR_COUNTERS_H

#include <stdint.h>

/*
 * counters(domain, vcpu, struct rf_counters *): copies them out; they only ever grow.
 * RF_DOMAIN_SELF is the caller's. 0, or -EPERM: another domain, and the caller is not the
 * control domain; -ESRCH: no such domain; -ENOENT: no such vCPU; -EFAULT.
 */
int64_t do_counters(uint64_t domain, uint64_t vcpu, uint64_t counters);

#endif
