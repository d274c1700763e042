/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_DOMAIN_RING_H
#define STORE_DOMAIN_RING_H

#include "server.h"
#include "toolstack/share/share.h"

/*
 * From now on the server's domains are those of the hypervisor that share leads to: what was introduced is
 * served by its ring, and released when it has ended. What the journal has of others is released at once.
 */
void domain_ring_start(struct server *server, struct share *share);
/* Before the server is freed. */
void domain_ring_stop(struct server *server);

#endif
