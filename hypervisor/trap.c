// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where a domain wants its exceptions, vectors and system calls.
 *
 * Interface: trap.h. No locks: each address is one word, written whole and read once; two vCPUs
 * that change the same one at the same time get one of the two.
 */
#include "trap.h"

#include <stdbool.h>

#include "abi/errno.h"
#include "abi/vcpu.h"
#include "arch_hypercall.h"
#include "domain.h"
#include "guest_access.h"
#include "pte.h"
#include "vcpu.h"

#define TRAPS_MAX 256

static bool address_good(uint64_t address)
{
	return address_is_canonical(address) && !address_is_hypervisor(address);
}

static bool trap_good(const struct rf_trap *trap)
{
	uint8_t reserved = 0;

	for (unsigned i = 0; i < sizeof(trap->reserved); i++)
		reserved |= trap->reserved[i];
	return address_good(trap->rip) && !reserved &&
	       !(trap->flags & ~(RF_TRAP_USER | RF_TRAP_KEEP_INTERRUPTS));
}

static void trap_set(struct domain *d, const struct rf_trap *trap)
{
	struct domain_trap *t = &d->traps[trap->vector];

	__atomic_store_n(&t->flags, trap->flags, __ATOMIC_RELAXED);
	__atomic_store_n(&t->rip, trap->rip, __ATOMIC_RELAXED);
}

int64_t do_set_traps(uint64_t traps, uint64_t count)
{
	struct domain *d = vcpu_current()->domain;
	struct rf_trap copy[TRAPS_MAX];

	if (count > TRAPS_MAX)
		return -E2BIG;
	if (copy_from_guest(copy, traps, count * sizeof(copy[0])))
		return -EFAULT;
	for (uint64_t i = 0; i < count; i++) {
		if (!trap_good(&copy[i]))
			return -EINVAL;
	}
	for (uint64_t i = 0; i < count; i++)
		trap_set(d, &copy[i]);
	return 0;
}

int64_t do_set_entries(uint64_t syscall_entry, uint64_t sysret_site, uint64_t iret_site)
{
	struct domain *d = vcpu_current()->domain;

	if (!address_good(syscall_entry) || !address_good(sysret_site) || !address_good(iret_site))
		return -EINVAL;
	for (uint32_t i = 0; i < d->vcpu_count; i++)
		arch_vcpu_set_entries(d->vcpus[i], syscall_entry, sysret_site, iret_site);
	return 0;
}
