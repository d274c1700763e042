// SPDX-License-Identifier: BSD-2-Clause
/*
 * Exceptions and interrupts, once entry.S has saved the registers.
 *
 * Interface: traps.h. No locks. What a guest raises is given back to it by inject.c, save for page
 * faults that only mean a missing shadow entry. What the hypervisor raises is a bug, unless the
 * instruction is in the fixup table.
 */
#include "traps.h"

#include <stdbool.h>
#include <stddef.h>

#include "apic.h"
#include "assert.h"
#include "control_registers.h"
#include "cpu.h"
#include "debug.h"
#include "domain.h"
#include "fixup.h"
#include "flags.h"
#include "inject.h"
#include "panic.h"
#include "pte.h"
#include "shadow.h"
#include "tsc_access.h"
#include "vcpu.h"
#include "vcpu_state.h"

#define VECTOR_DEBUG	    1
#define VECTOR_BREAKPOINT   3
#define VECTOR_OVERFLOW	    4
#define VECTOR_DOUBLE_FAULT 8
#define VECTOR_PROTECTION   13
#define VECTOR_INTERRUPTS   32

/* The error code of `int n` through a gate that ring 3 may not use: n << 3 | ERROR_IDT. */
#define ERROR_KIND	    0x7
#define ERROR_IDT	    0x2
#define OPCODE_INT	    0xcd
#define OPCODE_INT3	    0xcc

/* --- Page faults -------------------------------------------------------------------------------- */

/* A shadow entry is made for ring 3, and well: only a mistake, or QEMU, makes such an error code. */
static bool is_strange(uint64_t error)
{
	return (error & FAULT_RESERVED) || (error & (FAULT_PRESENT | FAULT_USER)) == FAULT_PRESENT;
}

/*
 * QEMU without KVM makes the stack accesses of far returns in ring 3 with the rights of ring 0, and
 * SMAP refuses them for ever: no entry would do.
 */
static __attribute__((noinline)) void strange_fault(struct vcpu *v)
{
	const struct registers *r = &v->arch.registers;

	if (r->error & FAULT_RESERVED)
		panic_with_registers(r, "a shadow entry has reserved bits set");
	inject_exception(v, VECTOR_PROTECTION, 0);
}

/*
 * The most frequent reason to be here. Nothing is on the stack that could be written beyond, so it
 * does without that check.
 */
__attribute__((no_stack_protector)) void traps_page_fault(struct vcpu *v)
{
	struct registers *r = &v->arch.registers;
	uint64_t address = cr2_read();
	uint32_t access = r->error & (FAULT_WRITE | FAULT_FETCH);
	uint32_t error;

	r->rflags &= ~(uint64_t)FLAGS_NESTED;
	v->counters.entries[RF_ENTRY_PAGE_FAULT]++;
	if (__builtin_expect(is_strange(r->error), 0)) {
		strange_fault(v);
		return;
	}
	if (v->arch.user_mode)
		access |= FAULT_USER;
	if (shadow_fault(v, address, access, &error) == SHADOW_FILLED)
		return;
	v->page->cr2 = address;
	v->fault_address = address;
	if (!(__atomic_load_n(&v->work, __ATOMIC_RELAXED) & VCPU_WORK_FILL))
		vcpu_set_work(v, VCPU_WORK_FILL);
	v->counters.faults++;
	inject_page_fault(v, error);
}

/* --- Software interrupts ------------------------------------------------------------------------ */

static bool may_raise(const struct vcpu *v, uint8_t vector)
{
	const struct domain_trap *trap = &v->domain->traps[vector];

	if (!__atomic_load_n(&trap->rip, __ATOMIC_RELAXED))
		return false;
	return !v->arch.user_mode || (trap->flags & RF_TRAP_USER);
}

/*
 * `int n` finds a gate of ring 0 and raises this, as do refused instructions. The error code says
 * n << 3; QEMU says n << 4, so the instruction decides. It is two bytes, unless it has prefixes.
 */
static bool is_software_interrupt(const struct registers *r, uint8_t *vector)
{
	uint64_t told = r->error >> 3;
	uint8_t code[2];

	if ((r->error & ERROR_KIND) != ERROR_IDT)
		return false;
	if (copy_from_guest(code, r->rip, sizeof(code)) == 0 && code[0] == OPCODE_INT &&
	    told == 2U * code[1])
		told = code[1];
	*vector = (uint8_t)told;
	return told <= UINT8_MAX;
}

static void protection(struct vcpu *v, struct registers *r)
{
	uint8_t vector;

	v->counters.entries[RF_ENTRY_PROTECTION]++;
	v->counters.exceptions++;
	if (tsc_access_emulate(v, r))
		return;
	if (!is_software_interrupt(r, &vector)) {
		inject_exception(v, VECTOR_PROTECTION, r->error);
	} else if (!may_raise(v, vector)) {
		inject_exception(v, VECTOR_PROTECTION, (uint64_t)vector << 3 | ERROR_IDT);
	} else {
		r->rip += 2;
		r->rflags &= ~(uint64_t)FLAGS_RESUME;
		inject_software(v, vector);
	}
}

/*
 * Has another CPU taken the breakpoint away meanwhile? Then what is there now is to be executed.
 * QEMU before 8.1 may keep its translation of the INT3, until somebody writes to it. The last byte
 * of `int 3` is 3.
 */
