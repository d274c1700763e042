/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Model-specific registers: access that survives a register which is not there, and what of them
 * a guest may see (msr.c).
 */
#ifndef X86_MSR_H
#define X86_MSR_H

#include <stdbool.h>
#include <stdint.h>

#include "fixup.h"

#define MSR_TSC		    0x10
#define MSR_APIC_BASE	    0x1b
#define MSR_MICROCODE	    0x8b
#define MSR_PLATFORM_INFO   0xce
#define MSR_MISC_ENABLE	    0x1a0
#define MSR_PAT		    0x277
#define MSR_EFER	    0xc0000080
#define MSR_STAR	    0xc0000081
#define MSR_LSTAR	    0xc0000082
#define MSR_CSTAR	    0xc0000083
#define MSR_SYSCALL_MASK    0xc0000084
#define MSR_FS_BASE	    0xc0000100
#define MSR_GS_BASE	    0xc0000101
#define MSR_KERNEL_GS_BASE  0xc0000102
#define MSR_TSC_AUX	    0xc0000103
#define MSR_AMD_HWCR	    0xc0010015
#define MSR_AMD_INT_PENDING 0xc0010055
#define MSR_AMD_DE_CFG	    0xc0011029

static inline uint64_t msr_read(uint32_t msr)
{
	uint32_t low, high;

	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static inline void msr_write(uint32_t msr, uint64_t value)
{
	asm volatile("wrmsr"
		     :
		     : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
		     : "memory");
}

/* False when there is no such register; *value is zero then. */
static inline bool msr_read_safe(uint32_t msr, uint64_t *value)
{
	uint32_t low = 0, high = 0, failed = 1;

	asm volatile("1: rdmsr\n\t"
		     "xorl %2, %2\n"
		     "2:\n" FIXUP("1b", "2b")
		     : "+a"(low), "+d"(high), "+r"(failed)
		     : "c"(msr));
	*value = (uint64_t)high << 32 | low;
	return !failed;
}

/* False when there is no such register, or it does not take the value. */
static inline bool msr_write_safe(uint32_t msr, uint64_t value)
{
	uint32_t failed = 1;

	asm volatile("1: wrmsr\n\t"
		     "xorl %0, %0\n"
		     "2:\n" FIXUP("1b", "2b")
		     : "+r"(failed)
		     : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
		     : "memory");
	return !failed;
}

#endif
