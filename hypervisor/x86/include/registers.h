/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers of whoever was interrupted, in the order entry.S saves them. The CPU itself
 * pushes the last five (and the error code, where there is one). For a guest this is the first
 * thing in its struct vcpu: TSS.RSP0 points at its end, so that the CPU saves a guest's state
 * where it belongs and switching vCPUs copies nothing.
 */
#ifndef X86_REGISTERS_H
#define X86_REGISTERS_H

#include <stdint.h>

struct registers {
	uint64_t r15;
	uint64_t r14;
	uint64_t r13;
	uint64_t r12;
	uint64_t rbp;
	uint64_t rbx;
	uint64_t r11;
	uint64_t r10;
	uint64_t r9;
	uint64_t r8;
	uint64_t rax;
	uint64_t rcx;
	uint64_t rdx;
	uint64_t rsi;
	uint64_t rdi;
	uint64_t vector;
	uint64_t error;
	uint64_t rip;
	uint64_t cs;
	uint64_t rflags;
	uint64_t rsp;
	uint64_t ss;
};

_Static_assert(sizeof(struct registers) % 16 == 0,
	       "the CPU aligns the stack to 16 before it pushes");

#endif
