/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every way from a guest into the hypervisor, and back.
 *
 * Interface: entry_syscall and entry_syscall32 for the SYSCALL registers, entry_vectors[256] for
 * the IDT. Called from here: hypercall_dispatch(), vcpu_prepare_exit(), and the traps_*() and
 * user_return*() functions. No locks.
 *
 * What holds in guest code: KERNEL_GS_BASE is this CPU's struct cpu; TSS.RSP0 is the end of the
 * registers of the current vCPU, so that the CPU itself saves the guest's frame where it belongs;
 * CR3, the guest's GS base and TSS.io_map_base belong to the mode the vCPU is in. C code keeps all
 * of that true, so the common way out only restores registers.
 *
 * Odd: in the syscall paths RSP is the address of the vCPU, with nothing to push to. Interrupts
 * are off, NMI, #DB, #MC and #DF have stacks of their own, and nothing else can happen: every
 * value that an instruction could fault on has been checked.
 *
 * A user's syscall and the two returns touch no guest memory but the vCPU page and run no C code;
 * for other CPUs this one stays "in guest" meanwhile. The page may change under our hands: each
 * field is read once.
 */
#include "asm_offsets.h"
#include "flags.h"
#include "layout.h"

/* A function whose name belongs in a backtrace. */
	.macro	function name
	.balign	16
	.globl	\name
	.hidden	\name
	.type	\name, @function
\name:
	.endm

/* All but what the CPU pushed, the error code and the vector: struct registers. */
	.macro	push_registers
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

/* Ends with RSP at the frame for IRETQ. */
	.macro	pop_registers
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
	add	$16, %rsp
	.endm

/* RSP is the vCPU. Everything a syscall left alone; RIP, RFLAGS, RCX and R11 are the caller's. */
	.macro	save_syscall_registers code_segment
	mov	%r15, VCPU_R15(%rsp)
	mov	%r14, VCPU_R14(%rsp)
	mov	%r13, VCPU_R13(%rsp)
	mov	%r12, VCPU_R12(%rsp)
	mov	%rbp, VCPU_RBP(%rsp)
	mov	%rbx, VCPU_RBX(%rsp)
	mov	%r10, VCPU_R10(%rsp)
	mov	%r9, VCPU_R9(%rsp)
	mov	%r8, VCPU_R8(%rsp)
	mov	%rax, VCPU_RAX(%rsp)
	mov	%rdx, VCPU_RDX(%rsp)
	mov	%rsi, VCPU_RSI(%rsp)
	mov	%rdi, VCPU_RDI(%rsp)
	movq	$\code_segment, VCPU_CS(%rsp)
	movq	$RF_USER_SS, VCPU_SS(%rsp)
	mov	%gs:CPU_SCRATCH, %rdi
	mov	%rdi, VCPU_RSP(%rsp)
	mov	%rsp, %rdi
	mov	%gs:CPU_STACK_TOP, %rsp
	movl	$0, %gs:CPU_IN_GUEST
	.endm

/* Debug builds: what is about to go to a guest is fit for it. RSP is the vCPU; RCX is lost. */
	.macro	check_return flags, cr3
#if CONFIG_DEBUG
	mov	\flags, %rcx
	and	$FLAGS_CRITICAL, %ecx
	cmp	$FLAGS_INTERRUPT, %ecx
	jne	bad_return
	mov	%cr3, %rcx
	cmp	\cr3(%rsp), %rcx
	jne	bad_return
#endif
	.endm

/*
 * RSP is the vCPU, RCX its page. RIP goes where it is wanted, the GS base to scratch; the slow way
 * is for what SYSRET, IRET or WRGSBASE might fault on.
 */
	.macro	read_user_rip_and_gs rip, slow
	mov	PAGE_USER_RIP(%rcx), %r11
	cmp	user_rip_limit(%rip), %r11
	jae	\slow
	mov	%r11, \rip(%rsp)
	mov	PAGE_USER_GS(%rcx), %r11
	cmp	user_rip_limit(%rip), %r11
	jae	\slow
	mov	%r11, VCPU_SCRATCH(%rsp)
	.endm

/* From here on all that user mode runs with is loaded but the general registers. */
	.macro	load_user_view flags
	mov	%gs:CPU_TSS, %rcx
	movzwl	VCPU_USER_IO_MAP(%rsp), %r11d
	mov	%r11w, TSS_IO_MAP_BASE(%rcx)
	mov	VCPU_USER_CR3(%rsp), %rcx
	mov	%rcx, %cr3
	check_return \flags(%rsp), VCPU_USER_CR3
	mov	VCPU_SCRATCH(%rsp), %rcx
	swapgs
	wrgsbase %rcx
	.endm

	.section .rodata
	.balign	8
