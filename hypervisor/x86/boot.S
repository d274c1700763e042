/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the loader to C: the boot processor arrives here in 32-bit protected mode without paging,
 * by Multiboot 1, Multiboot 2 or PVH, and leaves for main_start(protocol, info) in 64-bit mode in
 * the high half, on boot_stack, with .bss cleared and the stack protector's guard set.
 *
 * Odd: the code is linked at high virtual addresses but runs at its physical ones until the jump,
 * so everything 32-bit names symbols through PHYSICAL(). EDI (protocol) and ESI (address of the
 * loader's information) are kept throughout, as they become the arguments of main_start().
 *
 * The page tables made here live until the C code has made the final ones. They map the low 4 GiB
 * (identity, for the jump only; and as the beginning of the direct map, not executable) and the
 * first 16 MiB as the image's home, with full rights.
 */
#include "boot_protocol.h"
#include "exit_status.h"
#include "layout.h"

#define PHYSICAL(symbol)	((symbol) - LAYOUT_IMAGE)

#define MULTIBOOT1_HEADER_MAGIC	0x1badb002
#define MULTIBOOT1_FLAGS	0x00000003	/* page-aligned modules, memory information */
#define MULTIBOOT2_HEADER_MAGIC	0xe85250d6
#define PVH_NOTE_TYPE		18		/* XEN_ELFNOTE_PHYS32_ENTRY */

#define CR0_BOOT		0x80010033	/* PG WP NE ET MP PE */
#define CR4_PAE			0x00000020
#define EFER			0xc0000080
#define EFER_LME_NXE		0x00000900
#define EFLAGS_ID		0x00200000
#define FEATURE_LONG_MODE	29
#define FEATURE_NX		20
#define FEATURE_RDRAND		30

#define TABLE_ENTRY		0x063		/* P W A D */
#define LARGE_ENTRY		0x0e3		/* P W A D PS */
#define NX_HIGH			0x80000000	/* bit 63, in the upper word */
#define IMAGE_SLOT		256
#define DIRECT_SLOT		264

#define COM1			0x3f8

	.section .boot_header, "a", @progbits
	.balign 8
multiboot2_header:
	.long MULTIBOOT2_HEADER_MAGIC, 0, multiboot2_header_end - multiboot2_header
	.long -(MULTIBOOT2_HEADER_MAGIC + (multiboot2_header_end - multiboot2_header))
	.balign 8
	.word 1, 0				/* information we cannot do without: memory map */
	.long 12, 6
	.balign 8
	.word 6, 0				/* page-aligned modules */
	.long 8
	.balign 8
	.word 0, 0
	.long 8
multiboot2_header_end:
	.balign 4
	.long MULTIBOOT1_HEADER_MAGIC, MULTIBOOT1_FLAGS
	.long -(MULTIBOOT1_HEADER_MAGIC + MULTIBOOT1_FLAGS)

	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 8, PVH_NOTE_TYPE
	.asciz "Xen"
	.quad PHYSICAL(boot_pvh)

	.section .boot_text, "ax", @progbits
	.code32
	.globl boot_multiboot
boot_multiboot:
	cli
	cld
	movl	%eax, %edi
	movl	%ebx, %esi
	jmp	boot_start

boot_pvh:
	cli
	cld
	movl	$BOOT_PROTOCOL_PVH, %edi
	movl	%ebx, %esi

boot_start:
	movl	$PHYSICAL(boot_stack_top), %esp
	call	boot_check_processor
	call	boot_clear_bss
	call	boot_build_tables
	lgdt	PHYSICAL(boot_gdt_pointer32)

	movl	$PHYSICAL(boot_l4), %eax
	movl	%eax, %cr3
	movl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$EFER, %ecx
	rdmsr
	orl	$EFER_LME_NXE, %eax
	wrmsr
	movl	$CR0_BOOT, %eax
	movl	%eax, %cr0
	ljmp	$SELECTOR_KERNEL_CODE, $PHYSICAL(boot_long_mode)

/* Refuse a processor that lacks CPUID, long mode or NX; keeps EDI and ESI. */
boot_check_processor:
	pushfl
	popl	%eax
	movl	%eax, %edx
	xorl	$EFLAGS_ID, %eax
	pushl	%eax
	popfl
	pushfl
	popl	%eax
	cmpl	%edx, %eax
	movl	$PHYSICAL(boot_no_long_mode), %ebp
	je	boot_refuse32

	movl	$0x80000000, %eax
	cpuid
	cmpl	$0x80000001, %eax
	jb	boot_refuse32
	movl	$0x80000001, %eax
	cpuid
	btl	$FEATURE_LONG_MODE, %edx
	jnc	boot_refuse32
	movl	$PHYSICAL(boot_no_nx), %ebp
	btl	$FEATURE_NX, %edx
	jnc	boot_refuse32
	ret

/* The stack lies in .bss, so the return address has to survive in a register. */
boot_clear_bss:
	popl	%ebx
	movl	%edi, %edx
	movl	$PHYSICAL(image_bss_start), %edi
	movl	$PHYSICAL(image_bss_end), %ecx
	subl	%edi, %ecx
	shrl	$2, %ecx
	xorl	%eax, %eax
	rep stosl
	movl	%edx, %edi
	jmp	*%ebx

boot_build_tables:
	/* Four L2 tables of 2 MiB pages: the low 4 GiB. */
	movl	$PHYSICAL(boot_l2), %ebx
	movl	$LARGE_ENTRY, %eax
	movl	$2048, %ecx
1:	movl	%eax, (%ebx)
	addl	$8, %ebx
	addl	$0x200000, %eax
	loop	1b

	/* One L3 above them, used twice: executable identity and NX direct map. */
	movl	$PHYSICAL(boot_l3), %ebx
	movl	$(PHYSICAL(boot_l2) + TABLE_ENTRY), %eax
	movl	$4, %ecx
1:	movl	%eax, (%ebx)
	addl	$8, %ebx
	addl	$0x1000, %eax
	loop	1b
	movl	$(PHYSICAL(boot_l3) + TABLE_ENTRY), %eax
	movl	%eax, PHYSICAL(boot_l4)
	movl	%eax, PHYSICAL(boot_l4) + DIRECT_SLOT * 8
	movl	$NX_HIGH, PHYSICAL(boot_l4) + DIRECT_SLOT * 8 + 4

	/* The image: 16 MiB. */
	movl	$PHYSICAL(boot_image_l2), %ebx
	movl	$LARGE_ENTRY, %eax
	movl	$8, %ecx
1:	movl	%eax, (%ebx)
	addl	$8, %ebx
	addl	$0x200000, %eax
	loop	1b
	movl	$(PHYSICAL(boot_image_l2) + TABLE_ENTRY), PHYSICAL(boot_image_l3)
	movl	$(PHYSICAL(boot_image_l3) + TABLE_ENTRY), PHYSICAL(boot_l4) + IMAGE_SLOT * 8
	ret

/* Print the line at EBP on COM1 and stop; the machine's exit device gets EXIT_REFUSED. */
boot_refuse32:
	movl	$PHYSICAL(boot_serial_setup), %esi
1:	movzbl	(%esi), %edx
	testl	%edx, %edx
	jz	2f
	addl	$(COM1 - 0x80), %edx
	movb	1(%esi), %al
	outb	%al, %dx
	addl	$2, %esi
	jmp	1b
2:	movl	$PHYSICAL(boot_refusal), %esi
	call	boot_print32
	movl	%ebp, %esi
	call	boot_print32
	movl	$EXIT_PORT, %edx
	movl	$EXIT_REFUSED, %eax
	outl	%eax, %dx
3:	hlt
	jmp	3b

boot_print32:
	movl	$(COM1 + 5), %edx
1:	inb	%dx, %al
	testb	$0x20, %al
	jz	1b
	lodsb
	testb	%al, %al
	jz	2f
	movl	$COM1, %edx
	outb	%al, %dx
	jmp	boot_print32
2:	ret

	.code64
boot_long_mode:
	movabsq	$boot_high_half, %rax
	jmp	*%rax

boot_high_half:
	lgdt	boot_gdt_pointer(%rip)
	movl	$SELECTOR_KERNEL_DATA, %eax
	movl	%eax, %ss
	movl	%eax, %ds
	movl	%eax, %es
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	lldt	%ax
	leaq	boot_stack_top(%rip), %rsp
	call	boot_seed_stack_guard
	movl	%edi, %edi			/* the upper halves are not defined so far */
	movl	%esi, %esi
	xorl	%ebp, %ebp			/* ends the chain of stack frames */
	call	main_start
	ud2

/*
 * A guard nobody can guess where RDRAND is to be had, else one from the cycle counter. Its lowest
 * byte is zero, so that string functions do not read or write across it.
 */
boot_seed_stack_guard:
	rdtsc
	shlq	$32, %rdx
	orq	%rax, %rdx
	movabsq	$0x9e3779b97f4a7c15, %rax
	mulq	%rdx
	leaq	(%rax, %rdx), %r8
	movl	$1, %eax
	cpuid
	btl	$FEATURE_RDRAND, %ecx
	jnc	2f
	movl	$16, %ecx
1:	rdrand	%rax
	jc	3f
	loop	1b
	jmp	2f
3:	xorq	%rax, %r8
2:	xorb	%r8b, %r8b
	movq	%r8, __stack_chk_guard(%rip)
	ret

	.section .rodata, "a", @progbits
	.balign 8
boot_gdt:
	.quad 0
	.quad 0
	.quad 0x00af9b000000ffff		/* 0x10: 64-bit kernel code */
	.quad 0x00cf93000000ffff		/* 0x18: kernel data */
boot_gdt_end:
boot_gdt_pointer32:
	.word boot_gdt_end - boot_gdt - 1
	.long PHYSICAL(boot_gdt)
boot_gdt_pointer:
	.word boot_gdt_end - boot_gdt - 1
	.quad boot_gdt

/* Register (offset from COM1 plus 0x80: none is zero), value: 115200 8N1, no interrupts. */
boot_serial_setup:
	.byte 0x83, 0x80, 0x80, 1, 0x81, 0, 0x83, 3, 0x82, 7, 0x84, 3, 0

boot_refusal:
	.asciz "ringfence: cannot start: "
boot_no_long_mode:
	.asciz "this processor has no 64-bit mode\r\n"
boot_no_nx:
	.asciz "this processor has no NX (execute disable), or the firmware turned it off\r\n"

	.section .bss.page_aligned, "aw", @nobits
	.balign 4096
	.globl boot_l4
boot_l4:	.skip 4096
boot_l3:	.skip 4096
boot_l2:	.skip 4 * 4096
boot_image_l3:	.skip 4096
boot_image_l2:	.skip 4096
	.globl boot_stack, boot_stack_top
boot_stack:	.skip 16384
boot_stack_top:

	.section .bss, "aw", @nobits
	.balign 8
	.globl __stack_chk_guard
__stack_chk_guard:
	.skip 8

	.section .note.GNU-stack, "", @progbits
