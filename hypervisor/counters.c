// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reading the counters of a vCPU.
 *
 * Interface: counters.h. Locks: none: each counter is written by the CPU the vCPU runs on and
 * read as it is, so a copy of a running vCPU's is not of one moment.
 */
#include "counters.h"

#include "cpu.h"
#include "domain.h"
#include "guest_access.h"
#include "index.h"
#include "vcpu.h"
#include "abi/errno.h"

static int64_t copy_counters(const struct domain *d, uint64_t vcpu, uint64_t counters)
{
	struct rf_counters copy;
	struct vcpu *v;

	if (vcpu >= d->vcpu_count)
		return -ENOENT;
	v = d->vcpus[index_clamp(vcpu, d->vcpu_count)];
	copy = v->counters;
	sched_times(v, &copy.run_ns, &copy.steal_ns);
	copy.affinity = v->sched.affinity;
	copy.cpu = v->sched.cpu->id;
	copy.status = vcpu_status(v);
	return copy_to_guest(counters, &copy, sizeof(copy));
}

int64_t do_counters(uint64_t domain, uint64_t vcpu, uint64_t counters)
{
	const struct domain *caller = vcpu_current()->domain;
	struct domain *d;
	int64_t result;

	if (domain != RF_DOMAIN_SELF && domain != caller->id && !caller->control)
		return -EPERM;
	d = domain_find(domain);
	if (!d)
		return -ESRCH;
	result = copy_counters(d, vcpu, counters);
	domain_put(d);
	return result;
}
