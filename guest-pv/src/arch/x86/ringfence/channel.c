// SPDX-License-Identifier: GPL-2.0
/*
 * Event channels to other domains, for drivers. What they are as interrupts is event.c's.
 */
#include <linux/export.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>

#include <asm/ringfence/channel.h>

#include "ringfence.h"

/* port may be an error. */
static int irq_of_new(long port)
{
	int irq;

	if (port < 0)
		return port;
	irq = rf_event_irq(port);
	if (irq < 0)
		rf_call1(RF_HYPERCALL_event_close, port);
	return irq;
}

int rf_channel_listen(u32 domain)
{
	return irq_of_new(rf_call1(RF_HYPERCALL_event_listen, domain));
}
EXPORT_SYMBOL_GPL(rf_channel_listen);

int rf_channel_connect(u32 domain, u32 port)
{
	return irq_of_new(rf_call2(RF_HYPERCALL_event_connect, domain, port));
}
EXPORT_SYMBOL_GPL(rf_channel_connect);

u32 rf_channel_port(unsigned int irq)
{
	return irqd_to_hwirq(irq_get_irq_data(irq));
}
EXPORT_SYMBOL_GPL(rf_channel_port);

int rf_channel_send(unsigned int irq)
{
	return rf_call1(RF_HYPERCALL_event_send, rf_channel_port(irq));
}
EXPORT_SYMBOL_GPL(rf_channel_send);

void rf_channel_close(unsigned int irq)
{
	irq_domain_free_irqs(irq, 1);
}
EXPORT_SYMBOL_GPL(rf_channel_close);
