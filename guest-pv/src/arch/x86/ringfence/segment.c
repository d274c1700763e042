// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptor tables and segment registers. The hypervisor's table is in force, with Linux's
 * selectors; of this kernel's own, four data segments count: three of threads and the one that
 * tells user code its CPU number. There are no LDTs.
 */
#include <linux/percpu.h>
#include <linux/string.h>

#include <asm/cpu_entry_area.h>
#include <asm/desc.h>
#include <asm/fsgsbase.h>
#include <asm/paravirt.h>
#include <asm/segment.h>

#include "ringfence.h"

/* What the hypervisor has for this CPU. */
static DEFINE_PER_CPU(struct desc_struct [GDT_ENTRY_TLS_ENTRIES], rf_tls);

static void set_descriptor(unsigned int number, const struct desc_struct *desc)
{
	u64 value;

	memcpy(&value, desc, sizeof(value));
	/* An empty one may have bits that mean nothing without a segment. */
	if (!desc->p)
		value = 0;
	WARN_ON_ONCE(rf_call2(RF_HYPERCALL_set_tls, number, value));
}

static void rf_load_tls(struct thread_struct *thread, unsigned int cpu)
{
	struct desc_struct *now = this_cpu_ptr(rf_tls);
	unsigned int i;

	for (i = 0; i < GDT_ENTRY_TLS_ENTRIES; i++) {
		if (!memcmp(&now[i], &thread->tls_array[i], sizeof(now[i])))
			continue;
		now[i] = thread->tls_array[i];
		set_descriptor(i, &now[i]);
	}
}

static void rf_write_gdt_entry(struct desc_struct *table, int entry, const void *desc, int type)
{
	native_write_gdt_entry(table, entry, desc, type);
	if (entry == GDT_ENTRY_CPUNODE)
		set_descriptor(entry - GDT_ENTRY_TLS_MIN, desc);
}

static void rf_load_gdt(const struct desc_ptr *desc)
{
}

/* No task register to load; but this is when the stack of the double fault is known. */
static void rf_load_tr_desc(void)
{
	this_cpu_write(rf_vcpu_page.fault_sp,
		       this_cpu_read(cpu_tss_rw.x86_tss.ist[IST_INDEX_DF]));
}

static unsigned long rf_store_tr(void)
{
	return 0;
}

static void rf_set_ldt(const void *table, unsigned int entries)
{
	WARN_ON_ONCE(entries);
}

/*
 * User code's GS: loading a selector changes the base, which is the kernel's meanwhile. With
 * interrupts off nobody notices. If the selector is bad, the base has not changed when the fault
 * comes, and null is loaded.
 */
static noinstr void rf_load_gs_index(unsigned int selector)
{
	struct rf_vcpu_page *page;
	unsigned long flags, kernel, user;

	flags = rf_save_fl();
	rf_irq_disable();
	page = this_cpu_ptr(&rf_vcpu_page);
	asm volatile("rdgsbase %[kernel]\n"
		     "1:	movl %k[selector], %%gs\n"
		     "rdgsbase %[user]\n"
		     "wrgsbase %[kernel]\n"
		     _ASM_EXTABLE_TYPE_REG(1b, 1b, EX_TYPE_ZERO_REG, %k[selector])
		     : [kernel] "=&r" (kernel), [user] "=&r" (user), [selector] "+r" (selector)
		     : : "memory");
	page->user.gs_base = user;
	if (flags & X86_EFLAGS_IF)
		rf_irq_enable();
}

/* Another task: what the page says of the last one's fault means nothing any more. */
static void rf_load_sp0(unsigned long sp0)
{
	this_cpu_write(rf_vcpu_page.kernel_sp, sp0);
	this_cpu_write(rf_vcpu_page.dropped, 0);
}

#ifdef CONFIG_X86_IOPL_IOPERM
/* User mode gets no ports of the hypervisor: see ports.c. */
static void rf_no_io_bitmap(void)
{
}
#endif

void __init rf_segment_init_ops(void)
{
	pv_ops.cpu.load_tls = rf_load_tls;
	pv_ops.cpu.write_gdt_entry = rf_write_gdt_entry;
	pv_ops.cpu.load_gdt = rf_load_gdt;
	pv_ops.cpu.load_tr_desc = rf_load_tr_desc;
	pv_ops.cpu.store_tr = rf_store_tr;
	pv_ops.cpu.set_ldt = rf_set_ldt;
	pv_ops.cpu.load_gs_index = rf_load_gs_index;
	pv_ops.cpu.load_sp0 = rf_load_sp0;
#ifdef CONFIG_X86_IOPL_IOPERM
	pv_ops.cpu.invalidate_io_bitmap = rf_no_io_bitmap;
	pv_ops.cpu.update_io_bitmap = rf_no_io_bitmap;
#endif
}
