// SPDX-License-Identifier: GPL-2.0
/*
 * From the entry point to start_kernel(): takes over the paravirtual operations, and tells the
 * rest of the kernel in boot_params what a boot loader would.
 */
#include <linux/init.h>
#include <linux/irqflags.h>
#include <linux/string.h>
#include <linux/kernel.h>
#include <linux/memblock.h>

#include <asm/cpu.h>
#include <asm/cpufeature.h>
#include <asm/desc.h>
#include <asm/e820/api.h>
#include <asm/fsgsbase.h>
#include <asm/hypervisor.h>
#include <asm/i8259.h>
#include <asm/setup.h>
#include <asm/text-patching.h>
#include <asm/tlbflush.h>
#include <asm/x86_init.h>

#include <asm/ringfence/abi/domain.h>

#include "ringfence.h"

bool rf_running __ro_after_init;
struct rf_start_info rf_start_info __ro_after_init;

/* The jump before the IRET to the kernel, shared with Xen: only one of us runs. */
extern void early_xen_iret_patch(void);

static enum e820_type __init type_of(u32 kind)
{
	/* The kinds have the numbers of the map. */
	return kind == RF_RANGE_FOREIGN ? E820_TYPE_RAM : kind;
}

/*
 * Memory of others is not for us to allocate, but it is RAM, with a struct page and a place in the
 * direct map: that is how the control domain will see what others grant it.
 */
void __init rf_reserve_foreign(void)
{
	unsigned int i;

	for (i = 0; i < rf_start_info.ranges; i++)
		if (rf_start_info.range[i].kind == RF_RANGE_FOREIGN)
			memblock_reserve(rf_start_info.range[i].start,
					 rf_start_info.range[i].size);
}

/* Not by boot_params: a map of a single range, which most guests have, is not believed there. */
static char *__init rf_memory_setup(void)
{
	unsigned int i;

	for (i = 0; i < rf_start_info.ranges; i++) {
		const struct rf_start_range *range = &rf_start_info.range[i];

		e820__range_add(range->start, range->size, type_of(range->kind));
	}
	e820__update_table(e820_table);
	return "Ringfence";
}

static void __init set_boot_params(void)
{
	/* A version says that they are filled in, and need not be copied from anywhere. */
	boot_params.hdr.version = 0x20c;
	boot_params.hdr.type_of_loader = 0xff;
	boot_params.hdr.hardware_subarch = X86_SUBARCH_PC;
	boot_params.hdr.ramdisk_image = lower_32_bits(rf_start_info.initrd_start);
	boot_params.ext_ramdisk_image = upper_32_bits(rf_start_info.initrd_start);
	boot_params.hdr.ramdisk_size = lower_32_bits(rf_start_info.initrd_size);
	boot_params.ext_ramdisk_size = upper_32_bits(rf_start_info.initrd_size);
	boot_params.acpi_rsdp_addr = rf_start_info.acpi_rsdp;
	strscpy(boot_command_line, rf_start_info.command_line, COMMAND_LINE_SIZE);
	x86_init.resources.memory_setup = rf_memory_setup;
}

/* What the boot CPU registers again when its per-CPU data moves is in rf_register_cpu(). */
static void __init register_entries(void)
{
	rf_register_cpu(rdgsbase());
	rf_call(RF_HYPERCALL_set_entries, (unsigned long)rf_entry_SYSCALL_64,
		(unsigned long)rf_sysret_site, (unsigned long)rf_iret_site);
}

static void __init set_features(void)
{
	setup_force_cpu_cap(X86_FEATURE_RINGFENCE);
	setup_force_cpu_cap(X86_FEATURE_PV_RING3);
	setup_force_cpu_cap(X86_FEATURE_TSC_KNOWN_FREQ);
	setup_force_cpu_cap(X86_FEATURE_TSC_RELIABLE);
	setup_force_cpu_cap(X86_FEATURE_CONSTANT_TSC);
	setup_force_cpu_cap(X86_FEATURE_NONSTOP_TSC);

	/* 32-bit user code has no fast system calls. */
	setup_clear_cpu_cap(X86_FEATURE_SYSENTER32);
	setup_clear_cpu_cap(X86_FEATURE_SYSCALL32);
}

static void __init init_ops(void)
{
	pv_info.name = "Ringfence";
	rf_cpu_init_ops();
	rf_msr_init_ops();
	rf_trap_init_ops();
	rf_segment_init_ops();
	rf_irq_init_ops();
	rf_event_init_ops();
	rf_mmu_init_ops();
	rf_time_init_ops();
	rf_smp_init_ops();
	rf_machine_init_ops();
}

asmlinkage __visible void __init rf_start_kernel(phys_addr_t info)
{
	const struct rf_start_info *start = __va(info);

	/* A kernel that has unpacked itself has left something there. */
	clear_bss();
	if (start->magic != RF_START_MAGIC)
		rf_call1(RF_HYPERCALL_shutdown, RF_SHUTDOWN_CRASH);
	rf_start_info = *start;

	early_boot_irqs_disabled = true;
	register_entries();
	__text_gen_insn(&early_xen_iret_patch, JMP32_INSN_OPCODE, &early_xen_iret_patch,
			&rf_iret, JMP32_INSN_SIZE);

	set_features();
	init_ops();
	cr4_init_shadow();
	legacy_pic = &null_legacy_pic;
	idt_setup_early_handler();

	set_boot_params();
	x86_64_start_reservations((char *)__pa_symbol(&boot_params));
}

static uint32_t __init detect_ringfence(void)
{
	/* Above what any CPUID leaf of an outer hypervisor can claim. */
	return rf_domain() ? U32_MAX : 0;
}

const __initconst struct hypervisor_x86 x86_hyper_ringfence = {
	.name			= "Ringfence",
	.detect			= detect_ringfence,
	.type			= X86_HYPER_RINGFENCE,
	.init.init_platform	= x86_init_noop,
	.init.x2apic_available	= bool_x86_init_noop,
	.init.guest_late_init	= rf_apic_init,
	.ignore_nopv		= true,
};
