/* SPDX-License-Identifier: MIT */
/*
 * The vCPU: the page it shares with the hypervisor, how it is entered, and how it returns.
 *
 * The page is ordinary memory of the guest, registered with vcpu_register_page. What cost a
 * trap on hardware is a memory access here: the interrupt flag, CR2, the kernel stack, the
 * user's GS base. The hypervisor trusts the page for nothing but "the guest hurts itself".
 *
 * A user `syscall` stores RIP, RFLAGS, RSP and the GS base in the page's user frame, loads RSP
 * from kernel_sp and GS base with that of set_kernel_gs, clears interrupt_flag and continues at
 * the registered system-call entry. RCX and R11 are lost, every other register is as the user
 * left it.
 *
 * An exception or a virtual vector builds the frame that hardware would build (SS, RSP, RFLAGS,
 * CS, RIP, an error code where there is one) on kernel_sp when it came from user mode, else
 * below the current RSP (both aligned to 16, no red zone), clears interrupt_flag and continues
 * at the registered address. From user mode the GS base changes as it does for a `syscall`.
 * A frame from guest-kernel mode says CS=RF_KERNEL_CS and SS=RF_KERNEL_SS; RFLAGS.IF is the
 * virtual interrupt flag.
 *
 * With the fault of a write to a page of the user half that the guest's tables let be read only, the
 * hypervisor drops the translation of that page, if no other CPU has the root loaded, and puts its
 * address into `dropped`. Whatever makes a translation in the user half for this vCPU clears the
 * field, and so does loading another root. So while it is there, and no other vCPU has used the
 * same root since, that page needs no flush. The guest clears it where that is not known.
 *
 * `prefill` asks for the opposite: pages of the user half whose entries allow more than before, and which
 * user mode will use at once. It is the address of a page, plus how many further ones follow it. At the
 * next return to user mode RF_MMU_PREFILL is done with them in the root that is loaded, and the field
 * cleared. It is a hint: loading another root clears it, too.
 *
 * Returning is a `syscall` at one of two registered addresses with the user frame of the page
 * filled in and the virtual interrupt flag clear:
 *  - "sysret": to user mode; RIP, RFLAGS, RSP, GS base from the page; RCX and R11 become RIP
 *    and RFLAGS;
 *  - "iret": RCX and R11 come from the page too; CS decides between user and guest-kernel mode,
 *    which keeps its GS base and gets the virtual interrupt flag from RFLAGS.
 */
#ifndef RINGFENCE_ABI_VCPU_H
#define RINGFENCE_ABI_VCPU_H

#include <stdint.h>

#define RF_MAX_VCPUS	  64

/*
 * Selectors a guest runs with. Kernel and user share the real ones; frames of the guest kernel
 * name the virtual ones.
 */
#define RF_USER32_CS	  0x23
#define RF_USER_SS	  0x2b
#define RF_USER_CS	  0x33
#define RF_KERNEL_CS	  0x10
#define RF_KERNEL_SS	  0x18

#define RF_INTERRUPT_FLAG 0x200U

/*
 * Time of one vCPU: nanoseconds = system_time + ((((tsc - tsc_timestamp) << or >> shift) *
 * multiplier) >> 32), the product with 96 bits.
 */
struct rf_time_info {
	uint32_t version; /* odd while it changes: read again */
	int32_t shift;	  /* left when positive, right when negative */
	uint64_t tsc_timestamp;
	uint64_t system_time; /* nanoseconds since the machine started */
	uint32_t multiplier;
	uint32_t reserved;
	uint64_t wall_clock; /* nanoseconds since 1970 at system_time zero; zero when not known */
};

struct rf_user_frame {
	uint64_t rip;
	uint64_t cs;
	uint64_t rflags;
	uint64_t rsp;
	uint64_t ss;
	uint64_t rcx;
	uint64_t r11;
	uint64_t gs_base;
};

/*
 * Who writes: "guest" fields are read by the hypervisor, "hypervisor" fields are only ever
 * written by it; interrupt_flag, dropped, prefill and user are written by both, in turn.
 */
