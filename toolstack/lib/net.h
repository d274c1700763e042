/* SPDX-License-Identifier: BSD-2-Clause */
/* Network interfaces of guests: folders in the store, a tap, and rf-net for each (net.c). docs/io.md has the keys. */
#ifndef TOOLSTACK_LIB_NET_H
#define TOOLSTACK_LIB_NET_H

#include "toolstack/lib/device.h"

/* It is attached by net_attach(), which completes the keys. */
extern const struct device_class net_class;

/* `net` is an object as config_net.c leaves it. Waits until the back end has begun. False: nothing of it is left. */
bool net_attach(uint32_t domain, const json_t *net, unsigned *id, struct report *report);
/* All of a configuration, which may be NULL. */
bool net_attach_all(uint32_t domain, const json_t *nets, struct report *report);

#endif