user_rip_limit:
	.quad	0x00007ffffffff000	/* USER_MAP_END: below it SYSRET and IRET are safe */
kernel_rip_start:
	.quad	LAYOUT_DIRECT_MAP_END	/* from here on all is canonical and the guest's */

	.text

/* --- SYSCALL ---------------------------------------------------------------------------------- */

/* RCX: RIP after it; R11: RFLAGS; RSP: the guest's; the flags are clear (FMASK). */
function entry_syscall
	swapgs
	mov	%rsp, %gs:CPU_SCRATCH
	mov	%gs:CPU_CURRENT, %rsp
	cmpb	$0, VCPU_USER_MODE(%rsp)
	je	syscall_from_kernel

	/* User mode: to the guest kernel. */
	cmpq	$0, VCPU_SYSCALL_ENTRY(%rsp)
	je	syscall_without_entry
	mov	%rcx, VCPU_SCRATCH(%rsp)
	mov	VCPU_PAGE(%rsp), %rcx
	mov	%r11, PAGE_USER_RFLAGS(%rcx)
	mov	VCPU_SCRATCH(%rsp), %r11
	mov	%r11, PAGE_USER_RIP(%rcx)
	mov	%gs:CPU_SCRATCH, %r11
	mov	%r11, PAGE_USER_RSP(%rcx)
	movl	$0, PAGE_INTERRUPT_FLAG(%rcx)
	mov	PAGE_KERNEL_SP(%rcx), %r11
	mov	%r11, VCPU_SCRATCH(%rsp)
	movb	$0, VCPU_USER_MODE(%rsp)
	incq	VCPU_ENTRY_SYSCALL(%rsp)

	mov	%gs:CPU_TSS, %rcx
	movzwl	VCPU_KERNEL_IO_MAP(%rsp), %r11d
	mov	%r11w, TSS_IO_MAP_BASE(%rcx)
	mov	VCPU_KERNEL_CR3(%rsp), %rcx
	mov	%rcx, %cr3
	mov	VCPU_PAGE(%rsp), %rcx
	swapgs
	rdgsbase %r11
	mov	%r11, PAGE_USER_GS(%rcx)
	mov	VCPU_KERNEL_GS(%rsp), %r11
	wrgsbase %r11
	mov	VCPU_SYSCALL_ENTRY(%rsp), %rcx
	mov	$FLAGS_FORCED, %r11d
	mov	VCPU_SCRATCH(%rsp), %rsp
	sysretq

/* --- Guest-kernel mode: a return or a hypercall ------------------------------------------------- */

syscall_from_kernel:
	cmp	%rcx, VCPU_RETURN_SYSRET(%rsp)
	je	return_by_sysret
	cmp	%rcx, VCPU_RETURN_IRET(%rsp)
	je	return_by_iret

	incq	VCPU_ENTRY_HYPERCALL(%rsp)
	mov	%rcx, VCPU_RIP(%rsp)
	mov	%r11, VCPU_RFLAGS(%rsp)
	mov	%gs:CPU_SCRATCH, %rcx
	mov	%rcx, VCPU_RSP(%rsp)
	mov	%gs:CPU_STACK_TOP, %rsp
	movl	$0, %gs:CPU_IN_GUEST
	mov	%r10, %rcx		/* the fourth argument, as C has it */
	push	%rax			/* keeps the stack aligned */
	push	%rax			/* the seventh: the number */
	call	hypercall_dispatch

	/* RBX, RBP, R12-R15 are still the guest's: C code keeps them. */
	mov	%gs:CPU_CURRENT, %rsp
	incq	%gs:CPU_EXITS
	movl	$1, %gs:CPU_IN_GUEST
	mfence				/* from here on others interrupt this CPU */
	testl	$WORK_IN_KERNEL, VCPU_WORK(%rsp)
	jnz	hypercall_slow
	cmpl	$0, %gs:CPU_FLUSH_REQUEST
	jne	hypercall_slow
	cmpb	$0, %gs:CPU_NEED_SCHEDULE
	jne	hypercall_slow

	mov	VCPU_RFLAGS(%rsp), %r11
	and	$FLAGS_GUEST, %r11d
	or	$FLAGS_FORCED, %r11d
	check_return %r11, VCPU_KERNEL_CR3
	/* Canonical: the last page of the lower half is never mapped, so no syscall ends there. */
	mov	VCPU_RIP(%rsp), %rcx
	xor	%edi, %edi
	xor	%esi, %esi
	xor	%edx, %edx
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	swapgs
	mov	VCPU_RSP(%rsp), %rsp
	sysretq

