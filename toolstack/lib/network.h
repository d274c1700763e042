/* SPDX-License-Identifier: BSD-2-Clause */
/* Networks of guests in the control domain: made with the first tap, gone with the last (network.c). */
#ifndef TOOLSTACK_LIB_NETWORK_H
#define TOOLSTACK_LIB_NETWORK_H

#include <jansson.h>
#include <stdbool.h>

#include "toolstack/lib/report.h"

#define NETWORK_BRIDGE_NAME "rf0"
#define NETWORK_NAT_NAME    "rfnat0"

/*
 * Makes the tap, and what it belongs to. `net` is as config_net.c leaves it, with mac and mtu; when
 * it has no `ip` and is behind NAT, that is chosen, and put into it. `guest` is the guest's name,
 * for others in its network. False: nothing of it is left.
 */
bool network_join(json_t *net, const char *tap, const char *guest, struct report *report);
/* Nothing happens if it is not there. */
void network_leave(const char *tap);

#endif
