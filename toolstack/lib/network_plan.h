/* SPDX-License-Identifier: BSD-2-Clause */
/* What has to be done to the control domain for a network of guests, and how it is undone (network_plan.c). */
#ifndef TOOLSTACK_LIB_NETWORK_PLAN_H
#define TOOLSTACK_LIB_NETWORK_PLAN_H

#include <jansson.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "toolstack/lib/address.h"
#include "toolstack/lib/report.h"

#define NETWORK_ADDRESSES 8
#define NETWORK_MAC	  18

enum network_mode {
	NETWORK_BRIDGE,
	NETWORK_NAT,
	NETWORK_ROUTED,
};

struct network_want {
	enum network_mode mode;
	const char *name;   /* of the bridge; of the tap, if it is routed */
	const char *uplink; /* the node's own interface, or NULL */
	bool move;	    /* its addresses may move to the bridge */
	struct address_subnet subnet;
	uint32_t ip;	    /* of the guest, if it is routed */
	const char *folder; /* of files for dnsmasq */
};

/* How the node is. */
struct network_facts {
	bool bridge;	       /* an interface of that name is there */
	bool uplink;	       /* it is there, too */
	char master[IFNAMSIZ]; /* the bridge that the uplink is in; empty: none */
	char mac[NETWORK_MAC]; /* of the uplink */
	unsigned count;	       /* of its addresses */
	uint32_t address[NETWORK_ADDRESSES];
	unsigned bits[NETWORK_ADDRESSES];
	bool others;	     /* and such of IPv6 that somebody has set, or more than are in here */
	uint32_t gateway;    /* of the default route through the uplink; 0: none */
	char user[IFNAMSIZ]; /* which interface leads into the subnet; empty: none */
};

/*
 * A list of objects: `do`, a command; `undo`, what takes it back; `input`, what the command reads.
 * They have no blanks within words. NULL: it is refused, and the report says why.
 */
json_t *network_plan(const struct network_want *want, const struct network_facts *facts,
		     struct report *report);

#endif
