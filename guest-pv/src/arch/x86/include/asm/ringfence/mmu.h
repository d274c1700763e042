/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Flushes of the hypervisor's shadow. They name what became tighter, whether it is loaded or not,
 * and when they return no vCPU uses an older translation.
 */
#ifndef _ASM_X86_RINGFENCE_MMU_H
#define _ASM_X86_RINGFENCE_MMU_H

struct mm_struct;

#ifdef CONFIG_RINGFENCE

/* End may be TLB_FLUSH_ALL: then all of it, whatever start says. */
void rf_flush_mm_range(struct mm_struct *mm, unsigned long start, unsigned long end);
void rf_flush_kernel_range(unsigned long start, unsigned long end);
void rf_flush_all(void);

#else

static inline void rf_flush_mm_range(struct mm_struct *mm, unsigned long start, unsigned long end)
{
}

static inline void rf_flush_kernel_range(unsigned long start, unsigned long end)
{
}

static inline void rf_flush_all(void)
{
}

#endif

#endif
