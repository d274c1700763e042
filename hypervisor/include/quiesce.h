/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting until no CPU can still be using what was just unlinked (quiesce.c).
 *
 * Hypervisor code runs with interrupts off from entry to exit, so whoever read a table entry or
 * a pointer before it was unlinked is done with it once its CPU has left the hypervisor, or
 * sits idle. Readers pay nothing.
 */
#ifndef HYPERVISOR_QUIESCE_H
#define HYPERVISOR_QUIESCE_H

#include <stdint.h>

/*
 * Returns when every other CPU has been in guest code or idle since the call. No lock may be
 * held.
 */
void quiesce_wait(void);
/*
 * The same for the CPUs of a mask that may change: who uses what was unlinked has set its bit
 * first, by a full barrier, and clears it when it does no more. The others are left alone.
 */
void quiesce_wait_cpus(const uint64_t *mask);

/*
 * Around arch_idle(). An interrupt handler that runs in between and uses what others may unlink
 * calls quiesce_idle_end() first.
 */
void quiesce_idle_begin(void);
void quiesce_idle_end(void);
/* This CPU waits, and uses nothing: to be repeated while it does. */
void quiesce_here(void);

#endif
