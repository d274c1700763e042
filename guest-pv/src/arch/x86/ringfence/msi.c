// SPDX-License-Identifier: GPL-2.0
/*
 * Messages of PCI devices: each is an event channel, and what the hypervisor says is written to the
 * device. Where a message goes, the device need not know: that is asked of the hypervisor.
 */
#include <linux/init.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/msi.h>
#include <linux/pci.h>

#include <asm/x86_init.h>

#include "ringfence.h"

/* Not every device can mask its messages. */
static void mask_message(struct irq_data *data)
{
	pci_msi_mask_irq(data);
	irq_chip_mask_parent(data);
}

static void unmask_message(struct irq_data *data)
{
	irq_chip_unmask_parent(data);
	pci_msi_unmask_irq(data);
}

static struct irq_chip msi_chip = {
	.name			= "Ringfence-MSI",
	.irq_mask		= mask_message,
	.irq_unmask		= unmask_message,
	.irq_ack		= irq_chip_ack_parent,
	.irq_retrigger		= irq_chip_retrigger_hierarchy,
	.irq_set_affinity	= irq_chip_set_affinity_parent,
	.flags			= IRQCHIP_SKIP_SET_WAKE | IRQCHIP_AFFINITY_PRE_STARTUP,
};

static struct msi_domain_ops msi_ops;

static struct msi_domain_info msi_info = {
	.flags		= MSI_FLAG_USE_DEF_DOM_OPS | MSI_FLAG_USE_DEF_CHIP_OPS | MSI_FLAG_PCI_MSIX,
	.ops		= &msi_ops,
	.chip		= &msi_chip,
	.handler	= handle_edge_irq,
	.handler_name	= "edge",
};

static struct irq_domain *__init create_msi_domain(void)
{
	struct fwnode_handle *name = irq_domain_alloc_named_fwnode("Ringfence-MSI");

	return name ? pci_msi_create_irq_domain(name, &msi_info, rf_event_domain) : NULL;
}

void __init rf_msi_init_ops(void)
{
	x86_init.irqs.create_pci_msi_domain = create_msi_domain;
}