/* Something is to be done first, and another vCPU may come of it: all goes into the registers. */
hypercall_slow:
	mov	%r15, VCPU_R15(%rsp)
	mov	%r14, VCPU_R14(%rsp)
	mov	%r13, VCPU_R13(%rsp)
	mov	%r12, VCPU_R12(%rsp)
	mov	%rbp, VCPU_RBP(%rsp)
	mov	%rbx, VCPU_RBX(%rsp)
	mov	%rax, VCPU_RAX(%rsp)
	xor	%eax, %eax
	mov	%rax, VCPU_R10(%rsp)
	mov	%rax, VCPU_R9(%rsp)
	mov	%rax, VCPU_R8(%rsp)
	mov	%rax, VCPU_RDX(%rsp)
	mov	%rax, VCPU_RSI(%rsp)
	mov	%rax, VCPU_RDI(%rsp)
	mov	VCPU_RFLAGS(%rsp), %rax
	and	$FLAGS_GUEST, %eax
	or	$FLAGS_FORCED, %eax
	mov	%rax, VCPU_RFLAGS(%rsp)
	mov	%rax, VCPU_R11(%rsp)
	mov	VCPU_RIP(%rsp), %rax
	mov	%rax, VCPU_RCX(%rsp)
	movq	$RF_USER_CS, VCPU_CS(%rsp)
	movq	$RF_USER_SS, VCPU_SS(%rsp)
	mov	%gs:CPU_STACK_TOP, %rsp
	jmp	exit_slow

/*
 * To user mode; RCX and R11 of the user become RIP and RFLAGS. The guest kernel's own RFLAGS are
 * kept for the slow way, which starts again from the page.
 */
return_by_sysret:
	mov	%r11, VCPU_RFLAGS(%rsp)
	cmpl	$0, VCPU_WORK(%rsp)
	jne	return_by_sysret_slow
	mov	VCPU_PAGE(%rsp), %rcx
	cmpq	$0, PAGE_PREFILL(%rcx)
	jne	return_by_sysret_slow
	read_user_rip_and_gs VCPU_RCX, return_by_sysret_slow
	mov	PAGE_USER_RFLAGS(%rcx), %r11
	test	$FLAGS_IRET_ONLY, %r11d
	jnz	return_by_sysret_slow
	and	$FLAGS_GUEST, %r11d
	or	$FLAGS_FORCED, %r11d
	mov	%r11, VCPU_R11(%rsp)
	mov	PAGE_USER_RSP(%rcx), %r11
	mov	%r11, VCPU_RSP(%rsp)
	movl	$RF_INTERRUPT_FLAG, PAGE_INTERRUPT_FLAG(%rcx)
	movb	$1, VCPU_USER_MODE(%rsp)
	incq	VCPU_ENTRY_SYSRET(%rsp)

	load_user_view VCPU_R11
	mov	VCPU_RCX(%rsp), %rcx
	mov	VCPU_R11(%rsp), %r11
	mov	VCPU_RSP(%rsp), %rsp
	sysretq

return_by_sysret_slow:
	save_syscall_registers RF_USER_CS
	call	user_return_sysret
	jmp	exit_check

/* To user or guest-kernel mode, every register from the page or as it is. */
return_by_iret:
	mov	%r11, VCPU_RFLAGS(%rsp)
	mov	VCPU_PAGE(%rsp), %rcx
	cmpl	$0, VCPU_WORK(%rsp)
	jne	return_by_iret_slow
	mov	PAGE_USER_CS(%rcx), %r11
	cmp	$RF_USER_CS, %r11
	jne	return_to_kernel
	cmpq	$RF_USER_SS, PAGE_USER_SS(%rcx)
	jne	return_by_iret_slow
	cmpq	$0, PAGE_PREFILL(%rcx)
	jne	return_by_iret_slow
	read_user_rip_and_gs VCPU_RIP, return_by_iret_slow
	mov	PAGE_USER_RFLAGS(%rcx), %r11
	and	$FLAGS_GUEST_IRET, %r11d
	or	$FLAGS_FORCED, %r11d
	mov	%r11, VCPU_RFLAGS(%rsp)
	movl	$RF_INTERRUPT_FLAG, PAGE_INTERRUPT_FLAG(%rcx)
	movb	$1, VCPU_USER_MODE(%rsp)
	mov	PAGE_USER_RSP(%rcx), %r11
	mov	%r11, VCPU_RSP(%rsp)
	mov	PAGE_USER_RCX(%rcx), %r11
	mov	%r11, VCPU_RCX(%rsp)
	mov	PAGE_USER_R11(%rcx), %r11
	mov	%r11, VCPU_R11(%rsp)

	load_user_view VCPU_RFLAGS
	jmp	return_iretq

