/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ways in and out of the guest kernel: a stub for each of the 256 vectors, the entry of a user's
 * syscall, the two return sites, user_enter() and try_begin(). Every way in makes the same struct
 * trap_frame on the stack.
 */
#include "layout.h"

#define TO_PAGE(field)	mov FRAME_##field(%rsp), %rax; mov %rax, PAGE_USER_##field(%rdi)

	.macro	save_registers
	push	%rdi
	push	%rsi
	push	%rdx
	push	%rcx
	push	%rax
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	.endm

/* Everything of the frame at RSP goes where a return site takes it from. */
	.macro	leave_by_frame
	mov	%gs:VCPU_PAGE, %rdi
	movl	$0, PAGE_INTERRUPT_FLAG(%rdi)
	TO_PAGE(RIP)
	TO_PAGE(CS)
	TO_PAGE(RFLAGS)
	TO_PAGE(RSP)
	TO_PAGE(SS)
	TO_PAGE(RCX)
	TO_PAGE(R11)
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rax
	pop	%rcx
	pop	%rdx
	pop	%rsi
	pop	%rdi
	.endm

	.text

/*
 * trap_stubs: 16 bytes for each vector. A vector for which the CPU makes no error code gets a zero
 * one, so that the frame is always the same. soft_stubs: the same, for `int n`, which never makes
 * an error code.
 */
	.macro	stubs name, soft
	.balign	16
	.globl	\name
\name:
	.set	vector, 0
	.rept	256
	.balign	16
	.set	error, (vector == 8) || (vector >= 10 && vector <= 14)
	.set	error, error || (vector == 17) || (vector == 21)
	.if	\soft || !error
	push	$0
	.endif
	push	$vector
	jmp	trap_entry
	.set	vector, vector + 1
	.endr
	.balign	16
	.endm

	stubs	trap_stubs, 0
	stubs	soft_stubs, 1

trap_entry:
	save_registers
	cld
	mov	%rsp, %rdi
	mov	%rsp, %rbx
	and	$-16, %rsp
	call	trap_dispatch
	mov	%rbx, %rsp

/* Return from the frame at RSP through the iret site. */
	.globl	trap_return
trap_return:
	leave_by_frame
	.globl	iret_site
iret_site:
	syscall
	ud2

/* The same through the sysret site. */
trap_sysret:
	leave_by_frame
	.globl	sysret_site
sysret_site:
	syscall
	ud2

/* A user's syscall: what the vCPU page does not hold is as the user left it, on kernel_sp. */
	.globl	syscall_entry
syscall_entry:
	push	$0			/* SS, RSP, RFLAGS, CS, RIP: filled in below */
	push	$0
	push	$0
	push	$0
	push	$0
	push	$0
	push	$VECTOR_SYSCALL
	save_registers
	cld
	mov	%gs:VCPU_PAGE, %rdi
	mov	PAGE_USER_RIP(%rdi), %rax
	mov	%rax, FRAME_RIP(%rsp)
	mov	%rax, FRAME_RCX(%rsp)
	mov	PAGE_USER_RFLAGS(%rdi), %rax
	mov	%rax, FRAME_RFLAGS(%rsp)
	mov	%rax, FRAME_R11(%rsp)
	mov	PAGE_USER_RSP(%rdi), %rax
	mov	%rax, FRAME_RSP(%rsp)
	movq	$0x33, FRAME_CS(%rsp)
	movq	$0x2b, FRAME_SS(%rsp)
	mov	%rsp, %rdi
	mov	%rsp, %rbx
	and	$-16, %rsp
	call	trap_dispatch
	mov	%rbx, %rsp
	jmp	trap_return

/*
 * void user_enter(struct user *user, bool by_sysret): returns when user_leave() is called.
 * kernel_sp becomes what is free of this stack, unless the caller chose another.
 */
	.globl	user_enter
user_enter:
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, %gs:VCPU_RESUME_SP
	mov	%gs:VCPU_PAGE, %rax
	mov	USER_KERNEL_SP(%rdi), %rcx
	test	%rcx, %rcx
	jnz	1f
	mov	%rsp, %rcx
	and	$-16, %rcx
1:	mov	%rcx, PAGE_KERNEL_SP(%rax)
	mov	USER_GS_BASE(%rdi), %rcx
	mov	%rcx, PAGE_USER_GS(%rax)
	mov	%esi, %edx
	mov	%rdi, %rsi
	sub	$FRAME_SIZE, %rsp		/* from here on RSP must be a stack */
	mov	%rsp, %rdi
	mov	$(FRAME_SIZE / 8), %ecx
	rep movsq
	test	%dl, %dl
	jz	trap_return
	jmp	trap_sysret

/* _Noreturn void user_leave(void): continue after user_enter(). */
	.globl	user_leave
user_leave:
	mov	%gs:VCPU_RESUME_SP, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	ret

/* int try_save(uint64_t registers[8]): like setjmp(). */
	.globl	try_save
try_save:
	mov	%rbx, (%rdi)
	mov	%rbp, 8(%rdi)
	mov	%r12, 16(%rdi)
	mov	%r13, 24(%rdi)
	mov	%r14, 32(%rdi)
	mov	%r15, 40(%rdi)
	lea	8(%rsp), %rax
	mov	%rax, 48(%rdi)
	mov	(%rsp), %rax
	mov	%rax, 56(%rdi)
	xor	%eax, %eax
	ret

/* _Noreturn void try_restore(const uint64_t registers[8]): like longjmp(..., 1). */
	.globl	try_restore
try_restore:
	mov	(%rdi), %rbx
	mov	8(%rdi), %rbp
	mov	16(%rdi), %r12
	mov	24(%rdi), %r13
	mov	32(%rdi), %r14
	mov	40(%rdi), %r15
	mov	48(%rdi), %rsp
	cld
	mov	$1, %eax
	jmp	*56(%rdi)

/* Where vCPUs other than the first begin: RDI is their struct vcpu. */
	.globl	vcpu_entry
vcpu_entry:
	xor	%ebp, %ebp
	call	vcpu_main
	ud2

	.section .note.GNU-stack, "", @progbits
