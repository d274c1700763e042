/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts of devices, each bound to an event port of the control domain (device_interrupt.c).
 * See abi/interrupt.h.
 */
#ifndef HYPERVISOR_DEVICE_INTERRUPT_H
#define HYPERVISOR_DEVICE_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

struct domain;

#define DEVICE_INTERRUPTS 1024 /* bound at once */

/*
 * One came: on any CPU, from arch_idle() too. Before it is acknowledged, so that what must be
 * masked is.
 */
void device_interrupt_arrive(uint32_t number);
/*
 * It will not be raised again, and its number may be another's. Its port stays taken until this
 * returns. No lock may be held.
 */
void device_interrupt_close(uint32_t number);

/* How often it came since it was bound; for looking only. */
uint64_t device_interrupt_count(uint32_t number);

/* For audit.c. */
bool device_interrupt_is_bound(uint32_t number, const struct domain *d, uint32_t port);
const char *device_interrupt_audit(void);

int64_t do_interrupt_bind(uint64_t interrupt);
int64_t do_interrupt_end(uint64_t port);

#endif
