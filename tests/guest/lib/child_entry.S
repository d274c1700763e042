/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a child of child.c begins: RDI is the guest-physical address of its orders, there is no stack.
 * Copied to its first page, so it only uses addresses that are the same there.
 */
#include "layout.h"

	.section .rodata
	.globl	child_entry, child_nmi, child_entry_end
child_entry:
	lea	0x2000 + IMAGE_BASE(%rdi), %rsp	/* the end of the page after the orders */
	lea	IMAGE_BASE(%rdi), %rdi
	mov	$0x1000 + IMAGE_BASE, %rax	/* its second page */
	call	*%rax
	ud2
/* Its trap 2. */
child_nmi:
	mov	$26, %eax			/* shutdown(RF_SHUTDOWN_REBOOT) */
	mov	$1, %edi
	syscall
child_entry_end:

	.section .note.GNU-stack, "", @progbits
