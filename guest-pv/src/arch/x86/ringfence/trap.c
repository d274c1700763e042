// SPDX-License-Identifier: GPL-2.0
/*
 * The interrupt descriptor table. The hypervisor enters the very stubs that it names, on the stack
 * of the task, but for those that on hardware expect a stack or a GS base of their own.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include <asm/desc.h>
#include <asm/idtentry.h>
#include <asm/paravirt.h>
#include <asm/traps.h>

#include "ringfence.h"

#define TRAPS_A_CALL	16

DEFINE_IDTENTRY_RAW(rf_exc_debug)
{
	/* One stub for both: there is no stack to switch to. */
	if (user_mode(regs))
		noist_exc_debug(regs);
	else
		exc_debug(regs);
}

DEFINE_IDTENTRY_RAW_ERRORCODE(rf_exc_double_fault)
{
	exc_double_fault(regs, error_code);
}

/* The hypervisor may give a second one meanwhile: exc_nmi() notices. */
DEFINE_IDTENTRY_RAW(rf_exc_nmi)
{
	exc_nmi(regs);
}

struct replacement {
	void *native;
	void *here;	/* none: the hypervisor never delivers it */
};

static const struct replacement replacements[] = {
	{ asm_exc_debug,			asm_rf_exc_debug },
	{ asm_exc_double_fault,			asm_rf_exc_double_fault },
	{ asm_exc_nmi,				asm_rf_exc_nmi },
#ifdef CONFIG_X86_MCE
	{ asm_exc_machine_check,		NULL },
#endif
	{ asm_sysvec_apic_timer_interrupt,	asm_sysvec_rf_timer },
};

static unsigned long handler_of(unsigned long native)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(replacements); i++)
		if (native == (unsigned long)replacements[i].native)
			return (unsigned long)replacements[i].here;
	return native;
}

static struct rf_trap trap_of(unsigned int vector, const gate_desc *gate)
{
	struct rf_trap trap = { .vector = vector };

	if (!gate->bits.p)
		return trap;
	trap.rip = handler_of(gate_offset(gate));
	if (gate->bits.dpl == 3)
		trap.flags |= RF_TRAP_USER;
	if (gate->bits.type == GATE_TRAP)
		trap.flags |= RF_TRAP_KEEP_INTERRUPTS;
	return trap;
}

static void set_traps(const gate_desc *gates, unsigned int first, unsigned int count)
{
	struct rf_trap traps[TRAPS_A_CALL];
	unsigned int i;
	long error;

	for (i = 0; i < count; i++)
		traps[i] = trap_of(first + i, &gates[i]);
	error = rf_call2(RF_HYPERCALL_set_traps, (unsigned long)traps, count);
	WARN_ONCE(error, "the hypervisor refuses traps from %u on: %ld\n", first, error);
}

/* Traps belong to the domain, so a further CPU that loads the same table changes nothing. */
static void rf_load_idt(const struct desc_ptr *desc)
{
	const gate_desc *gates = (const gate_desc *)desc->address;
	unsigned int count = (desc->size + 1) / sizeof(gate_desc);
	unsigned int i;

	for (i = 0; i < count; i += TRAPS_A_CALL)
		set_traps(&gates[i], i, min_t(unsigned int, count - i, TRAPS_A_CALL));
}

static void rf_write_idt_entry(gate_desc *table, int entry, const gate_desc *gate)
{
	memcpy(&table[entry], gate, sizeof(*gate));
	set_traps(gate, entry, 1);
}

void __init rf_trap_init_ops(void)
{
	pv_ops.cpu.load_idt = rf_load_idt;
	pv_ops.cpu.write_idt_entry = rf_write_idt_entry;
}
