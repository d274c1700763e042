// SPDX-License-Identifier: BSD-2-Clause
/*
 * The hypercalls that are about the CPU alone, on a CPU that has none of what they are about.
 *
 * Interface: arch_hypercall.h. Locks: none.
 */
#include "arch_hypercall.h"

#include "pte.h"
#include "vcpu.h"
#include "abi/errno.h"

void arch_vcpu_set_entries(struct vcpu *v, uint64_t syscall_entry, uint64_t sysret_site,
			   uint64_t iret_site)
{
	v->arch.entries[0] = syscall_entry;
	v->arch.entries[1] = sysret_site;
	v->arch.entries[2] = iret_site;
}

int64_t do_set_kernel_gs(uint64_t base)
{
	return address_is_canonical(base) ? 0 : -EINVAL;
}

int64_t do_set_tls(uint64_t number, uint64_t descriptor)
{
	(void)number;
	return descriptor ? -EINVAL : 0;
}

int64_t do_set_debug_register(uint64_t number, uint64_t value)
{
	(void)number;
	return value ? -EINVAL : 0;
}

int64_t do_set_xcr0(uint64_t value)
{
	(void)value;
	return -EOPNOTSUPP;
}

int64_t do_cpuid(uint64_t leaf, uint64_t subleaf, uint64_t result)
{
	const uint32_t registers[4] = { (uint32_t)leaf, (uint32_t)subleaf, 0, 0 };

	return copy_to_guest(result, registers, sizeof(registers));
}

int64_t do_read_msr(uint64_t msr, uint64_t result)
{
	(void)result;
	return msr ? -EPERM : -EINVAL;
}

int64_t do_write_msr(uint64_t msr, uint64_t value)
{
	(void)value;
	return msr ? -EPERM : -EINVAL;
}
