/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual vectors: what waits for a vCPU, and when it is given (interrupt.c). 256 bits a vCPU,
 * set by anybody, taken by the vCPU itself, highest first, when its virtual interrupt flag is
 * set or it is in user mode. No acknowledgement.
 */
#ifndef HYPERVISOR_INTERRUPT_H
#define HYPERVISOR_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

struct vcpu;

struct interrupt {
	uint64_t vectors[4]; /* changed atomically */
};

/* Sets the bit, marks the page, wakes the vCPU or makes its CPU enter the hypervisor. Any CPU. */
void interrupt_post(struct vcpu *v, uint8_t vector);
bool interrupt_pending(const struct vcpu *v);
/* On the way out, for the current vCPU: gives the highest waiting vector if it may be given now. */
void interrupt_deliver(struct vcpu *v);

int64_t do_irq_window(void);
int64_t do_send_ipi(uint64_t vector, uint64_t vcpu_mask);

#endif
