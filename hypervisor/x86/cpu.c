// SPDX-License-Identifier: BSD-2-Clause
/*
 * Sets up each processor: control registers, descriptor tables, system-call and other MSRs.
 *
 * Interface: cpu_setup.h. Locks: none, each processor sets up itself.
 * Every value comes from constants and from cpu_features, which are the same everywhere;
 * nothing is kept of what firmware or loader left in these registers. cpu_check.c compares the
 * results. Odd: 32-bit user code has a descriptor, but no way in by SYSENTER (its CS is zero) or
 * SYSCALL (an undefined instruction, entry_syscall32).
 * The IDT's gates but 3 and 4 have DPL 0: an `int n` is a #GP.
 */
#include "cpu.h"

#include "control_registers.h"
#include "cpu_setup.h"
#include "early_alloc.h"
#include "entry.h"
#include "instructions.h"
#include "layout.h"
#include "msr.h"
#include "paging.h"
#include "ports.h"
#include "processor.h"

#define GATE_INTERRUPT	  0x8e
#define GATE_DPL3	  0x60

#define DESCRIPTOR_CODE	  0x00af9b000000ffffULL
#define DESCRIPTOR_CODE32 0x00cf9b000000ffffULL
#define DESCRIPTOR_DATA	  0x00cf93000000ffffULL
#define DESCRIPTOR_DPL3	  0x0000600000000000ULL
#define DESCRIPTOR_TSS	  0x0000890000000000ULL
#define DESCRIPTOR_BUSY	  0x0000020000000000ULL

/* As Linux lays it out: WB WC UC- UC, WB WP UC- WT. */
#define PAT_VALUE	  0x0407050600070106ULL
#define DR6_INITIAL	  0xffff0ff0ULL
#define DR7_INITIAL	  0x400ULL

struct cpu cpus[CONFIG_MAX_CPUS];
uint32_t cpu_count;

struct idt_gate cpu_idt[IDT_ENTRIES] __attribute__((aligned(4096)));