static bool breakpoint_gone(const struct registers *r)
{
	uint64_t address = r->rip - 1;
	uint8_t code;

	if (r->vector != VECTOR_BREAKPOINT || copy_from_guest(&code, address, 1))
		return false;
	return code != OPCODE_INT3 && code != VECTOR_BREAKPOINT &&
	       guest_access_rewrite(address) == 0;
}

/*
 * INT3 and INTO come through gates that ring 3 may use, so whether user mode may is decided here;
 * if not, the fault is at the instruction: one byte, or two when it was `int 3`.
 */
static void breakpoint(struct vcpu *v, struct registers *r)
{
	uint8_t last;

	if (breakpoint_gone(r)) {
		r->rip--;
		return;
	}
	if (may_raise(v, (uint8_t)r->vector)) {
		inject_software(v, (uint8_t)r->vector);
		return;
	}
	if (copy_from_guest(&last, r->rip - 1, 1) == 0 && last == r->vector)
		r->rip--;
	r->rip--;
	r->rflags |= FLAGS_RESUME;
	inject_exception(v, VECTOR_PROTECTION, r->vector << 3 | ERROR_IDT);
}

/* --- Everything else of a guest ----------------------------------------------------------------- */

static void exception(struct vcpu *v, struct registers *r)
{
	v->counters.entries[RF_ENTRY_EXCEPTION]++;
	v->counters.exceptions++;
	switch (r->vector) {
	case VECTOR_BREAKPOINT:
	case VECTOR_OVERFLOW:
		breakpoint(v, r);
		return;
	case VECTOR_DEBUG:
		v->page->dr6 = debug_take_cause(v->arch.debug[7]);
		break;
	}
	inject_exception(v, (uint8_t)r->vector, r->error);
}

static void interrupt(struct vcpu *v, uint8_t vector)
{
	enum rf_entry_reason reason = RF_ENTRY_DEVICE;

	if (vector == VECTOR_TIMER)
		reason = RF_ENTRY_TIMER;
	else if (vector == VECTOR_CALL)
		reason = RF_ENTRY_IPI;
	v->counters.entries[reason]++;
	apic_interrupt(vector);
	/* Between a wild jump and its fault, which would come to our IRET now. */
	if (!address_is_canonical(v->arch.registers.rip))
		inject_exception(v, VECTOR_PROTECTION, 0);
}

void traps_guest(struct vcpu *v)
{
	struct registers *r = &v->arch.registers;

	/* A user may set NT; then our IRET would fault. */
	r->rflags &= ~(uint64_t)FLAGS_NESTED;
	if (r->vector >= VECTOR_INTERRUPTS)
		interrupt(v, (uint8_t)r->vector);
	else if (r->vector == VECTOR_PROTECTION)
		protection(v, r);
	else
		exception(v, r);
}

/* --- In the hypervisor -------------------------------------------------------------------------- */

/* Uses nothing that depends on the GS base: it may be a guest's at such an instruction. */
static bool fixup_apply(struct registers *r)
{
	for (const struct fixup *f = fixup_table_start; f < fixup_table_end; f++) {
		if ((uint64_t)&f->fault + (uint64_t)(int64_t)f->fault == r->rip) {
			r->rip = (uint64_t)&f->resume + (uint64_t)(int64_t)f->resume;
			return true;
		}
	}
	return false;
}

void traps_hypervisor(struct registers *registers)
{
	if (registers->vector >= VECTOR_INTERRUPTS)
		apic_interrupt((uint8_t)registers->vector);
	else if (!fixup_apply(registers))
		panic_with_registers(registers, "exception %lu in the hypervisor",
				     registers->vector);
}

void traps_nmi(struct registers *registers)
{
	struct vcpu *v = vcpu_current();

	if (v)
		v->counters.entries[RF_ENTRY_NMI]++;
	apic_nmi(registers);
	/* See interrupt(). Nothing is given to a guest from here, but there it faults as well. */
	if (!address_is_canonical(registers->rip))
		registers->rip = USER_MAP_END;
}

/* The guest does not learn of it: its instruction was the one that entered the hypervisor. */
void traps_debug(struct registers *registers)
{
	debug_take_cause(0);
	registers->rflags &= ~(uint64_t)FLAGS_TRAP;
	registers->rflags |= FLAGS_RESUME;
}

void traps_fatal(const struct registers *registers)
{
	panic_with_registers(registers, "%s",
			     registers->vector == VECTOR_DOUBLE_FAULT ? "double fault"
								      : "machine check");
}

/* --- The way out, in debug builds --------------------------------------------------------------- */

void traps_bad_return(const struct registers *registers)
{
	panic_with_registers(registers, "about to enter a guest in a bad state");
}

void traps_check_return(void)
{
	struct vcpu *v = vcpu_current();
	const struct registers *r = &v->arch.registers;

	if ((r->rflags & FLAGS_CRITICAL) != FLAGS_INTERRUPT || !address_is_canonical(r->rip) ||
	    (r->cs != RF_USER_CS && r->cs != RF_USER32_CS) || (r->ss & 3) != 3 ||
	    cr3_read() != vcpu_cr3(v) || !this_cpu()->in_guest ||
	    this_cpu()->arch.tss->rsp[0] != (uint64_t)(r + 1))
		traps_bad_return(r);
}