return_to_kernel:
	cmp	$RF_KERNEL_CS, %r11
	jne	return_by_iret_slow
	cmpq	$RF_KERNEL_SS, PAGE_USER_SS(%rcx)
	jne	return_by_iret_slow
	mov	PAGE_USER_RIP(%rcx), %r11
	cmp	kernel_rip_start(%rip), %r11
	jb	return_by_iret_slow
	mov	%r11, VCPU_RIP(%rsp)
	mov	PAGE_USER_RSP(%rcx), %r11
	mov	%r11, VCPU_RSP(%rsp)
	mov	PAGE_USER_R11(%rcx), %r11
	mov	%r11, VCPU_R11(%rsp)
	mov	PAGE_USER_RCX(%rcx), %r11
	mov	%r11, VCPU_RCX(%rsp)
	mov	PAGE_USER_RFLAGS(%rcx), %r11
	mov	%r11, VCPU_RFLAGS(%rsp)
	and	$RF_INTERRUPT_FLAG, %r11d
	mov	%r11d, PAGE_INTERRUPT_FLAG(%rcx)
	andq	$FLAGS_GUEST_IRET, VCPU_RFLAGS(%rsp)
	orq	$FLAGS_FORCED, VCPU_RFLAGS(%rsp)
	check_return VCPU_RFLAGS(%rsp), VCPU_KERNEL_CR3
	swapgs

/* The frame in the vCPU's registers is complete but for the selectors. */
return_iretq:
	incq	VCPU_ENTRY_IRET(%rsp)
	movq	$RF_USER_CS, VCPU_CS(%rsp)
	movq	$RF_USER_SS, VCPU_SS(%rsp)
	mov	VCPU_RCX(%rsp), %rcx
	mov	VCPU_R11(%rsp), %r11
	lea	VCPU_RIP(%rsp), %rsp
	iretq

return_by_iret_slow:
	save_syscall_registers RF_USER_CS
	call	user_return_iret
	jmp	exit_check

syscall_without_entry:
	mov	%rcx, VCPU_RIP(%rsp)
	mov	%rcx, VCPU_RCX(%rsp)
	mov	%r11, VCPU_RFLAGS(%rsp)
	mov	%r11, VCPU_R11(%rsp)
	save_syscall_registers RF_USER_CS
	call	user_return_no_entry
	jmp	exit_check

/*
 * SYSCALL from 32-bit code, which only some CPUs allow: an undefined instruction like on the
 * others. The old RCX and R11 are lost.
 */
function entry_syscall32
	swapgs
	mov	%rsp, %gs:CPU_SCRATCH
	mov	%gs:CPU_CURRENT, %rsp
	mov	%rcx, VCPU_RCX(%rsp)
	sub	$2, %rcx		/* the length of SYSCALL */
	mov	%rcx, VCPU_RIP(%rsp)
	mov	%r11, VCPU_RFLAGS(%rsp)
	mov	%r11, VCPU_R11(%rsp)
	movq	$6, VCPU_VECTOR(%rsp)
	movq	$0, VCPU_ERROR(%rsp)
	save_syscall_registers RF_USER32_CS
	call	traps_guest
	jmp	exit_check

#if CONFIG_DEBUG
bad_return:
	mov	%rsp, %rdi
	mov	%gs:CPU_STACK_TOP, %rsp
	call	traps_bad_return
	ud2
#endif

/* --- Exceptions and interrupts ------------------------------------------------------------------ */

/*
 * One stub of 16 bytes for each vector; where the CPU pushes no error code, the stub does. The
 * four vectors with stacks of their own go their own ways.
 */
	.balign	16
entry_stubs:
	.set	vector, 0
	.rept	256
	.balign	16
	.if	!(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || \
		  vector == 29 || vector == 30)
	push	$0
	.endif
	push	$vector
	.if	vector == 1
	jmp	entry_debug
	.elseif	vector == 2
	jmp	entry_nmi
	.elseif	vector == 8 || vector == 18
	jmp	entry_fatal
	.elseif	vector == 14
	jmp	entry_page_fault
	.else
	jmp	entry_common
	.endif
	.set	vector, vector + 1
	.endr

	.section .rodata
	.balign	8
	.globl	entry_vectors
	.hidden	entry_vectors
entry_vectors:
	.set	vector, 0
	.rept	256
	.quad	entry_stubs + 16 * vector
	.set	vector, vector + 1
	.endr
	.text

