/* SPDX-License-Identifier: GPL-2.0 */
/* Event channels to other domains, each known by its interrupt. From any context but where it says so. */
#ifndef _ASM_X86_RINGFENCE_CHANNEL_H
#define _ASM_X86_RINGFENCE_CHANNEL_H

#include <linux/types.h>

/*
 * A new port that the domain may connect to, and one that is connected to a port of that domain. The
 * interrupt is masked until it is requested. Returns the interrupt or an error; sleeps.
 */
int rf_channel_listen(u32 domain);
int rf_channel_connect(u32 domain, u32 port);

/* The number of its port, which the other domain is told. */
u32 rf_channel_port(unsigned int irq);

/* -ENOTCONN: nobody is connected. */
int rf_channel_send(unsigned int irq);

/* After free_irq(). Sleeps. */
void rf_channel_close(unsigned int irq);

#endif
