// SPDX-License-Identifier: BSD-2-Clause
/*
 * Brings up the machine around the boot processor, and what arch.h asks for that is too small
 * for a file of its own.
 *
 * Interface: platform_init() of platform.h; arch_idle(), arch_interrupt_window(),
 * arch_tlb_flush_local() and arch_tlb_flush_page() of arch.h.
 * Locks: none.
 */
#include "platform.h"

#include "acpi.h"
#include "apic.h"
#include "arch.h"
#include "clock.h"
#include "control_registers.h"
#include "cpu.h"
#include "cpu_setup.h"
#include "paging.h"
#include "smp.h"
#include "tsc.h"

void arch_tlb_flush_local(void)
{
	cr3_write(cr3_read());
}

void arch_tlb_flush_page(uint64_t address)
{
	asm volatile("invlpg (%0)" : : "r"(address) : "memory");
}

/*
 * An interrupt that comes between the two instructions still ends the sleep: `sti` takes effect
 * after the next one.
 */
void arch_idle(void)
{
	asm volatile("sti; hlt; cli" : : : "memory");
}

/* `sti` takes effect after the instruction that follows it: hence the `nop`. */
void arch_interrupt_window(void)
{
	asm volatile("sti; nop; cli" : : : "memory");
}

void platform_init(void)
{
	cpu_features_init();
	acpi_init();
	cpu_build_idt();
	paging_init();
	for (uint32_t i = 0; i < smp_cpus_wanted(); i++)
		cpu_prepare(&cpus[i], i);
	cpu_setup(&cpus[0]);
	tsc_init();
	clock_init();
	apic_init();
	cpus[0].arch.apic_id = apic_id();
	cpus[0].online = true;
	cpu_count = 1;
}
