// SPDX-License-Identifier: BSD-2-Clause
/*
 * Compares all processors: one that differs in a control register, an MSR or the IDT, or lacks
 * an interrupt stack, would be a hole that only shows on that processor.
 *
 * Interface: cpu_record() and cpu_check() of cpu_setup.h. Locks: none. Each processor writes
 * its own record before it counts as started; the boot processor reads them after that.
 */
#include "cpu.h"

#include "control_registers.h"
#include "cpu_setup.h"
#include "image.h"
#include "instructions.h"
#include "layout.h"
#include "log.h"
#include "msr.h"
#include "paging.h"
#include "panic.h"
#include "processor.h"

#define RECORDED 18

/* Everything that must be the same, by name. */
static const char *const names[RECORDED] = {
	"CR0",		"CR3",	    "CR4",	 "EFER",      "STAR",	     "LSTAR",
	"CSTAR",	"MASK",	    "PAT",	 "XCR0",      "SYSENTER_CS", "SYSENTER_ESP",
	"SYSENTER_EIP", "IDT base", "IDT limit", "GDT limit", "TR",	     "LDTR",
};

struct record {
	uint64_t values[RECORDED];
	uint64_t gdt_base;
	uint64_t gs_base;
};

static struct record records[CONFIG_MAX_CPUS];

struct descriptor_table {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

void cpu_record(void)
{
	struct record *r = &records[this_cpu()->id];
	struct descriptor_table idt, gdt;
	uint64_t tr = 0, ldtr = 0;

	asm volatile("sidt %0" : "=m"(idt));
	asm volatile("sgdt %0" : "=m"(gdt));
	asm volatile("str %0" : "=r"(tr));
	asm volatile("sldt %0" : "=r"(ldtr));
	*r = (struct record){
		.values = { cr0_read(), cr3_read(), cr4_read(), msr_read(MSR_EFER),
			    msr_read(MSR_STAR), msr_read(MSR_LSTAR), msr_read(MSR_CSTAR),
			    msr_read(MSR_SYSCALL_MASK), msr_read(MSR_PAT), xcr0_read(),
			    msr_read(MSR_SYSENTER_CS), msr_read(MSR_SYSENTER_ESP),
			    msr_read(MSR_SYSENTER_EIP), idt.base, idt.limit, gdt.limit, tr, ldtr },
		.gdt_base = gdt.base,
		.gs_base = msr_read(MSR_GS_BASE),
	};
}

static void check_record(const struct cpu *cpu)
{
	const struct record *first = &records[0], *r = &records[cpu->id];

	for (unsigned i = 0; i < RECORDED; i++)
		if (r->values[i] != first->values[i])
			panic("cpu: processor %u has %s %#lx, the first has %#lx", cpu->id,
			      names[i], r->values[i], first->values[i]);
	if (r->gdt_base != (uint64_t)cpu->arch.gdt || r->gs_base != (uint64_t)cpu)
		panic("cpu: processor %u uses the structures of another", cpu->id);
}

/* The task state as the descriptor says where it is, not as we remember it. */
static const struct tss *tss_of(const struct cpu *cpu)
{
	uint64_t low = cpu->arch.gdt[SELECTOR_TSS / 8], high = cpu->arch.gdt[SELECTOR_TSS / 8 + 1];

	return (const struct tss *)((low >> 16 & 0xffffff) | (low >> 56 & 0xff) << 24 | high << 32);
}

static void check_tss(const struct cpu *cpu)
{
	const struct tss *tss = tss_of(cpu);

	for (uint32_t i = 1; i <= IST_COUNT; i++) {
		uint64_t top = paging_stack_top(cpu->id, i);

		if (tss->ist[i - 1] % 16 != 0 || tss->ist[i - 1] >= top ||
		    tss->ist[i - 1] < top - PAGING_IST_STACK_SIZE / 2)
			panic("cpu: processor %u has its interrupt stack %u at %#lx", cpu->id, i,
			      tss->ist[i - 1]);
		if (*(struct cpu **)tss->ist[i - 1] != cpu)
			panic("cpu: interrupt stack %u of processor %u does not name it", i,
			      cpu->id);
	}
}

static uint64_t gate_target(const struct idt_gate *gate)
{
	return gate->offset_low | (uint64_t)gate->offset_middle << 16 |
	       (uint64_t)gate->offset_high << 32;
}

/*
 * Vectors that may come at any instruction need a stack of their own; users may raise 3 and 4
 * only.
 */
static void check_gate(unsigned vector, const struct idt_gate *gate)
{
	bool needs_stack = vector == 1 || vector == 2 || vector == 8 || vector == 18;
	unsigned dpl = gate->type >> 5 & 3;

	if (!(gate->type & 0x80) || (gate->type & 0x1f) != 0x0e ||
	    gate->selector != SELECTOR_KERNEL_CODE)
		panic("cpu: vector %u has no interrupt gate", vector);
	if (gate_target(gate) < (uint64_t)image_start ||
	    gate_target(gate) >= (uint64_t)image_text_end)
		panic("cpu: vector %u leads to %#lx", vector, gate_target(gate));
	if ((gate->ist != 0) != needs_stack || gate->ist > IST_COUNT)
		panic("cpu: vector %u uses interrupt stack %u", vector, gate->ist);
	if (dpl != (vector == 3 || vector == 4 ? 3 : 0))
		panic("cpu: vector %u has DPL %u", vector, dpl);
}

void cpu_check(void)
{
	for (unsigned i = 0; i < IDT_ENTRIES; i++)
		check_gate(i, &cpu_idt[i]);
	for (uint32_t i = 0; i < cpu_count; i++) {
		check_record(&cpus[i]);
		check_tss(&cpus[i]);
	}
	log_info(
		"cpu: self-check passed: %u processors with equal registers and IDT, %u interrupt stacks each",
		cpu_count, IST_COUNT);
}
