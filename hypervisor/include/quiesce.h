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

/*
 * Returns when every other CPU has been in guest code or idle since the call. No lock may be
 * held.
 */
void quiesce_wait(void);

#endif
