// SPDX-License-Identifier: BSD-2-Clause
/*
 * The network card that interrupts on request; see card.h. No locks: one vCPU at a time.
 * Odd: its registers are reached by two ports, an index and the data.
 */
#include "card.h"

#include "pci.h"
#include "test.h"

#define CARD_ID	   0x10d38086U
#define CARD_PORTS 0x18 /* in its configuration: the base address of its ports */

/* Registers of the card. */
#define CAUSE	   0x00c0 /* reading it clears it */
#define CAUSE_SET  0x00c8
#define ENABLE	   0x00d0
#define DISABLE	   0x00d8
#define CAUSE_LINK 0x4U

static uint32_t slot;
static uint16_t ports;

static void card_write(uint32_t offset, uint32_t value)
{
	out32(ports, offset);
	out32(ports + 4, value);
}

static uint32_t card_read(uint32_t offset)
{
	out32(ports, offset);
	return in32(ports + 4);
}

void card_init(void)
{
	slot = pci_find(CARD_ID);
	ports = pci_read(slot, CARD_PORTS) & 0xfffc;
	if (!ports)
		ERROR("the card has no ports");
	pci_write(slot, PCI_COMMAND, PCI_PORTS | PCI_MEMORY | PCI_MASTER);
	card_write(DISABLE, ~0U);
	card_calm();
	card_write(ENABLE, CAUSE_LINK);
}

uint32_t card_gsi(void)
{
	return pci_read(slot, PCI_INTERRUPT_LINE) & 0xff;
}

void card_raise(void)
{
	card_write(CAUSE_SET, CAUSE_LINK);
}

void card_calm(void)
{
	card_read(CAUSE);
}

void card_set_message(uint64_t address, uint32_t data)
{
	pci_set_message(slot, address, data);
}

void card_use_pin(void)
{
	pci_use_pin(slot);
}
