/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a CPU must have, and how each is set up (cpu_features.c, cpu.c, cpu_check.c).
 */
#ifndef X86_CPU_SETUP_H
#define X86_CPU_SETUP_H

#include <stdbool.h>
#include <stdint.h>

struct cpu;

/*
 * What is there beyond the floor. The same on all CPUs, or they are not used; read-only after
 * cpu_features_init().
 */
struct cpu_features {
	bool smep, smap, umip, pcid, invpcid;
	bool x2apic, tsc_deadline, invariant_tsc, machine_check;
	bool large_1g;
	bool intel;
	uint8_t physical_bits;
	uint64_t xcr0; /* the state components that XCR0 enables on every CPU */
};

extern struct cpu_features cpu_features;

/*
 * First of all: ends in boot_refuse() if the processor is below the floor, says what
 * protections it lacks.
 */
void cpu_features_init(void);
/* What this CPU has, for a comparison. */
void cpu_features_read(struct cpu_features *features);

/* A 16-byte gate. */
struct idt_gate {
	uint16_t offset_low;
	uint16_t selector;
	uint8_t ist;
	uint8_t type;
	uint16_t offset_middle;
	uint32_t offset_high;
	uint32_t reserved;
};

#define IDT_ENTRIES 256

/* One for all CPUs, a page of its own, read-only once paging_init() is done. */
extern struct idt_gate cpu_idt[IDT_ENTRIES];

/* Fills in cpu_idt from entry_vectors (entry.S). Before paging_init(). */
void cpu_build_idt(void);
/*
 * Takes the memory of one CPU: descriptor table, task state, stacks. Before early_alloc() ends.
 * The address of its struct cpu is stored where the pointer of each interrupt stack points (the
 * CPU pushes below it).
 */
void cpu_prepare(struct cpu *cpu, uint32_t id);
/* On that CPU: control registers, tables, MSRs. From here on this_cpu() works. */
void cpu_setup(struct cpu *cpu);
/* On that CPU: notes what is in its registers, for cpu_check(). */
void cpu_record(void);
/*
 * Panics if CPUs differ in what must be equal, or lack an interrupt stack; one line if all is
 * well.
 */
void cpu_check(void);
/* Leaves this stack for the CPU's own, between guard pages. */
_Noreturn void cpu_run_on_own_stack(void (*function)(void));

#endif
