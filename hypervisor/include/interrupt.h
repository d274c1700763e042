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

/* The one exception that is posted. It is given whatever the flag says, before all vectors. */
#define INTERRUPT_NMI 2

struct interrupt {
	uint64_t vectors[4]; /* changed atomically */
};

/* Sets the bit, and wakes the vCPU or makes its CPU enter the hypervisor. Any CPU. */
void interrupt_post(struct vcpu *v, uint8_t vector);
bool interrupt_pending(const struct vcpu *v);
/* Forgets what waits. */
void interrupt_reset(struct vcpu *v);

/*
 * On the way out, for the current vCPU: gives what waits and may be given now. True: something
 * still waits, and its page says so.
 */
bool interrupt_deliver(struct vcpu *v);

/*
 * irq_window(): what waits is given when the hypervisor is left, if the interrupt flag is set
 * by then. 0.
 *
 * send_ipi(vector, mask): posts a vector to each vCPU of the caller's domain whose bit is set,
 * its own too; those that are down are skipped. 0, or -EINVAL: a vector below 32 (exceptions
 * cannot be sent) or above 255; a bit for a vCPU that the domain does not have.
 */
int64_t do_irq_window(void);
int64_t do_send_ipi(uint64_t vector, uint64_t vcpu_mask);

#endif
