// SPDX-License-Identifier: GPL-2.0
/*
 * Model-specific registers. Segment bases are instructions or memory of the vCPU page, those of
 * system calls were said once with set_entries; the hypervisor has a list for the rest.
 *
 * The GS base is odd: load_percpu_segment() clears it before it writes it, so no per-CPU variable
 * may be touched on that way, nor anything that could be traced.
 */
#include <linux/percpu.h>

#include <asm/fsgsbase.h>
#include <asm/msr.h>
#include <asm/page.h>
#include <asm/paravirt.h>

#include "ringfence.h"

DEFINE_PER_CPU_PAGE_ALIGNED(struct rf_vcpu_page, rf_vcpu_page);

static __always_inline struct rf_vcpu_page *page_of(unsigned long gs_base)
{
	return (struct rf_vcpu_page *)(gs_base + (unsigned long)&rf_vcpu_page);
}

u64 rf_page_frame(unsigned long gs_base)
{
	return __pa(page_of(gs_base)) >> PAGE_SHIFT;
}

/* This CPU's per-CPU data is at gs_base from now on, and so are its page and interrupt flag. */
void notrace rf_register_cpu(unsigned long gs_base)
{
	rf_call1(RF_HYPERCALL_vcpu_register_page, rf_page_frame(gs_base));
	rf_call1(RF_HYPERCALL_set_kernel_gs, gs_base);
	wrgsbase(gs_base);
}

/*
 * What does nothing, and reads as zero: the entries, and debug control, without which a step is an
 * instruction and not a block.
 */
static bool without_effect(unsigned int msr)
{
	switch (msr) {
	case MSR_IA32_DEBUGCTLMSR:
	case MSR_STAR:
	case MSR_LSTAR:
	case MSR_CSTAR:
	case MSR_SYSCALL_MASK:
	case MSR_IA32_SYSENTER_CS:
	case MSR_IA32_SYSENTER_ESP:
	case MSR_IA32_SYSENTER_EIP:
		return true;
	}
	return false;
}

static int read_register(unsigned int msr, u64 *value)
{
	*value = 0;
	if (without_effect(msr))
		return 0;
	return rf_call2(RF_HYPERCALL_read_msr, msr, (unsigned long)value) ? -EIO : 0;
}

static int write_register(unsigned int msr, u64 value)
{
	u64 now;

	if (without_effect(msr) || rf_call2(RF_HYPERCALL_write_msr, msr, value) == 0)
		return 0;
	/* A register that cannot be written but has the value anyway is as good. */
	if (read_register(msr, &now) == 0 && now == value)
		return 0;
	return -EIO;
}

static int notrace do_read_msr(unsigned int msr, u64 *value)
{
	switch (msr) {
	case MSR_FS_BASE:
		*value = rdfsbase();
		return 0;
	case MSR_GS_BASE:
		*value = rdgsbase();
		return 0;
	case MSR_KERNEL_GS_BASE:
		*value = this_cpu_read(rf_vcpu_page.user.gs_base);
		return 0;
	}
	return read_register(msr, value);
}

static int notrace do_write_msr(unsigned int msr, u64 value)
{
	switch (msr) {
	case MSR_FS_BASE:
		wrfsbase(value);
		return 0;
	case MSR_GS_BASE:
		rf_register_cpu(value);
		return 0;
	case MSR_KERNEL_GS_BASE:
		this_cpu_write(rf_vcpu_page.user.gs_base, value);
		return 0;
	}
	return write_register(msr, value);
}

static u64 notrace rf_read_msr_safe(unsigned int msr, int *error)
{
	u64 value;

	*error = do_read_msr(msr, &value);
	return value;
}

static int notrace rf_write_msr_safe(unsigned int msr, unsigned int low, unsigned int high)
{
	return do_write_msr(msr, (u64)high << 32 | low);
}

static u64 notrace rf_read_msr(unsigned int msr)
{
	u64 value;

	if (do_read_msr(msr, &value))
		WARN_ONCE(1, "unchecked MSR access error: RDMSR from %#x\n", msr);
	return value;
}

static void notrace rf_write_msr(unsigned int msr, unsigned int low, unsigned int high)
{
	if (rf_write_msr_safe(msr, low, high))
		WARN_ONCE(1, "unchecked MSR access error: WRMSR to %#x\n", msr);
}

void __init rf_msr_init_ops(void)
{
	pv_ops.cpu.read_msr = rf_read_msr;
	pv_ops.cpu.write_msr = rf_write_msr;
	pv_ops.cpu.read_msr_safe = rf_read_msr_safe;
	pv_ops.cpu.write_msr_safe = rf_write_msr_safe;
}
