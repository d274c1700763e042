/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inline part of arch.h for the host: one thread of the test is one CPU, or plays
 * several in turn.
 */
#ifndef FAKE_ARCH_INLINE_H
#define FAKE_ARCH_INLINE_H

#include <stdint.h>

struct cpu;

/* RAM is one piece of memory of the host; see fake_arch.h. */
extern char *fake_ram;
extern uint64_t fake_ram_frames;
extern _Thread_local struct cpu *fake_this_cpu;

_Noreturn void fake_bad_frame(uint64_t mfn);
void fake_relax(void);
void arch_lock_taken(const void *lock);
void arch_lock_given(const void *lock);

static inline void arch_cpu_relax(void)
{
	fake_relax();
}

static inline void arch_memory_barrier(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline struct cpu *arch_this_cpu(void)
{
	return fake_this_cpu;
}

static inline void *arch_frame_pointer(uint64_t mfn)
{
	if (mfn >= fake_ram_frames)
		fake_bad_frame(mfn);
	return fake_ram + (mfn << 12);
}

static inline uint64_t arch_pointer_frame(const void *pointer)
{
	return (uint64_t)((const char *)pointer - fake_ram) >> 12;
}

#endif
