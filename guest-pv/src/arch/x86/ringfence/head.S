/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the hypervisor enters the kernel. Included by head_64.S.
 *
 * vCPU 0 comes with the physical address of the start information in RDI, on init_top_pgt, which
 * maps the kernel and the first GiB, with no stack and interrupts off.
 */
#ifdef CONFIG_RINGFENCE

#include <linux/elfnote.h>
#include <linux/init.h>
#include <asm/asm-offsets.h>
#include <asm/percpu.h>
#include <asm/unwind_hints.h>

	__INIT
SYM_CODE_START(rf_startup)
	UNWIND_HINT_EMPTY
	ANNOTATE_NOENDBR
	cld
	movq	initial_stack(%rip), %rsp

	/* The boot CPU uses the initial per-CPU data until the areas are set up. */
	movq	$INIT_PER_CPU_VAR(fixed_percpu_data), %rax
	wrgsbase %rax

	movb	$1, rf_running(%rip)
	call	rf_start_kernel
	ud2
SYM_CODE_END(rf_startup)
	__FINIT

	ELFNOTE(Ringfence, 1, .long RF_abi_version; .long 0; .quad rf_startup; .quad init_top_pgt - __START_KERNEL_map)

#endif
