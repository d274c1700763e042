/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the hypervisor enters a compressed kernel: with the physical address of the start
 * information in RDI, no stack, and interrupts off.
 */
#include <linux/linkage.h>
#include <asm/boot.h>

	.text
	.code64
SYM_CODE_START(rf_unpack)
	cld
	leaq	rf_stack_end(%rip), %rsp
	pushq	%rdi
	pushq	%rdi
	call	rf_unpack_kernel
	popq	%rdi
	jmp	*%rax
SYM_CODE_END(rf_unpack)

	.bss
	.balign 16
SYM_DATA_START_LOCAL(rf_stack)
	.fill	BOOT_STACK_SIZE, 1, 0
SYM_DATA_END_LABEL(rf_stack, SYM_L_LOCAL, rf_stack_end)
