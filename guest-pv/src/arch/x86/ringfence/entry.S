/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ways between the kernel, its users and the hypervisor, and the paravirtual operations that
 * are a few memory accesses. Exceptions and vectors need nothing here: they come as hardware would
 * deliver them.
 */
#include <linux/linkage.h>
#include <linux/objtool.h>
#include <asm/asm-offsets.h>
#include <asm/asm.h>
#include <asm/errno.h>
#include <asm/frame.h>
#include <asm/percpu.h>
#include <asm/processor-flags.h>
#include <asm/segment.h>
#include <asm/thread_info.h>
#include <asm/unwind_hints.h>
#include <../entry/calling.h>

#define PAGE_VAR(field)	PER_CPU_VAR(rf_vcpu_page + RF_page_##field)

.pushsection .noinstr.text, "ax"

/* RAX: number and result; RDI, RSI, RDX: arguments. All registers C may lose are lost. */
SYM_FUNC_START(rf_hypercall)
	ANNOTATE_NOENDBR
	UNWIND_HINT_SAVE
	syscall
	UNWIND_HINT_RESTORE
	RET
SYM_FUNC_END(rf_hypercall)

/* The following keep every register but RAX. */

SYM_FUNC_START(rf_save_fl)
	movl	PAGE_VAR(interrupt_flag), %eax
	RET
SYM_FUNC_END(rf_save_fl)

SYM_FUNC_START(rf_irq_disable)
	movl	$0, PAGE_VAR(interrupt_flag)
	RET
SYM_FUNC_END(rf_irq_disable)

/*
 * Losing the CPU between the two does no harm: whoever switches enables interrupts on this CPU, and
 * a look at the next one's pending byte at worst makes an empty call.
 */
SYM_FUNC_START(rf_irq_enable)
	movl	$X86_EFLAGS_IF, PAGE_VAR(interrupt_flag)
	cmpb	$0, PAGE_VAR(pending)
	jne	rf_open_irq_window
	RET
SYM_FUNC_END(rf_irq_enable)

SYM_FUNC_START_LOCAL(rf_open_irq_window)
	FRAME_BEGIN
	push	%rax
	push	%rcx
	push	%rdx
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	movl	$RF_irq_window, %eax
	call	rf_hypercall
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rdx
	pop	%rcx
	pop	%rax
	FRAME_END
	RET
SYM_FUNC_END(rf_open_irq_window)

SYM_FUNC_START(rf_read_cr2)
	movq	PAGE_VAR(cr2), %rax
	RET
SYM_FUNC_END(rf_read_cr2)

.popsection

.pushsection .entry.text, "ax"

/*
 * A system call of a user: interrupts are off, RSP is the top of the task's stack, GS base the
 * kernel's. What the hardware puts into RCX and R11 is in the page.
 */
SYM_CODE_START(rf_entry_SYSCALL_64)
	UNWIND_HINT_ENTRY
	ENDBR
	movq	PAGE_VAR(rip), %rcx
	movq	PAGE_VAR(rflags), %r11
	pushq	$__USER_DS
	pushq	PAGE_VAR(rsp)
	pushq	%r11
	pushq	$__USER_CS
	pushq	%rcx
	jmp	entry_SYSCALL_64_after_hwframe
SYM_CODE_END(rf_entry_SYSCALL_64)

/* Return from a system call to a user that expects RCX and R11 to be lost; RSP is at pt_regs. */
SYM_CODE_START(rf_return_by_sysret)
	UNWIND_HINT_REGS
	ANNOTATE_NOENDBR
	POP_REGS
	UNWIND_HINT_IRET_REGS offset=8
	movq	EFLAGS-ORIG_RAX(%rsp), %r11
	movq	RIP-ORIG_RAX(%rsp), %rcx
	movq	%r11, PAGE_VAR(rflags)
	movq	RSP-ORIG_RAX(%rsp), %r11
	movq	%rcx, PAGE_VAR(rip)
	movq	%r11, PAGE_VAR(rsp)
SYM_INNER_LABEL(rf_sysret_site, SYM_L_GLOBAL)
	ANNOTATE_NOENDBR
	syscall
	int3
SYM_CODE_END(rf_return_by_sysret)

SYM_CODE_START(rf_restore_regs_and_return_to_usermode)
	UNWIND_HINT_REGS
	ANNOTATE_NOENDBR
	POP_REGS
	addq	$8, %rsp		/* skip orig_ax */
	jmp	rf_iret
SYM_CODE_END(rf_restore_regs_and_return_to_usermode)

/* IRET to wherever the frame at RSP says. Interrupts are off, so nobody else uses the page. */
SYM_CODE_START(rf_iret)
	UNWIND_HINT_IRET_REGS
	ANNOTATE_NOENDBR
	testb	$3, (1*8)(%rsp)
	jnz	.Lby_hypervisor

	/*
	 * To the kernel the instruction itself does, as ring 3 returns to ring 3, once the frame
	 * has the real selectors. The flag is set before: a vector that comes then is
	 * delivered below this frame, and returns to here.
	 */
	testl	$X86_EFLAGS_IF, (2*8)(%rsp)
	jz	.Lby_instruction
	movl	$X86_EFLAGS_IF, PAGE_VAR(interrupt_flag)
	cmpb	$0, PAGE_VAR(pending)
	jne	.Lpending
.Lby_instruction:
	movq	$__USER_CS, (1*8)(%rsp)
	movq	$__USER_DS, (4*8)(%rsp)
	iretq

.Lpending:
	movl	$0, PAGE_VAR(interrupt_flag)
.Lby_hypervisor:
	movq	%rcx, PAGE_VAR(rcx)
	movq	%r11, PAGE_VAR(r11)
	movq	(0*8)(%rsp), %rcx
	movq	(1*8)(%rsp), %r11
	movq	%rcx, PAGE_VAR(rip)
	movq	%r11, PAGE_VAR(cs)
	movq	(2*8)(%rsp), %rcx
	movq	(3*8)(%rsp), %r11
	movq	%rcx, PAGE_VAR(rflags)
	movq	%r11, PAGE_VAR(rsp)
	movq	(4*8)(%rsp), %rcx
	movq	%rcx, PAGE_VAR(ss)
SYM_INNER_LABEL(rf_iret_site, SYM_L_GLOBAL)
	ANNOTATE_NOENDBR
	syscall
	int3
SYM_CODE_END(rf_iret)

.popsection

/* Where a further vCPU starts: RDI is its GS base, RSP its stack. */
SYM_CODE_START(rf_secondary_startup)
	UNWIND_HINT_EMPTY
	ANNOTATE_NOENDBR
	cld
	wrgsbase %rdi
	call	rf_cpu_bringup_and_idle
	ud2
SYM_CODE_END(rf_secondary_startup)
