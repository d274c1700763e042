/* SPDX-License-Identifier: BSD-2-Clause */
/* The inline part of arch.h for x86-64. */
#ifndef X86_ARCH_INLINE_H
#define X86_ARCH_INLINE_H

#include <stdint.h>

#include "layout.h"

struct cpu;

static inline void arch_cpu_relax(void)
{
	__builtin_ia32_pause();
}

static inline void arch_memory_barrier(void)
{
	__asm__ volatile("mfence" : : : "memory");
}

static inline void arch_lock_taken(const void *lock)
{
	(void)lock;
}

static inline void arch_lock_given(const void *lock)
{
	(void)lock;
}

static inline struct cpu *arch_this_cpu(void)
{
	struct cpu *cpu;

	/*
	 * Not volatile: within one function it may be read once. The hypervisor never changes
	 * CPU.
	 */
	__asm__("movq %%gs:0, %0" : "=r"(cpu));
	return cpu;
}

static inline void *arch_frame_pointer(uint64_t mfn)
{
	return (void *)(LAYOUT_DIRECT_MAP + (mfn << 12));
}

/* Only for pointers into the direct map. */
static inline uint64_t arch_pointer_frame(const void *pointer)
{
	return ((uint64_t)pointer - LAYOUT_DIRECT_MAP) >> 12;
}

#endif
