// SPDX-License-Identifier: BSD-2-Clause
/* PCI devices; see pci.h. No locks: one vCPU at a time, since it takes two ports to reach a register. */
#include "pci.h"

#include "test.h"

#define CAPABILITIES_MOST 48

uint32_t pci_find(uint32_t id)
{
	uint32_t slot;

	for (slot = 0; slot < PCI_SLOTS; slot++)
		if (pci_read(slot, 0) == id)
			return slot;
	ERROR("there is no device %x", id);
}

static uint32_t find_msi(uint32_t slot)
{
	uint32_t at = pci_read(slot, PCI_CAPABILITIES) & 0xfc, tries;

	for (tries = 0; at && tries < CAPABILITIES_MOST; tries++) {
		uint32_t capability = pci_read(slot, at);

		if ((capability & 0xff) == PCI_MSI)
			return at;
		at = capability >> 8 & 0xfc;
	}
	ERROR("the device in slot %u sends no messages", slot);
}

void pci_set_message(uint32_t slot, uint64_t address, uint32_t data)
{
	uint32_t msi = find_msi(slot), control = pci_read(slot, msi);

	pci_write(slot, msi + 4, (uint32_t)address);
	if (control & PCI_MSI_64BIT)
		pci_write(slot, msi + 8, (uint32_t)(address >> 32));
	pci_write(slot, msi + (control & PCI_MSI_64BIT ? 12 : 8), data);
	pci_write(slot, msi, control | PCI_MSI_ENABLE);
}

void pci_use_pin(uint32_t slot)
{
	uint32_t msi = find_msi(slot);

	pci_write(slot, msi, pci_read(slot, msi) & ~PCI_MSI_ENABLE);
}
