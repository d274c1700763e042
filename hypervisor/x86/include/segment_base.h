/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The FS and GS bases of the guest. While the hypervisor runs, its own GS base is in and the
 * guest's is behind SWAPGS: each function swaps it in for a moment. Interrupts are off, and an
 * NMI trusts no GS base.
 */
#ifndef X86_SEGMENT_BASE_H
#define X86_SEGMENT_BASE_H

#include <stdint.h>

static inline uint64_t fs_base_read(void)
{
	uint64_t base;

	asm volatile("rdfsbase %0" : "=r"(base));
	return base;
}

/* Bases must be canonical. */
static inline void fs_base_write(uint64_t base)
{
	asm volatile("wrfsbase %0" : : "r"(base));
}

static inline uint64_t gs_base_read_guest(void)
{
	uint64_t base;

	asm volatile("swapgs\n\t"
		     "rdgsbase %0\n\t"
		     "swapgs"
		     : "=r"(base)
		     :
		     : "memory");
	return base;
}

static inline void gs_base_write_guest(uint64_t base)
{
	asm volatile("swapgs\n\t"
		     "wrgsbase %0\n\t"
		     "swapgs"
		     :
		     : "r"(base)
		     : "memory");
}

static inline uint64_t gs_base_exchange_guest(uint64_t base)
{
	uint64_t old;

	asm volatile("swapgs\n\t"
		     "rdgsbase %0\n\t"
		     "wrgsbase %1\n\t"
		     "swapgs"
		     : "=&r"(old)
		     : "r"(base)
		     : "memory");
	return old;
}

#endif
