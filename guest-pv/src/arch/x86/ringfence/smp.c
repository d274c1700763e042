// SPDX-License-Identifier: GPL-2.0
/*
 * Further CPUs: the hypervisor starts them where this file says, with the kernel's page tables and
 * per-CPU data, so there is no trampoline. Interprocessor interrupts are those of bare hardware.
 */
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/sched/hotplug.h>
#include <linux/sched/task_stack.h>
#include <linux/smp.h>

#include <asm/apic.h>
#include <asm/cpu.h>
#include <asm/cpufeature.h>
#include <asm/fpu/api.h>
#include <asm/hw_irq.h>
#include <asm/mpspec.h>
#include <asm/setup.h>
#include <asm/smp.h>
#include <asm/spec-ctrl.h>
#include <asm/tlbflush.h>
#include <asm/x86_init.h>

#include "ringfence.h"

static void __init rf_get_smp_config(unsigned int early)
{
	unsigned int cpu;

	if (early)
		return;
	num_processors = min_t(unsigned int, rf_start_info.vcpus, nr_cpu_ids);
	disabled_cpus = 0;
	for (cpu = 0; cpu < num_processors; cpu++) {
		early_per_cpu(x86_cpu_to_apicid, cpu) = cpu;
		early_per_cpu(x86_bios_cpu_apicid, cpu) = cpu;
		/* Known before alternatives are applied, or all locks would be taken out of the text, and put back. */
		set_cpu_present(cpu, true);
	}
}

static void __init rf_smp_prepare_cpus(unsigned int max_cpus)
{
	smp_prepare_cpus_common();
	speculative_store_bypass_ht_init();
	if (max_cpus == 0)
		init_cpu_present(cpumask_of(0));
}

static void bring_up(void)
{
	unsigned int cpu;

	cr4_init();
	cpu_init_secondary();
	cpu = smp_processor_id();
	rcu_cpu_starting(cpu);
	smp_store_cpu_info(cpu);
	set_cpu_sibling_map(cpu);
	speculative_store_bypass_ht_init();
	notify_cpu_starting(cpu);

	lock_vector_lock();
	set_cpu_online(cpu, true);
	lapic_online();
	unlock_vector_lock();
	cpu_set_state_online(cpu);

	local_irq_enable();
	rf_setup_clockevent();
	rf_event_start_cpu();
}

asmlinkage __visible void rf_cpu_bringup_and_idle(void)
{
	rf_mmu_start_cpu();
	bring_up();
	cpu_startup_entry(CPUHP_AP_ONLINE_IDLE);
}

static int start_vcpu(unsigned int cpu, struct task_struct *idle)
{
	unsigned long gs_base = cpu_kernelmode_gs_base(cpu);
	struct rf_vcpu_context context = {
		.rip		= (unsigned long)rf_secondary_startup,
		.rsp		= (unsigned long)task_pt_regs(idle),
		.rdi		= gs_base,
		.root		= __pa_symbol(swapper_pg_dir),
		.kernel_gs	= gs_base,
		.page		= rf_page_frame(gs_base),
	};
	int error;

	error = rf_call2(RF_HYPERCALL_vcpu_init, cpu, (unsigned long)&context);
	return error ? error : rf_call1(RF_HYPERCALL_vcpu_up, cpu);
}

static int rf_cpu_up(unsigned int cpu, struct task_struct *idle)
{
	int error;

	error = common_cpu_up(cpu, idle);
	if (error)
		return error;
	/* It was seen going down, so a state that says otherwise is an error. */
	error = cpu_check_up_prepare(cpu);
	if (error)
		return error;

	cpumask_clear_cpu(cpu, cpu_initialized_mask);
	cpumask_set_cpu(cpu, cpu_callout_mask);
	error = start_vcpu(cpu, idle);
	if (error) {
		pr_err("CPU %u: the hypervisor does not start it: %d\n", cpu, error);
		return error;
	}
	while (cpu_report_state(cpu) != CPU_ONLINE)
		rf_call0(RF_HYPERCALL_yield);
	return 0;
}

#ifdef CONFIG_HOTPLUG_CPU
static int rf_cpu_disable(void)
{
	if (smp_processor_id() == 0)
		return -EBUSY;
	cpu_disable_common();
	return 0;
}

static void rf_cpu_die(unsigned int cpu)
{
	while (rf_call1(RF_HYPERCALL_vcpu_status, cpu) != RF_VCPU_DOWN)
		schedule_timeout_uninterruptible(1);
	common_cpu_die(cpu);
}

/* If it comes up again, then as new: by start_vcpu(). */
static void rf_play_dead(void)
{
	play_dead_common();
	rf_call0(RF_HYPERCALL_vcpu_down);
	BUG();
}
#endif

static void stop_self(void *unused)
{
	set_cpu_online(smp_processor_id(), false);
	local_irq_disable();
	for (;;)
		rf_call0(RF_HYPERCALL_vcpu_down);
}

static void rf_stop_other_cpus(int wait)
{
	smp_call_function(stop_self, NULL, wait);
}

void __init rf_smp_init_ops(void)
{
	smp_ops.smp_prepare_cpus = rf_smp_prepare_cpus;
	smp_ops.cpu_up = rf_cpu_up;
	smp_ops.stop_other_cpus = rf_stop_other_cpus;
#ifdef CONFIG_HOTPLUG_CPU
	smp_ops.cpu_disable = rf_cpu_disable;
	smp_ops.cpu_die = rf_cpu_die;
	smp_ops.play_dead = rf_play_dead;
#endif
	x86_init.mpparse.find_smp_config = x86_init_noop;
	x86_init.mpparse.get_smp_config = rf_get_smp_config;
}
