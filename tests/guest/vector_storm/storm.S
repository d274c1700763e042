/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * void storm_loop(const volatile uint32_t *stop, uint32_t *interrupt_flag): waits on a stack of its
 * own, with interrupts on, until *stop. The handler of the vector throws away what was pushed, and
 * notes how low the stack came.
 */
	.text
	.globl	storm_loop
storm_loop:
	push	%r12
	push	%rbx
	mov	%rsp, %r12
	mov	stack_top, %rsp
	movl	$0x200, (%rsi)
1:	mov	stack_top, %rsp
2:	pause
	cmpl	$0, (%rdi)
	je	2b
	movl	$0, (%rsi)
	mov	%r12, %rsp
	pop	%rbx
	pop	%r12
	ret

	.globl	storm_handler
storm_handler:
	cmp	%rsp, lowest
	jbe	3f
	mov	%rsp, lowest
3:	incq	handled
	jmp	1b

	.section .note.GNU-stack, "", @progbits
