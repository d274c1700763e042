/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The measured code. With QEMU's `-icount shift=0` one instruction is one nanosecond and one tick of
 * the TSC, so the difference of two RDTSC is the number of instructions between them: the first
 * RDTSC and what follows it up to, but not including, the second. main.c takes off those that are
 * not the hypervisor's.
 *
 * R12, R13: TSC before; R14: cost of the way back; R15: cost of the way in.
 */
#include "tests/guest/lib/layout.h"

	.text

/* The guest kernel's system-call entry: measures the way in, and goes back at once. */
	.globl	bench_syscall_entry
bench_syscall_entry:
	rdtsc
	sub	%r12d, %eax
	mov	%eax, %r15d
	rdtsc
	mov	%eax, %r13d
	.globl	bench_sysret_site
bench_sysret_site:
	syscall
	ud2

/* The page-fault handler: measures the way in, then goes on as the library's. */
	.globl	bench_fault_entry
bench_fault_entry:
	rdtsc
	sub	%r12d, %eax
	mov	%eax, %r15d
	jmp	*bench_fault_next(%rip)

/* uint32_t bench_hypercall(uint64_t number, uint64_t a, uint64_t b) */
	.globl	bench_hypercall
bench_hypercall:
	push	%rbx
	push	%rbp
	mov	%rdi, %rbp
	mov	%rsi, %rdi
	mov	%rdx, %rsi
	rdtsc
	mov	%eax, %ebx
	mov	%rbp, %rax
	syscall
	rdtsc
	sub	%ebx, %eax
	pop	%rbp
	pop	%rbx
	ret

/* User mode; the same page is mapped for both. */
	.section .user, "ax"

	.globl	bench_user_syscalls
bench_user_syscalls:
	mov	$64, %ebp
1:	rdtsc
	mov	%eax, %r12d
	syscall
	rdtsc
	sub	%r13d, %eax
	mov	%eax, %r14d
	dec	%ebp
	jnz	1b
	ud2

/* RDI: the address; without a fault the cost is in R14. */
	.globl	bench_user_load
bench_user_load:
	rdtsc
	mov	%eax, %r12d
	mov	(%rdi), %r13
	rdtsc
	sub	%r12d, %eax
	mov	%eax, %r14d
	ud2

	.section .note.GNU-stack, "", @progbits
