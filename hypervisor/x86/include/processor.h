/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bits of control registers, and the MSRs that are of no interest to guests, as the manuals
 * name them. Read by assembly as well.
 */
#ifndef X86_PROCESSOR_H
#define X86_PROCESSOR_H

#define CR0_PE			  0x00000001
#define CR0_MP			  0x00000002
#define CR0_ET			  0x00000010
#define CR0_NE			  0x00000020
#define CR0_WP			  0x00010000
#define CR0_AM			  0x00040000
#define CR0_PG			  0x80000000

#define CR4_PAE			  0x00000020
#define CR4_MCE			  0x00000040
#define CR4_OSFXSR		  0x00000200
#define CR4_OSXMMEXCPT		  0x00000400
#define CR4_UMIP		  0x00000800
#define CR4_FSGSBASE		  0x00010000
#define CR4_OSXSAVE		  0x00040000
#define CR4_SMEP		  0x00100000
#define CR4_SMAP		  0x00200000

#define EFER_SCE		  0x001
#define EFER_LME		  0x100
#define EFER_LMA		  0x400
#define EFER_NXE		  0x800

#define MSR_ARCH_CAPABILITIES	  0x10a
#define ARCH_CAPABILITIES_RDCL_NO 0x1
#define MSR_SYSENTER_CS		  0x174
#define MSR_SYSENTER_ESP	  0x175
#define MSR_SYSENTER_EIP	  0x176
#define MSR_TSC_DEADLINE	  0x6e0
#define MSR_X2APIC		  0x800
#define MSR_EFER		  0xc0000080

#endif
