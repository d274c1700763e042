// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts as ACPI numbers them: inputs of the interrupt controllers, which are the hypervisor's.
 * Each one that a device has becomes an event channel, and keeps it.
 */
#include <linux/acpi.h>
#include <linux/init.h>
#include <linux/irqdomain.h>
#include <linux/mutex.h>
#include <linux/xarray.h>

#include <asm/acpi.h>
#include <asm/hw_irq.h>
#include <asm/irq_vectors.h>

#include <asm/ringfence/abi/interrupt.h>
#include <asm/ringfence/gsi.h>

#include "ringfence.h"

#define OVERRIDES_MAX	16

/* What the firmware says of inputs that do not do what their bus would have them do. */
static struct {
	u32 gsi;
	u16 flags;
} overrides[OVERRIDES_MAX];
static unsigned int override_count;

static DEFINE_MUTEX(gsi_mutex);
static DEFINE_XARRAY(gsi_irqs);

/* At its own number if that is free: those of the ISA bus are known by it. */
static int make_irq(struct rf_interrupt *interrupt)
{
	struct irq_alloc_info info = { .data = interrupt };
	int irq = __irq_domain_alloc_irqs(rf_event_domain, interrupt->gsi, 1, NUMA_NO_NODE, &info,
					  false, NULL);

	if (irq == -EEXIST && interrupt->gsi >= NR_IRQS_LEGACY)
		irq = __irq_domain_alloc_irqs(rf_event_domain, -1, 1, NUMA_NO_NODE, &info, false,
					      NULL);
	return irq;
}

static int irq_of_gsi(u32 gsi, bool level, bool low)
{
	struct rf_interrupt interrupt = {
		.kind	= RF_INTERRUPT_GSI,
		.gsi	= gsi,
		.flags	= (level ? RF_INTERRUPT_LEVEL : 0) | (low ? RF_INTERRUPT_LOW : 0),
	};
	void *known;
	int irq;

	mutex_lock(&gsi_mutex);
	known = xa_load(&gsi_irqs, gsi);
	if (known) {
		irq = xa_to_value(known);
	} else {
		irq = make_irq(&interrupt);
		if (irq >= 0)
			xa_store(&gsi_irqs, gsi, xa_mk_value(irq), GFP_KERNEL);
	}
	mutex_unlock(&gsi_mutex);
	return irq;
}

static int register_gsi(struct device *device, u32 gsi, int trigger, int polarity)
{
	return irq_of_gsi(gsi, trigger != ACPI_EDGE_SENSITIVE, polarity != ACPI_ACTIVE_HIGH);
}

/* Without an override ACPI's own interrupt is as those of PCI, and those of ISA are edges. */
static u16 default_flags(u32 gsi)
{
	if (gsi < NR_IRQS_LEGACY && gsi != acpi_gbl_FADT.sci_interrupt)
		return ACPI_MADT_TRIGGER_EDGE | ACPI_MADT_POLARITY_ACTIVE_HIGH;
	return ACPI_MADT_TRIGGER_LEVEL | ACPI_MADT_POLARITY_ACTIVE_LOW;
}

static u16 flags_of(u32 gsi)
{
	u16 flags = 0, otherwise = default_flags(gsi);
	unsigned int i;

	for (i = 0; i < override_count; i++)
		if (overrides[i].gsi == gsi)
			flags = overrides[i].flags;
	if (!(flags & ACPI_MADT_TRIGGER_MASK))
		flags |= otherwise & ACPI_MADT_TRIGGER_MASK;
	if (!(flags & ACPI_MADT_POLARITY_MASK))
		flags |= otherwise & ACPI_MADT_POLARITY_MASK;
	return flags;
}

int rf_gsi_to_irq(u32 gsi, unsigned int *irqp)
{
	u16 flags = flags_of(gsi);
	int irq = irq_of_gsi(gsi, (flags & ACPI_MADT_TRIGGER_MASK) == ACPI_MADT_TRIGGER_LEVEL,
			     (flags & ACPI_MADT_POLARITY_MASK) == ACPI_MADT_POLARITY_ACTIVE_LOW);

	if (irq < 0)
		return irq;
	*irqp = irq;
	return 0;
}

static int __init add_override(union acpi_subtable_headers *header, const unsigned long end)
{
	const struct acpi_madt_interrupt_override *override = (void *)header;

	if (BAD_MADT_ENTRY(override, end) || override_count == OVERRIDES_MAX)
		return -EINVAL;
	overrides[override_count].gsi = override->global_irq;
	overrides[override_count++].flags = override->inti_flags;
	if (override->source_irq == acpi_gbl_FADT.sci_interrupt)
		acpi_sci_override_gsi = override->global_irq;
	return 0;
}

void __init rf_gsi_init(void)
{
	if (acpi_disabled)
		return;
	/* The FADT's interrupt becomes this one. */
	acpi_sci_override_gsi = acpi_gbl_FADT.sci_interrupt;
	acpi_table_parse_madt(ACPI_MADT_TYPE_INTERRUPT_OVERRIDE, add_override, OVERRIDES_MAX);
	acpi_ioapic = 1;
	acpi_irq_model = ACPI_IRQ_MODEL_IOAPIC;
	__acpi_register_gsi = register_gsi;
	__acpi_unregister_gsi = NULL;
}

/* An IDE controller that behaves as those before PCI did has these, and nobody registers them. */
static int __init make_ide_irqs(void)
{
	unsigned int gsi, irq;

	if (!rf_domain() || acpi_disabled)
		return 0;
	for (gsi = 14; gsi <= 15; gsi++)
		if (rf_gsi_to_irq(gsi, &irq))
			pr_info("Ringfence: no interrupt %u\n", gsi);
	return 0;
}
arch_initcall(make_ide_irqs);
