/* SPDX-License-Identifier: MIT */
/*
 * What the hypervisor counts for every vCPU: entries by reason, and what it did in them, which
 * only ever grow; and where the vCPU is.
 */
#ifndef RINGFENCE_ABI_COUNTERS_H
#define RINGFENCE_ABI_COUNTERS_H

#include <stdint.h>

enum rf_entry_reason {
	RF_ENTRY_SYSCALL, /* a user's syscall, switched to the guest kernel */
	RF_ENTRY_HYPERCALL,
	RF_ENTRY_RETURN_SYSRET,
	RF_ENTRY_RETURN_IRET,
	RF_ENTRY_PAGE_FAULT,
	RF_ENTRY_PROTECTION, /* general protection: refused instructions, `int n` */
	RF_ENTRY_EXCEPTION,  /* every other exception */
	RF_ENTRY_TIMER,
	RF_ENTRY_IPI,	 /* one hypervisor CPU called another */
	RF_ENTRY_DEVICE, /* a device, or a spurious interrupt */
	RF_ENTRY_NMI,
	RF_ENTRY_REASONS
};

#define RF_HYPERCALL_SLOTS 48

struct rf_counters {
	uint64_t entries[16];			 /* by enum rf_entry_reason; the rest reads zero */
	uint64_t hypercalls[RF_HYPERCALL_SLOTS]; /* by number */
	uint64_t fills;				 /* shadow entries filled because of a fault */
	uint64_t window_fills;			 /* neighbours filled with them */
	uint64_t flushes;			 /* flush operations */
	uint64_t resynced;			 /* entries that flushes looked at again */
	uint64_t shootdowns;			 /* other CPUs told to flush */
	uint64_t faults;			 /* page faults given to the guest */
	uint64_t exceptions;			 /* other exceptions given to the guest */
	uint64_t vectors;			 /* virtual vectors given to the guest */
	uint64_t root_loads;
	uint64_t root_misses; /* of these, roots that had no shadow */
	uint64_t evictions;   /* roots dropped to make room */
	uint64_t switches;    /* times this vCPU was given a CPU */
	uint64_t prefills;    /* entries filled on return to user mode or by request */
	uint64_t run_ns;      /* time it ran, */
	uint64_t steal_ns;    /* and was ready and did not run */
	uint64_t affinity;    /* no counters: the CPUs it may run on, */
	uint32_t cpu;	      /* where it runs or waits, or did last, */
	uint32_t status;      /* and RF_VCPU_* */
	uint64_t reserved[7];
};

_Static_assert(RF_ENTRY_REASONS <= 16, "entry reasons fit");
_Static_assert(sizeof(struct rf_counters) == 704, "rf_counters layout");

#endif