struct descriptor_table {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

/* --- Tables --- */

static uint8_t ist_of(unsigned vector)
{
	switch (vector) {
	case 1:
		return IST_DEBUG;
	case 2:
		return IST_NMI;
	case 8:
		return IST_DOUBLE_FAULT;
	case 18:
		return IST_MACHINE_CHECK;
	default:
		return 0;
	}
}

void cpu_build_idt(void)
{
	for (unsigned i = 0; i < IDT_ENTRIES; i++) {
		uint64_t entry = entry_vectors[i];

		cpu_idt[i] = (struct idt_gate){
			.offset_low = (uint16_t)entry,
			.selector = SELECTOR_KERNEL_CODE,
			.ist = ist_of(i),
			.type = GATE_INTERRUPT | (i == 3 || i == 4 ? GATE_DPL3 : 0),
			.offset_middle = (uint16_t)(entry >> 16),
			.offset_high = (uint32_t)(entry >> 32),
		};
	}
}

static void fill_gdt(uint64_t *gdt, const struct tss *tss)
{
	uint64_t base = (uint64_t)tss;

	gdt[SELECTOR_KERNEL_CODE / 8] = DESCRIPTOR_CODE;
	gdt[SELECTOR_KERNEL_DATA / 8] = DESCRIPTOR_DATA;
	gdt[SELECTOR_USER_CODE32 / 8] = DESCRIPTOR_CODE32 | DESCRIPTOR_DPL3;
	gdt[SELECTOR_USER_DATA / 8] = DESCRIPTOR_DATA | DESCRIPTOR_DPL3;
	gdt[SELECTOR_USER_CODE / 8] = DESCRIPTOR_CODE | DESCRIPTOR_DPL3;
	gdt[SELECTOR_TSS / 8] = DESCRIPTOR_TSS | (sizeof(*tss) - 1) | (base & 0xffffff) << 16 |
				(base >> 24 & 0xff) << 56;
	gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
}

void cpu_prepare(struct cpu *cpu, uint32_t id)
{
	_Static_assert(sizeof(struct tss) <= 0x10000,
		       "the limit of the task state is 16 bits wide here");
	struct arch_cpu *arch = &cpu->arch;

	cpu->self = cpu;
	cpu->id = id;
	arch->tss = early_alloc_pointer(sizeof(*arch->tss));
	arch->gdt = early_alloc_pointer(GDT_ENTRIES * sizeof(*arch->gdt));
	paging_map_stacks(id);
	arch->stack_top = paging_stack_top(id, 0);
	for (uint32_t i = 1; i <= IST_COUNT; i++) {
		arch->ist_top[i] = paging_stack_top(id, i) - 16;
		*(struct cpu **)arch->ist_top[i] = cpu;
		arch->tss->ist[i - 1] = arch->ist_top[i];
	}
	ports_init_tss(arch->tss);
	fill_gdt(arch->gdt, arch->tss);
}

/* --- Registers --- */

static uint64_t cr4_value(void)
{
	uint64_t value = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_FSGSBASE | CR4_OSXSAVE;

	if (cpu_features.machine_check)
		value |= CR4_MCE;
	if (cpu_features.smep)
		value |= CR4_SMEP;
	if (cpu_features.smap)
		value |= CR4_SMAP;
	if (cpu_features.umip)
		value |= CR4_UMIP;
	return value;
}

static void load_tables(struct arch_cpu *arch)
{
	struct descriptor_table gdt = { GDT_ENTRIES * sizeof(*arch->gdt) - 1, (uint64_t)arch->gdt };
	struct descriptor_table idt = { sizeof(cpu_idt) - 1, (uint64_t)cpu_idt };

	arch->gdt[SELECTOR_TSS / 8] &= ~DESCRIPTOR_BUSY;
	asm volatile("lgdt %0" : : "m"(gdt));
	asm volatile("pushq %0\n\t"
		     "leaq 1f(%%rip), %%rax\n\t"
		     "pushq %%rax\n\t"
		     "lretq\n"
		     "1:"
		     :
		     : "i"(SELECTOR_KERNEL_CODE)
		     : "rax", "memory");
	asm volatile("movl %0, %%ss" : : "r"(SELECTOR_KERNEL_DATA));
	asm volatile("movl %0, %%ds; movl %0, %%es; movl %0, %%fs; movl %0, %%gs; lldt %w0"
		     :
		     : "r"(0));
	asm volatile("ltr %w0" : : "r"(SELECTOR_TSS));
	asm volatile("lidt %0" : : "m"(idt));
}

static void load_msrs(struct cpu *cpu)
{
	msr_write(MSR_GS_BASE, (uint64_t)cpu);
	msr_write(MSR_KERNEL_GS_BASE, (uint64_t)cpu);
	msr_write(MSR_FS_BASE, 0);
	msr_write(MSR_EFER, EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE);
	/* SYSRET adds 16 and 8 to its half. */
	msr_write(MSR_STAR,
		  (uint64_t)(SELECTOR_USER_CODE - 16) << 48 | (uint64_t)SELECTOR_KERNEL_CODE << 32);
	msr_write(MSR_LSTAR, (uint64_t)entry_syscall);
	msr_write(MSR_CSTAR, (uint64_t)entry_syscall32);
	msr_write(MSR_SYSCALL_MASK, ENTRY_SYSCALL_MASK);
	msr_write(MSR_SYSENTER_CS, 0);
	msr_write(MSR_SYSENTER_ESP, 0);
	msr_write(MSR_SYSENTER_EIP, 0);
}

/* What was cached under other memory types must not be used under the new ones. */
static void load_pat(void)
{
	asm volatile("wbinvd" : : : "memory");
	msr_write(MSR_PAT, PAT_VALUE);
	asm volatile("wbinvd" : : : "memory");
	cr3_write(cr3_read());
}

static void clear_debug_registers(void)
{
	asm volatile("mov %0, %%dr7" : : "r"(DR7_INITIAL));
	asm volatile("mov %0, %%dr6" : : "r"(DR6_INITIAL));
	asm volatile("mov %0, %%dr0; mov %0, %%dr1; mov %0, %%dr2; mov %0, %%dr3" : : "r"(0ULL));
}

void cpu_setup(struct cpu *cpu)
{
	cr0_write(CR0_PG | CR0_AM | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE);
	load_tables(&cpu->arch);
	load_msrs(cpu);
	cr4_write(cr4_value());
	xcr0_write(cpu_features.xcr0);
	load_pat();
	clear_debug_registers();
	cpu->arch.loaded_cr3 = cr3_read();
}

void cpu_run_on_own_stack(void (*function)(void))
{
	asm volatile("movq %0, %%rsp\n\t"
		     "xorl %%ebp, %%ebp\n\t"
		     "call *%1\n\t"
		     "ud2"
		     :
		     : "r"(this_cpu()->arch.stack_top), "r"(function)
		     : "memory");
	__builtin_unreachable();
}
