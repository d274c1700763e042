/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How the kernel calls the hypervisor. The number is in RAX, arguments in RDI, RSI, RDX and R10; RCX,
 * R11 and all argument registers are lost. The `syscall` itself is in one place, rf_hypercall in
 * entry.S, where the unwinder knows about it.
 */
#ifndef _ASM_X86_RINGFENCE_HYPERCALL_H
#define _ASM_X86_RINGFENCE_HYPERCALL_H

#include <linux/types.h>
#include <asm/asm.h>
#include <asm/page.h>
#include <asm/percpu.h>

#include <asm/ringfence/abi/hypercall.h>
#include <asm/ringfence/abi/vcpu.h>

/* This CPU's page that it shares with the hypervisor. */
DECLARE_PER_CPU_PAGE_ALIGNED(struct rf_vcpu_page, rf_vcpu_page);

static __always_inline long rf_call(enum rf_hypercall number, unsigned long first,
				    unsigned long second, unsigned long third)
{
	long result = number;

	asm volatile("call rf_hypercall"
		     : "+a" (result), "+D" (first), "+S" (second), "+d" (third),
		       ASM_CALL_CONSTRAINT
		     :
		     : "rcx", "r8", "r9", "r10", "r11", "cc", "memory");
	return result;
}

static __always_inline long rf_call4(enum rf_hypercall number, unsigned long first,
				     unsigned long second, unsigned long third,
				     unsigned long fourth)
{
	register unsigned long r10 asm("r10") = fourth;
	long result = number;

	asm volatile("call rf_hypercall"
		     : "+a" (result), "+D" (first), "+S" (second), "+d" (third), "+r" (r10),
		       ASM_CALL_CONSTRAINT
		     :
		     : "rcx", "r8", "r9", "r11", "cc", "memory");
	return result;
}

static __always_inline long rf_call0(enum rf_hypercall number)
{
	return rf_call(number, 0, 0, 0);
}

static __always_inline long rf_call1(enum rf_hypercall number, unsigned long first)
{
	return rf_call(number, first, 0, 0);
}

static __always_inline long rf_call2(enum rf_hypercall number, unsigned long first,
				     unsigned long second)
{
	return rf_call(number, first, second, 0);
}

#endif
