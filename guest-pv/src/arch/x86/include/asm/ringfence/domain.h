/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whether this kernel runs under Ringfence, and what the rest of the kernel calls then. Included
 * by the lowest headers, so it includes almost nothing.
 */
#ifndef _ASM_X86_RINGFENCE_DOMAIN_H
#define _ASM_X86_RINGFENCE_DOMAIN_H

#include <linux/types.h>

struct console;

#ifdef CONFIG_RINGFENCE

/* Set by the entry point, before anything else runs, and never changed. */
extern bool rf_running;
extern struct console rf_boot_console;

unsigned long rf_read_cr4(void);
void rf_set_xcr0(u32 index, u64 value);

static inline bool rf_domain(void)
{
	return rf_running;
}

#else

static inline bool rf_domain(void)
{
	return false;
}

static inline unsigned long rf_read_cr4(void)
{
	return 0;
}

static inline void rf_set_xcr0(u32 index, u64 value)
{
}

#endif

#endif
