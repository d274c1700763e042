/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a further processor begins: in real mode, at the start of a page below 1 MiB to which
 * smp.c copies smp_trampoline and where it fills in the words at its end. It ends in
 * smp_cpu_start(cpu), on the processor's own stack and the final page tables.
 *
 * Odd: it goes from real to long mode in one step, paging and protection together. What it runs in
 * that page is mapped by the early tables only, which smp.c wipes when all processors have come by.
 */
#include "layout.h"
#include "processor.h"

#define CR0_START (CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE)

	.section .rodata, "a", @progbits
	.balign 16
	.code16
	.globl smp_trampoline, smp_trampoline_words, smp_trampoline_long, smp_trampoline_end
	.globl smp_trampoline_gdt
smp_trampoline:
	cli
	cld
	movw	%cs, %ax
	movw	%ax, %ds
	movl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	smp_trampoline_words - smp_trampoline, %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$(EFER_LME | EFER_NXE), %eax
	wrmsr
	lgdtl	smp_gdt_pointer - smp_trampoline
	movl	$CR0_START, %eax
	movl	%eax, %cr0
	ljmpl	*(smp_long_pointer - smp_trampoline)

	.code64
smp_trampoline_long:
	movabsq	$smp_high_half, %rax
	jmp	*%rax

	.balign 8
smp_trampoline_gdt:
	.quad 0
	.quad 0
	.quad 0x00af9b000000ffff		/* 0x10: 64-bit kernel code */
	.quad 0x00cf93000000ffff		/* 0x18: kernel data */
smp_trampoline_words:				/* struct smp_words in smp.c */
	.long 0					/* CR3 of the early tables */
smp_gdt_pointer:
	.word smp_trampoline_words - smp_trampoline_gdt - 1
	.long 0					/* physical address of smp_trampoline_gdt */
smp_long_pointer:
	.long 0					/* physical address of smp_trampoline_long */
	.word SELECTOR_KERNEL_CODE
smp_trampoline_end:

	.text
	.code64
smp_high_half:
	movl	$SELECTOR_KERNEL_DATA, %eax
	movl	%eax, %ss
	/* Whoever comes too late finds nothing here, and waits for the next INIT. */
	xorl	%edi, %edi
	xchgq	%rdi, smp_starting(%rip)
	testq	%rdi, %rdi
	jz	1f
	movq	smp_master_cr3(%rip), %rax
	movq	%rax, %cr3
	movq	smp_stack(%rip), %rsp
	xorl	%ebp, %ebp
	call	smp_cpu_start
	ud2
1:	cli
	hlt
	jmp	1b

	.section .note.GNU-stack, "", @progbits
