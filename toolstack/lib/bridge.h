/* SPDX-License-Identifier: BSD-2-Clause */
/* The control domain's end of networks: tap interfaces in a bridge. */
#ifndef TOOLSTACK_LIB_BRIDGE_H
#define TOOLSTACK_LIB_BRIDGE_H

#include <stdbool.h>

#include "toolstack/lib/report.h"

/* A tap of that name, up, and in the bridge if that is not NULL. False: there is no tap. */
bool bridge_attach(const char *bridge, const char *tap, unsigned mtu, struct report *report);
/* Nothing happens if it is not there. */
void bridge_detach(const char *tap);

#endif
