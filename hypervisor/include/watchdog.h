/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds CPUs that got stuck in the hypervisor, with interrupts off, and ends in a panic with
 * their registers (watchdog.c).
 */
#ifndef HYPERVISOR_WATCHDOG_H
#define HYPERVISOR_WATCHDOG_H

struct registers;

/* On each CPU, once its timers work. */
void watchdog_start_cpu(void);

/* Called for each NMI: does not return if this CPU is found to be stuck. */
void watchdog_nmi(const struct registers *registers);

#endif
