// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where assembly finds fields, and values of enums it needs. Compiled to assembly text only; the
 * Makefile makes asm_offsets.h of the marked lines. Interface: the names below. No locks.
 */
#include <stddef.h>

#include "abi/counters.h"
#include "abi/vcpu.h"
#include "cpu.h"
#include "vcpu.h"

#define EMIT(name, value)     asm volatile(".ascii \"->" #name " %0\"" : : "i"(value))
#define REGISTER(name, field) EMIT(name, offsetof(struct vcpu, arch.registers.field))

static void emit_registers(void)
{
	REGISTER(VCPU_R15, r15);
	REGISTER(VCPU_R14, r14);
	REGISTER(VCPU_R13, r13);
	REGISTER(VCPU_R12, r12);
	REGISTER(VCPU_RBP, rbp);
	REGISTER(VCPU_RBX, rbx);
	REGISTER(VCPU_R11, r11);
	REGISTER(VCPU_R10, r10);
	REGISTER(VCPU_R9, r9);
	REGISTER(VCPU_R8, r8);
	REGISTER(VCPU_RAX, rax);
	REGISTER(VCPU_RCX, rcx);
	REGISTER(VCPU_RDX, rdx);
	REGISTER(VCPU_RSI, rsi);
	REGISTER(VCPU_RDI, rdi);
	REGISTER(VCPU_VECTOR, vector);
	REGISTER(VCPU_ERROR, error);
	REGISTER(VCPU_RIP, rip);
	REGISTER(VCPU_CS, cs);
	REGISTER(VCPU_RFLAGS, rflags);
	REGISTER(VCPU_RSP, rsp);
	REGISTER(VCPU_SS, ss);
	EMIT(REGISTERS_CS, offsetof(struct registers, cs));
	EMIT(REGISTERS_VECTOR, offsetof(struct registers, vector));
	EMIT(REGISTERS_SIZE, sizeof(struct registers));
}

static void emit_vcpu(void)
{
	EMIT(VCPU_USER_CR3, offsetof(struct vcpu, arch.user_cr3));
	EMIT(VCPU_KERNEL_CR3, offsetof(struct vcpu, arch.kernel_cr3));
	EMIT(VCPU_SYSCALL_ENTRY, offsetof(struct vcpu, arch.syscall_entry));
	EMIT(VCPU_RETURN_SYSRET, offsetof(struct vcpu, arch.return_sysret));
	EMIT(VCPU_RETURN_IRET, offsetof(struct vcpu, arch.return_iret));
	EMIT(VCPU_KERNEL_GS, offsetof(struct vcpu, arch.kernel_gs));
	EMIT(VCPU_SCRATCH, offsetof(struct vcpu, arch.scratch));
	EMIT(VCPU_USER_MODE, offsetof(struct vcpu, arch.user_mode));
	EMIT(VCPU_KERNEL_IO_MAP, offsetof(struct vcpu, arch.kernel_io_map));
	EMIT(VCPU_USER_IO_MAP, offsetof(struct vcpu, arch.user_io_map));
	EMIT(VCPU_WORK, offsetof(struct vcpu, work));
	EMIT(VCPU_PAGE, offsetof(struct vcpu, page));
	EMIT(VCPU_ENTRY_SYSCALL, offsetof(struct vcpu, counters.entries[RF_ENTRY_SYSCALL]));
	EMIT(VCPU_ENTRY_HYPERCALL, offsetof(struct vcpu, counters.entries[RF_ENTRY_HYPERCALL]));
	EMIT(VCPU_ENTRY_SYSRET, offsetof(struct vcpu, counters.entries[RF_ENTRY_RETURN_SYSRET]));
	EMIT(VCPU_ENTRY_IRET, offsetof(struct vcpu, counters.entries[RF_ENTRY_RETURN_IRET]));
	EMIT(WORK_IN_KERNEL, VCPU_WORK_EVENT | VCPU_WORK_SCHEDULE);
}

static void emit_page(void)
{
	EMIT(RF_USER32_CS, RF_USER32_CS);
	EMIT(RF_USER_CS, RF_USER_CS);
	EMIT(RF_USER_SS, RF_USER_SS);
	EMIT(RF_KERNEL_CS, RF_KERNEL_CS);
	EMIT(RF_KERNEL_SS, RF_KERNEL_SS);
	EMIT(RF_INTERRUPT_FLAG, RF_INTERRUPT_FLAG);
	EMIT(PAGE_INTERRUPT_FLAG, offsetof(struct rf_vcpu_page, interrupt_flag));
	EMIT(PAGE_KERNEL_SP, offsetof(struct rf_vcpu_page, kernel_sp));
	EMIT(PAGE_PREFILL, offsetof(struct rf_vcpu_page, prefill));
	EMIT(PAGE_USER_RIP, offsetof(struct rf_vcpu_page, user.rip));
	EMIT(PAGE_USER_CS, offsetof(struct rf_vcpu_page, user.cs));
	EMIT(PAGE_USER_RFLAGS, offsetof(struct rf_vcpu_page, user.rflags));
	EMIT(PAGE_USER_RSP, offsetof(struct rf_vcpu_page, user.rsp));
	EMIT(PAGE_USER_SS, offsetof(struct rf_vcpu_page, user.ss));
	EMIT(PAGE_USER_RCX, offsetof(struct rf_vcpu_page, user.rcx));
	EMIT(PAGE_USER_R11, offsetof(struct rf_vcpu_page, user.r11));
	EMIT(PAGE_USER_GS, offsetof(struct rf_vcpu_page, user.gs_base));
}

static void emit_cpu(void)
{
	EMIT(CPU_CURRENT, offsetof(struct cpu, current));
	EMIT(CPU_STACK_TOP, offsetof(struct cpu, arch.stack_top));
	EMIT(CPU_SCRATCH, offsetof(struct cpu, arch.scratch));
	EMIT(CPU_TSS, offsetof(struct cpu, arch.tss));
	EMIT(CPU_IN_GUEST, offsetof(struct cpu, in_guest));
	EMIT(CPU_FLUSH_REQUEST, offsetof(struct cpu, flush_request));
	EMIT(CPU_EXITS, offsetof(struct cpu, exits));
	EMIT(CPU_NEED_SCHEDULE, offsetof(struct cpu, need_schedule));
	EMIT(TSS_IO_MAP_BASE, offsetof(struct tss, io_map_base));
}

/* So that the compiler keeps them. */
extern void (*const asm_offsets[])(void);
void (*const asm_offsets[])(void) = { emit_registers, emit_vcpu, emit_page, emit_cpu };

_Static_assert(offsetof(struct vcpu, arch.registers) == 0, "RSP0 less a frame is the vCPU");
_Static_assert(sizeof(((struct vcpu *)0)->work) == 4, "compared as a long word");
_Static_assert(sizeof(((struct cpu *)0)->in_guest) == 4, "stored as a long word");
_Static_assert(sizeof(((struct cpu *)0)->flush_request) == 4, "compared as a long word");
_Static_assert(sizeof(((struct cpu *)0)->exits) == 8, "counted as a quad word");
