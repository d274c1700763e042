/* SPDX-License-Identifier: GPL-2.0 */
/* Interrupts as ACPI numbers them, where there is no interrupt controller to ask. */
#ifndef _ASM_X86_RINGFENCE_GSI_H
#define _ASM_X86_RINGFENCE_GSI_H

#include <linux/types.h>

#ifdef CONFIG_RINGFENCE

/* Zero, or an error. */
int rf_gsi_to_irq(u32 gsi, unsigned int *irq);

#else

static inline int rf_gsi_to_irq(u32 gsi, unsigned int *irq)
{
	return -1;
}

#endif

#endif
