/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making CPUs forget translations (tlb.c).
 *
 * The hypervisor itself never uses a guest's translation: it walks the guest's tables and
 * reaches memory through its own direct map. So only a CPU that is in guest code must be
 * interrupted; one in the hypervisor flushes before it leaves.
 */
#ifndef HYPERVISOR_TLB_H
#define HYPERVISOR_TLB_H

#include <stdint.h>

/*
 * Every CPU of the mask forgets all translations of guest addresses; returns when none can use
 * an old one.
 */
void tlb_shootdown(uint64_t cpu_mask);

/* The last step before guest code, and the first after it: called by the exit and entry paths. */
void tlb_leave_hypervisor(void);
void tlb_enter_hypervisor(void);

#endif
