/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports of 32 bits, and with them the configuration of PCI devices of bus 0. Control domain only. */
#ifndef PCI_H
#define PCI_H

#include <stdint.h>

#define PCI_COMMAND	   0x04
#define PCI_BAR0	   0x10
#define PCI_CAPABILITIES   0x34
#define PCI_INTERRUPT_LINE 0x3c

#define PCI_PORTS	   0x1 /* in the command register: it answers to its ports, its memory, */
#define PCI_MEMORY	   0x2
#define PCI_MASTER	   0x4 /* it may write to memory, and send messages */

#define PCI_MSI		   0x05	    /* a capability */
#define PCI_MSI_ENABLE	   0x10000U /* in its first register */
#define PCI_MSI_64BIT	   0x800000U

#define PCI_SLOTS	   32

static inline void out32(uint16_t port, uint32_t value)
{
	asm volatile("outl %0, %1" : : "a"(value), "d"(port));
}

static inline uint32_t in32(uint16_t port)
{
	uint32_t value;

	asm volatile("inl %1, %0" : "=a"(value) : "d"(port));
	return value;
}

static inline uint32_t pci_read(uint32_t slot, uint32_t reg)
{
	out32(0xcf8, 0x80000000 | slot << 11 | reg);
	return in32(0xcfc);
}

static inline void pci_write(uint32_t slot, uint32_t reg, uint32_t value)
{
	out32(0xcf8, 0x80000000 | slot << 11 | reg);
	out32(0xcfc, value);
}

/* The slot of a device by vendor and product; ends the test when it is not there. */
uint32_t pci_find(uint32_t id);

/* Makes it send this message from now on, or interrupt by its pin again. It must be able to. */
void pci_set_message(uint32_t slot, uint64_t address, uint32_t data);
void pci_use_pin(uint32_t slot);

#endif
