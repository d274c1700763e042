/* SPDX-License-Identifier: BSD-2-Clause */
/* What CPUID says, to the hypervisor and to guests (cpuid.c). */
#ifndef X86_CPUID_H
#define X86_CPUID_H

#include <stdint.h>

#include "abi/hypercall.h"

static inline struct rf_cpuid cpuid_read(uint32_t leaf, uint32_t subleaf)
{
	struct rf_cpuid r;

	asm volatile("cpuid"
		     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
		     : "a"(leaf), "c"(subleaf));
	return r;
}

/* On the boot processor, after fpu_init(): decides what guests see. */
void cpuid_init(void);
/* On each further CPU, before any guest runs: what it lacks, no guest sees. */
void cpuid_init_cpu(void);

#endif
