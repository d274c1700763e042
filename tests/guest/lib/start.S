/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first instructions of a test guest, the note by which the hypervisor finds them, and the
 * page tables they run on: the image at -2 GiB and a direct map, both of 2 MiB pages, every entry
 * with A and D set already.
 */
#include "layout.h"

#define P	0x1
#define W	0x2
#define A	0x20
#define D	0x40
#define PS	0x80
#define NX	(1 << 63)

#define TABLE	(P | W | A)
#define LEAF	(P | A | D | PS)

	.section .note.Ringfence, "a", @note
	.balign	4
	.long	2f - 1f
	.long	4f - 3f
	.long	1
1:	.asciz	"Ringfence"
2:	.balign	4
3:	.long	1		/* RF_ABI_VERSION: checked in main.c */
	.long	0
	.quad	guest_entry
	.quad	boot_root - IMAGE_BASE
4:

	.section .data.tables, "aw"
	.balign	4096
	.globl	boot_root
boot_root:
	.fill	273, 8, 0
	.quad	direct_l3 - IMAGE_BASE + TABLE
	.fill	511 - 274, 8, 0
	.quad	image_l3 - IMAGE_BASE + TABLE

image_l3:
	.fill	510, 8, 0
	.quad	image_l2 - IMAGE_BASE + TABLE
	.quad	0

/*
 * 1 GiB from physical 0; the page at 16 MiB, where text is, is the one that may be executed and
 * not written.
 */
image_l2:
	.set	i, 0
	.rept	512
	.if	i == 8
	.quad	(i << 21) + LEAF
	.else
	.quad	(i << 21) + LEAF + W + NX
	.endif
	.set	i, i + 1
	.endr

direct_l3:
	.set	i, 0
	.rept	DIRECT_GIB
	.quad	direct_l2 + (i << 12) - IMAGE_BASE + TABLE
	.set	i, i + 1
	.endr
	.fill	512 - DIRECT_GIB, 8, 0

direct_l2:
	.set	i, 0
	.rept	512 * DIRECT_GIB
	.quad	(i << 21) + LEAF + W + NX
	.set	i, i + 1
	.endr

	.section .text.start, "ax"
	.globl	guest_entry
guest_entry:
	mov	%rdi, %rbx		/* the start information */
	mov	$bss_start, %rdi
	mov	$bss_end, %rcx
	sub	%rdi, %rcx
	xor	%eax, %eax
	rep stosb
	mov	$boot_stack + STACK_SIZE, %rsp
	xor	%ebp, %ebp
	mov	%rbx, %rdi
	call	guest_main
	ud2

	.bss
	.balign	4096
	.globl	boot_stack
boot_stack:
	.skip	STACK_SIZE

	.section .note.GNU-stack, "", @progbits
