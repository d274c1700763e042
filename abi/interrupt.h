/* SPDX-License-Identifier: MIT */
/*
 * Interrupts of devices, which reach the control domain as events. interrupt_bind makes a port of
 * one; event_set_vcpu and event_close serve it as they do others.
 *
 * A level interrupt is masked at its interrupt controller when it comes, and unmasked by
 * interrupt_end, when the device has been served. Edges and messages need no end. The hypervisor
 * acknowledges all of them at once.
 */
#ifndef RINGFENCE_ABI_INTERRUPT_H
#define RINGFENCE_ABI_INTERRUPT_H

#include <stdint.h>

#define RF_INTERRUPT_GSI   0 /* an input of an I/O interrupt controller, as ACPI numbers them */
#define RF_INTERRUPT_MSI   1 /* a message: the caller gives address and data to the device */

/* Flags of a GSI; a message has none. */
#define RF_INTERRUPT_LEVEL 0x1 /* level triggered; else edge */
#define RF_INTERRUPT_LOW   0x2 /* active low; else high */

struct rf_interrupt {
	uint32_t kind;	      /* RF_INTERRUPT_GSI or RF_INTERRUPT_MSI */
	uint32_t gsi;	      /* zero for a message */
	uint32_t flags;	      /* RF_INTERRUPT_LEVEL, RF_INTERRUPT_LOW */
	uint32_t vcpu;	      /* which vCPU is told; its CPU now is the one that is interrupted */
	uint64_t msi_address; /* out; zero for a GSI */
	uint32_t msi_data;    /* out; zero for a GSI */
	uint32_t reserved;    /* zero */
};

_Static_assert(sizeof(struct rf_interrupt) == 32, "rf_interrupt layout");

#endif
