// SPDX-License-Identifier: GPL-2.0
/*
 * The interrupt flag, and waiting for interrupts. There is no interrupt controller: timer and
 * interprocessor interrupts come as vectors through the descriptor table, and need no end. Devices
 * are in event.c.
 */
#include <linux/init.h>

#include <asm/paravirt.h>
#include <asm/processor-flags.h>
#include <asm/x86_init.h>

#include "ringfence.h"

static noinstr void rf_safe_halt(void)
{
	rf_call0(RF_HYPERCALL_block);
}

/* With interrupts off nothing could wake this CPU. */
static noinstr void rf_halt(void)
{
	rf_call0(rf_save_fl() & X86_EFLAGS_IF ? RF_HYPERCALL_block : RF_HYPERCALL_vcpu_down);
}

void __init rf_irq_init_ops(void)
{
	pv_ops.irq.save_fl = __PV_IS_CALLEE_SAVE(rf_save_fl);
	pv_ops.irq.irq_disable = __PV_IS_CALLEE_SAVE(rf_irq_disable);
	pv_ops.irq.irq_enable = __PV_IS_CALLEE_SAVE(rf_irq_enable);
	pv_ops.irq.safe_halt = rf_safe_halt;
	pv_ops.irq.halt = rf_halt;

	x86_init.irqs.intr_mode_select = x86_init_noop;
	x86_init.irqs.intr_mode_init = x86_init_noop;
}
