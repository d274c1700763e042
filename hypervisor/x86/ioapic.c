// SPDX-License-Identifier: BSD-2-Clause
/*
 * The I/O interrupt controllers: each has some inputs, numbered on from the number that the
 * firmware's table gives its first.
 *
 * Interface: ioapic.h. Locks: a controller's own, around the two accesses that each of its
 * registers takes. Odd: inputs of devices that are the hypervisor's own count as taken, whether or
 * not it uses their interrupts.
 */
#include "ioapic.h"

#include "acpi.h"
#include "bitmap.h"
#include "log.h"
#include "paging.h"
#include "spinlock.h"
#include "abi/errno.h"

#define REGISTERS_SIZE 0x20
#define INDEX	       (0x00 / 4)
#define DATA	       (0x10 / 4)
#define VERSION	       0x01
#define ENTRY_LOW(n)   (0x10 + 2 * (n))
#define ENTRY_HIGH(n)  (0x11 + 2 * (n))
#define INPUTS_MAX     240

/* ISA: the old interrupt controllers, the interval timer, the serial line. */
#define GSI_PIC	       0
#define GSI_TIMER      2
#define GSI_SERIAL     4

struct ioapic {
	struct spinlock lock;
	volatile uint32_t *registers;
	uint32_t first; /* number of its first input */
	uint32_t inputs;
	uint64_t taken[BITMAP_WORDS(INPUTS_MAX)];
};

static struct ioapic ioapics[ACPI_IOAPICS_MAX];
static uint32_t ioapic_count;

static uint32_t read(struct ioapic *ioapic, uint32_t index)
{
	ioapic->registers[INDEX] = index;
	return ioapic->registers[DATA];
}

static void write(struct ioapic *ioapic, uint32_t index, uint32_t value)
{
	ioapic->registers[INDEX] = index;
	ioapic->registers[DATA] = value;
}

static void init(struct ioapic *ioapic, uint64_t physical, uint32_t first)
{
	ioapic->registers = paging_map_device(physical, REGISTERS_SIZE);
	ioapic->first = first;
	ioapic->inputs = (read(ioapic, VERSION) >> 16 & 0xff) + 1;
	if (ioapic->inputs > INPUTS_MAX)
		ioapic->inputs = INPUTS_MAX;
	for (uint32_t i = 0; i < ioapic->inputs; i++)
		write(ioapic, ENTRY_LOW(i), IOAPIC_MASKED);
	log_info("ioapic: interrupts %u to %u at %#lx", first, first + ioapic->inputs - 1,
		 physical);
}

void ioapic_init(void)
{
	static const uint32_t own[] = { GSI_PIC, GSI_TIMER, GSI_SERIAL };

	for (uint32_t i = 0; i < acpi_info.ioapic_count; i++)
		init(&ioapics[i], acpi_info.ioapics[i], acpi_info.ioapic_gsis[i]);
	ioapic_count = acpi_info.ioapic_count;
	for (uint32_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		ioapic_take(own[i]);
}

static struct ioapic *find(uint32_t gsi)
{
	for (uint32_t i = 0; i < ioapic_count; i++)
		if (gsi - ioapics[i].first < ioapics[i].inputs)
			return &ioapics[i];
	return NULL;
}

int ioapic_take(uint32_t gsi)
{
	struct ioapic *ioapic = find(gsi);

	if (!ioapic)
		return -EINVAL;
	return bitmap_atomic_test_and_set(ioapic->taken, gsi - ioapic->first) ? -EBUSY : 0;
}

void ioapic_give_back(uint32_t gsi)
{
	struct ioapic *ioapic = find(gsi);

	bitmap_atomic_clear(ioapic->taken, gsi - ioapic->first);
}

void ioapic_set_target(uint32_t gsi, uint32_t apic_id)
{
	struct ioapic *ioapic = find(gsi);

	spin_lock(&ioapic->lock);
	write(ioapic, ENTRY_HIGH(gsi - ioapic->first), apic_id << 24);
	spin_unlock(&ioapic->lock);
}

void ioapic_set(uint32_t gsi, uint32_t low_half)
{
	struct ioapic *ioapic = find(gsi);

	spin_lock(&ioapic->lock);
	write(ioapic, ENTRY_LOW(gsi - ioapic->first), low_half);
	/* A write to a device may be on its way for a while; a read follows it. */
	read(ioapic, ENTRY_LOW(gsi - ioapic->first));
	spin_unlock(&ioapic->lock);
}
