// SPDX-License-Identifier: GPL-2.0
/*
 * Processor operations: CPUID, control and debug registers. What nobody but this kernel looks at
 * is kept in memory; the hypervisor has its own idea of the real registers.
 */
#include <linux/bitops.h>
#include <linux/percpu.h>

#include <asm/debugreg.h>
#include <asm/paravirt.h>
#include <asm/processor-flags.h>

#include "ringfence.h"

#define CR0_VALUE	(X86_CR0_PE | X86_CR0_MP | X86_CR0_ET | X86_CR0_NE | X86_CR0_WP | \
			 X86_CR0_AM | X86_CR0_PG)
#define CR4_START	(X86_CR4_PSE | X86_CR4_PAE | X86_CR4_PGE | X86_CR4_OSFXSR | \
			 X86_CR4_OSXMMEXCPT | X86_CR4_FSGSBASE | X86_CR4_OSXSAVE)

/* The bits of DR6 that mean something, and what the others read as. */
#define DR6_CAUSES	(DR_TRAP_BITS | DR_STEP | DR_SWITCH | BIT(13))

static DEFINE_PER_CPU(unsigned long, rf_cr4) = CR4_START;
static DEFINE_PER_CPU(unsigned long [8], rf_debugreg);

static void rf_cpuid(unsigned int *eax, unsigned int *ebx, unsigned int *ecx, unsigned int *edx)
{
	struct rf_cpuid result = {};

	rf_call(RF_HYPERCALL_cpuid, *eax, *ecx, (unsigned long)&result);
	*eax = result.eax;
	*ebx = result.ebx;
	*ecx = result.ecx;
	*edx = result.edx;
}

static unsigned long rf_read_cr0(void)
{
	return CR0_VALUE;
}

/* Nothing in it can change: the FPU is switched eagerly, caches are the hypervisor's. */
static void rf_write_cr0(unsigned long value)
{
}

unsigned long rf_read_cr4(void)
{
	return this_cpu_read(rf_cr4);
}

/* Only one bit means something to the hypervisor: whether user mode may read the TSC. */
static void rf_write_cr4(unsigned long value)
{
	unsigned long changed = this_cpu_read(rf_cr4) ^ value;

	this_cpu_write(rf_cr4, value);
	if (changed & X86_CR4_TSD)
		rf_call2(RF_HYPERCALL_write_msr, RF_MSR_NO_USER_TSC, !!(value & X86_CR4_TSD));
}

void rf_set_xcr0(u32 index, u64 value)
{
	long error = index ? -EINVAL : rf_call1(RF_HYPERCALL_set_xcr0, value);

	WARN_ONCE(error, "XCR%u: the hypervisor refuses %#llx\n", index, value);
}

static noinstr unsigned long rf_get_debugreg(int number)
{
	if (number == 6)
		return __this_cpu_read(rf_vcpu_page.dr6);
	return __this_cpu_read(rf_debugreg[number]);
}

static noinstr void rf_set_debugreg(int number, unsigned long value)
{
	if (number == 6) {
		__this_cpu_write(rf_vcpu_page.dr6, (value & DR6_CAUSES) | DR6_RESERVED);
		return;
	}
	/* One that is refused stays as it was: nobody may watch the hypervisor. */
	if (rf_call2(RF_HYPERCALL_set_debug_register, number, value) == 0)
		__this_cpu_write(rf_debugreg[number], value);
}

static u64 rf_read_pmc(int counter)
{
	return 0;
}

/* Memory is always write-back, and DMA of the machine is coherent. */
static void rf_wbinvd(void)
{
}

static void rf_io_delay(void)
{
}

void __init rf_cpu_init_ops(void)
{
	pv_ops.cpu.cpuid = rf_cpuid;
	pv_ops.cpu.read_cr0 = rf_read_cr0;
	pv_ops.cpu.write_cr0 = rf_write_cr0;
	pv_ops.cpu.write_cr4 = rf_write_cr4;
	pv_ops.cpu.get_debugreg = rf_get_debugreg;
	pv_ops.cpu.set_debugreg = rf_set_debugreg;
	pv_ops.cpu.read_pmc = rf_read_pmc;
	pv_ops.cpu.wbinvd = rf_wbinvd;
	pv_ops.cpu.io_delay = rf_io_delay;
}
