// SPDX-License-Identifier: BSD-2-Clause
/*
 * The network card that interrupts on request; see card.h. No locks: one vCPU at a time.
 * Odd: its registers are reached by two ports, an index and the data.
 */
#include "card.h"

#include "test.h"

#define PCI_ADDRESS    0xcf8
#define PCI_DATA       0xcfc
#define PCI_ENABLE     0x80000000U

#define CARD_ID	       0x10d38086U
#define PCI_COMMAND    0x04
#define PCI_PORTS      0x18 /* the base address of its ports */
#define PCI_CAPABLE    0x34
#define PCI_PIN	       0x3c
#define COMMAND_PORTS  0x1
#define COMMAND_MEMORY 0x2
#define COMMAND_MASTER 0x4

#define CAPABILITY_MSI 0x05
#define MSI_ENABLE     0x10000U
#define MSI_64BIT      0x800000U

/* Registers of the card. */
#define CAUSE	       0x00c0 /* reading it clears it */
#define CAUSE_SET      0x00c8
#define ENABLE	       0x00d0
#define DISABLE	       0x00d8
#define CAUSE_LINK     0x4U

static uint32_t device; /* number of its configuration, without the register */
static uint16_t ports;
static uint32_t msi;

static void out32(uint16_t port, uint32_t value)
{
	asm volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static uint32_t in32(uint16_t port)
{
	uint32_t value;

	asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static uint32_t config_read(uint32_t offset)
{
	out32(PCI_ADDRESS, PCI_ENABLE | device | offset);
	return in32(PCI_DATA);
}

static void config_write(uint32_t offset, uint32_t value)
{
	out32(PCI_ADDRESS, PCI_ENABLE | device | offset);
	out32(PCI_DATA, value);
}

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

static bool find(void)
{
	uint32_t slot;

	for (slot = 0; slot < 32; slot++) {
		device = slot << 11;
		if (config_read(0) == CARD_ID)
			return true;
	}
	return false;
}

static void find_msi(void)
{
	uint32_t at, tries;

	at = config_read(PCI_CAPABLE) & 0xfc;
	for (tries = 0; at && tries < 48; tries++) {
		if ((config_read(at) & 0xff) == CAPABILITY_MSI)
			msi = at;
		at = config_read(at) >> 8 & 0xfc;
	}
}

void card_init(void)
{
	if (!find())
		ERROR("there is no network card e1000e");
	ports = config_read(PCI_PORTS) & 0xfffc;
	find_msi();
	if (!ports || !msi)
		ERROR("the card has no ports (%#x) or no messages (%#x)", ports, msi);
	config_write(PCI_COMMAND, COMMAND_PORTS | COMMAND_MEMORY | COMMAND_MASTER);
	card_write(DISABLE, ~0U);
	card_calm();
	card_write(ENABLE, CAUSE_LINK);
}

uint32_t card_gsi(void)
{
	return config_read(PCI_PIN) & 0xff;
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
	uint32_t control = config_read(msi);

	config_write(msi + 4, (uint32_t)address);
	if (control & MSI_64BIT)
		config_write(msi + 8, (uint32_t)(address >> 32));
	config_write(msi + (control & MSI_64BIT ? 12 : 8), data);
	config_write(msi, control | MSI_ENABLE);
}

void card_use_pin(void)
{
	config_write(msi, config_read(msi) & ~MSI_ENABLE);
}
