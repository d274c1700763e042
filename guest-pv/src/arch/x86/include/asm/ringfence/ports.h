/* SPDX-License-Identifier: GPL-2.0 */
/* Ports of user mode, where ioperm() and iopl() are the kernel's own doing. */
#ifndef _ASM_X86_RINGFENCE_PORTS_H
#define _ASM_X86_RINGFENCE_PORTS_H

#include <linux/types.h>

#include <asm/cpufeature.h>

struct pt_regs;

#if defined(CONFIG_RINGFENCE) && defined(CONFIG_X86_IOPL_IOPERM)
bool rf_use_port(struct pt_regs *regs);
#else
static inline bool rf_use_port(struct pt_regs *regs)
{
	return false;
}
#endif

/* After a general protection of user mode: true if it was an access that is allowed, and is done. */
static inline bool rf_fixup_port_exception(struct pt_regs *regs)
{
	return cpu_feature_enabled(X86_FEATURE_RINGFENCE) && rf_use_port(regs);
}

#endif
