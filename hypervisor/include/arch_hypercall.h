/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypercalls that are about the CPU alone: each architecture provides them, and checks all of
 * their arguments.
 */
#ifndef HYPERVISOR_ARCH_HYPERCALL_H
#define HYPERVISOR_ARCH_HYPERCALL_H

#include <stdint.h>

struct vcpu;

/*
 * Where a user's syscall enters the guest kernel, and the addresses of the two `syscall`
 * instructions that return. Zero: none. Checked by trap.c.
 */
void arch_vcpu_set_entries(struct vcpu *v, uint64_t syscall_entry, uint64_t sysret_site,
			   uint64_t iret_site);

int64_t do_set_kernel_gs(uint64_t base);
int64_t do_set_tls(uint64_t number, uint64_t descriptor);
int64_t do_set_debug_register(uint64_t number, uint64_t value);
int64_t do_set_xcr0(uint64_t value);
int64_t do_cpuid(uint64_t leaf, uint64_t subleaf, uint64_t result);
int64_t do_read_msr(uint64_t msr, uint64_t result);
int64_t do_write_msr(uint64_t msr, uint64_t value);

#endif
