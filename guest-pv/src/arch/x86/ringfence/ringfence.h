/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the Ringfence platform know of each other. */
#ifndef _X86_RINGFENCE_RINGFENCE_H
#define _X86_RINGFENCE_RINGFENCE_H

#include <linux/init.h>
#include <linux/linkage.h>
#include <asm/ringfence/domain.h>
#include <asm/ringfence/hypercall.h>
#include <asm/ringfence/start.h>

/* entry.S */
extern unsigned long rf_save_fl(void);
extern void rf_irq_disable(void);
extern void rf_irq_enable(void);
extern unsigned long rf_read_cr2(void);
extern void rf_entry_SYSCALL_64(void);
extern void rf_sysret_site(void);
extern void rf_iret_site(void);
extern void rf_iret(void);
extern void rf_secondary_startup(void);

/* Each takes over its part of pv_ops, x86_init and x86_platform; the boot CPU, once, at the start. */
void __init rf_cpu_init_ops(void);
void __init rf_msr_init_ops(void);
void __init rf_trap_init_ops(void);
void __init rf_segment_init_ops(void);
void __init rf_mmu_init_ops(void);
void __init rf_irq_init_ops(void);
void __init rf_time_init_ops(void);
void __init rf_smp_init_ops(void);
void __init rf_machine_init_ops(void);
void __init rf_apic_init(void);
void __init rf_reserve_foreign(void);
void __init rf_ports_init(void);

void rf_register_cpu(unsigned long gs_base);
u64 rf_page_frame(unsigned long gs_base);

/* event.c, and what it is asked for by the others. */
struct irq_domain;
extern struct irq_domain *rf_event_domain;
void __init rf_event_init_ops(void);
void rf_event_start_cpu(void);
/* An interrupt for a port that the caller has made, which is closed with it; or an error. */
int rf_event_irq(unsigned int port);
#ifdef CONFIG_ACPI
void __init rf_gsi_init(void);
#else
static inline void rf_gsi_init(void)
{
}
#endif
#ifdef CONFIG_PCI_MSI
void __init rf_msi_init_ops(void);
#else
static inline void rf_msi_init_ops(void)
{
}
#endif

void rf_setup_clockevent(void);
void rf_mmu_start_cpu(void);
/* What this CPU has put off is done now, for on_each_cpu(). */
void rf_mmu_perform_deferred(void *unused);

asmlinkage void rf_start_kernel(phys_addr_t info);
asmlinkage void rf_cpu_bringup_and_idle(void);

#endif