struct rf_vcpu_page {
	uint32_t interrupt_flag; /* 0 or RF_INTERRUPT_FLAG */
	uint8_t pending; /* hypervisor: a vector waits; after setting the flag call irq_window when this is set */
	uint8_t reserved0[3];
	uint64_t cr2;	    /* hypervisor: address of the last page fault */
	uint64_t dr6;	    /* hypervisor: cause of the last debug exception */
	uint64_t kernel_sp; /* guest: stack for entries from user mode */
	uint64_t fault_sp; /* guest: stack for the double fault; zero: a double fault ends the domain */
	uint64_t dropped; /* hypervisor, guest: address of a page of the user half; zero: none */
	uint64_t prefill; /* guest, hypervisor: address | further pages (0 to 4095); zero: none */
	uint64_t reserved1;
	struct rf_user_frame user;
	struct rf_time_info time; /* hypervisor */
	uint64_t tick_ns;	  /* guest: a time at which the timer ticks, see time.h */
	uint64_t tick_period; /* guest: nanoseconds from tick to tick; zero: the timer does not tick */
	uint64_t timer_ns;    /* hypervisor: what the timer is set to; zero: it is not set */
	uint64_t steal_ns;    /* hypervisor: time this vCPU was ready and did not run */
	uint64_t run_ns;      /* hypervisor: time this vCPU ran */
	uint64_t reserved3[6];
	uint64_t reserved4[480];
};

_Static_assert(sizeof(struct rf_user_frame) == 64, "rf_user_frame layout");
_Static_assert(sizeof(struct rf_time_info) == 40, "rf_time_info layout");
_Static_assert(__builtin_offsetof(struct rf_vcpu_page, cr2) == 8, "rf_vcpu_page layout");
_Static_assert(__builtin_offsetof(struct rf_vcpu_page, user) == 64, "rf_vcpu_page layout");
_Static_assert(__builtin_offsetof(struct rf_vcpu_page, time) == 128, "rf_vcpu_page layout");
_Static_assert(__builtin_offsetof(struct rf_vcpu_page, tick_ns) == 168, "rf_vcpu_page layout");
_Static_assert(__builtin_offsetof(struct rf_vcpu_page, steal_ns) == 192, "rf_vcpu_page layout");
_Static_assert(sizeof(struct rf_vcpu_page) == 4096, "rf_vcpu_page is a page");

/* set_traps: where an exception, a virtual vector or an `int n` of this number goes. */
#define RF_TRAP_USER		0x1 /* user mode may raise it with `int n` */
#define RF_TRAP_KEEP_INTERRUPTS 0x2 /* a trap gate: the virtual interrupt flag stays as it was */

struct rf_trap {
	uint64_t rip; /* canonical, outside the hypervisor's range; zero: none */
	uint8_t vector;
	uint8_t flags;	     /* RF_TRAP_* */
	uint8_t reserved[6]; /* must be zero */
};

/*
 * read_msr and write_msr: what CR4.TSD is on hardware. One: the vCPU's user mode may not read the
 * TSC, and faults (13). Its kernel may, but slowly.
 */
#define RF_MSR_NO_USER_TSC 0x40000000

/* vcpu_init: the state in which a vCPU that is down starts at vcpu_up, in guest-kernel mode. */
struct rf_vcpu_context {
	uint64_t rip;
	uint64_t rsp;
	uint64_t rdi;	    /* an argument for the code at rip */
	uint64_t root;	    /* guest-physical address of its level-4 table */
	uint64_t kernel_gs; /* GS base */
	uint64_t page;	    /* guest frame number of its vCPU page */
};

/* vcpu_status: result */
#define RF_VCPU_DOWN	 0
#define RF_VCPU_BLOCKED	 1
#define RF_VCPU_RUNNABLE 2
#define RF_VCPU_RUNNING	 3

_Static_assert(sizeof(struct rf_trap) == 16, "rf_trap layout");
_Static_assert(sizeof(struct rf_vcpu_context) == 48, "rf_vcpu_context layout");

#endif