/* From ring 3 RSP is in the vCPU, from ring 0 (idle, or a bug) on the CPU's stack. */
	.macro	enter_from_guest
	testb	$3, REGISTERS_CS - REGISTERS_VECTOR(%rsp)
	jz	entry_from_hypervisor
	push_registers
	swapgs
	lfence				/* not with the wrong GS, should the branch be mispredicted */
	mov	%rsp, %rdi
	.endm

/* RDI is the vCPU. DF and AC may be set. */
	.macro	enter_c
	mov	%gs:CPU_STACK_TOP, %rsp
	pushq	$FLAGS_ONE
	popfq
	movl	$0, %gs:CPU_IN_GUEST
	.endm

function entry_page_fault
	enter_from_guest
	enter_c
	call	traps_page_fault
	jmp	exit_check

function entry_common
	enter_from_guest
entry_guest:
	enter_c
	call	traps_guest

/* C code is done with the current vCPU. RSP is the stack's top again. */
exit_check:
	mov	%gs:CPU_CURRENT, %rdi
	incq	%gs:CPU_EXITS
	movl	$1, %gs:CPU_IN_GUEST
	mfence				/* from here on others interrupt this CPU */
	mov	VCPU_WORK(%rdi), %eax
	cmpb	$0, VCPU_USER_MODE(%rdi)
	jne	1f
	and	$WORK_IN_KERNEL, %eax	/* the rest can wait for user mode */
1:	or	%gs:CPU_FLUSH_REQUEST, %eax
	jnz	exit_slow
	cmpb	$0, %gs:CPU_NEED_SCHEDULE
	jne	exit_slow

exit_restore:
#if CONFIG_DEBUG
	call	traps_check_return
#endif
	mov	%gs:CPU_CURRENT, %rsp
	pop_registers
	swapgs
	iretq

/* Another vCPU may be the current one afterwards: nothing is on the stack. */
exit_slow:
	movl	$0, %gs:CPU_IN_GUEST
	call	vcpu_prepare_exit
	jmp	exit_restore

/* The end of starting up: this CPU runs vCPUs from now on. */
function entry_run
	mov	%gs:CPU_STACK_TOP, %rsp
	xor	%ebp, %ebp
	jmp	exit_slow

/* An interrupt while idle, or an exception in the hypervisor. */
entry_from_hypervisor:
	push_registers
	lfence				/* nor with a guest's */
	cld
	mov	%rsp, %rdi
	call	traps_hypervisor
	pop_registers
	iretq

/*
 * On a stack of its own, above which lies the address of this CPU's struct cpu: whose GS base is in
 * is not known. RBX keeps it.
 */
	.macro	call_with_own_gs function
	rdgsbase %rbx
	mov	REGISTERS_SIZE(%rsp), %rax
	wrgsbase %rax
	pushq	$FLAGS_ONE
	popfq
	mov	%rsp, %rdi
	call	\function
	wrgsbase %rbx
	.endm

function entry_nmi
	push_registers
	call_with_own_gs traps_nmi
	pop_registers
	iretq

/* Double fault and machine check: does not return. */
function entry_fatal
	push_registers
	call_with_own_gs traps_fatal
	ud2

/*
 * From ring 3 it is the guest's, and handled like every other exception once the frame is in the
 * vCPU. In the hypervisor it comes of a guest's breakpoint that a load of SS has held back. When the
 * instruction after that load was ICEBP, it comes at our first one, and its frame has replaced the
 * guest's: this is then the guest's, at an address that cannot be known any more.
 */
function entry_debug
	push_registers
	testb	$3, REGISTERS_CS(%rsp)
	jnz	1f
	lea	entry_stubs + 16(%rip), %rax
	cmp	%rax, VCPU_RIP(%rsp)
	je	2f
	call_with_own_gs traps_debug
	pop_registers
	iretq
2:	movq	$0, VCPU_RIP(%rsp)
	movq	$RF_USER_CS, VCPU_CS(%rsp)
	movq	$FLAGS_FORCED, VCPU_RFLAGS(%rsp)
	movq	$0, VCPU_RSP(%rsp)
	movq	$RF_USER_SS, VCPU_SS(%rsp)
1:	swapgs
	lfence
	cld
	mov	%rsp, %rsi
	mov	%gs:CPU_CURRENT, %rdi
	mov	$(REGISTERS_SIZE / 8), %ecx
	rep movsq
	mov	%gs:CPU_CURRENT, %rdi
	jmp	entry_guest

	.section .note.GNU-stack, "", @progbits
