/* SPDX-License-Identifier: MIT */
/*
 * What the hypervisor counts for every vCPU: entries by reason, and what it did in them, which
 * only ever grow; and where the vCPU is.
 */
#ifndef RINGFENCE_ABI_COUNTERS_H
#define RINGFENCE_ABI_COUNTERS_H

#include <stdint.h>

#define ENTRY_REASON(constant, name) RF_ENTRY_##constant,
enum rf_entry_reason {
#include "entry_reasons.def"
	RF_ENTRY_REASONS
};
#undef ENTRY_REASON

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
