/* SPDX-License-Identifier: BSD-2-Clause */
/* How the node's interfaces are, as the kernel says (network_facts.c). */
#ifndef TOOLSTACK_LIB_NETWORK_FACTS_H
#define TOOLSTACK_LIB_NETWORK_FACTS_H

#include "toolstack/lib/network_plan.h"

void network_facts_read(const struct network_want *want, struct network_facts *facts);
/* Whether an interface has an address that computers elsewhere may use. */
bool network_has_address(const char *interface);

#endif
