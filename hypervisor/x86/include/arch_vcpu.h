/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The x86 part of struct vcpu. Its first member is where the CPU pushes when the guest is
 * interrupted: TSS.RSP0 is the address of the byte after `registers`.
 */
#ifndef X86_ARCH_VCPU_H
#define X86_ARCH_VCPU_H

#include <stdbool.h>
#include <stdint.h>

#include "layout.h"
#include "registers.h"

struct arch_vcpu {
	struct registers registers;

	/* What the fast paths of entry.S use, kept together. */
	uint64_t user_cr3;
	uint64_t kernel_cr3;
	uint64_t syscall_entry; /* checked canonical and outside the hypervisor */
	uint64_t return_sysret; /* RIP after the `syscall` that means "return to user, sysret type"; 0: none */
	uint64_t return_iret;
	uint64_t kernel_gs;	/* checked canonical */
	uint64_t scratch;	/* one register, for a few instructions */
	uint8_t user_mode;	/* 1: user, 0: guest kernel */
	uint8_t loaded;		/* its registers below are in the CPU */
	uint16_t kernel_io_map; /* TSS.io_map_base for each mode */
	uint16_t user_io_map;
	uint8_t no_user_tsc; /* RDTSC faults in user mode */

	/* Switched with the vCPU. */
	uint64_t fs_base;
	uint64_t gs_base; /* the current one; the other half is in the page (user) or kernel_gs */
	uint16_t fs, gs, ds, es;
	uint64_t tls[GDT_TLS_COUNT];
	uint64_t debug[8]; /* DR0-3, DR6, DR7 */
	uint64_t xcr0;
	uint64_t tsc_aux;
	void *fpu; /* XSAVE area, its own pages */
};

#endif
