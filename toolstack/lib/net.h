/* SPDX-License-Identifier: BSD-2-Clause */
/* Network interfaces of guests: folders in the store, a tap, and rf-net for each (net.c). docs/io.md has the keys. */
#ifndef TOOLSTACK_LIB_NET_H
#define TOOLSTACK_LIB_NET_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "toolstack/lib/report.h"

/*
 * `net` is an object of texts: private keys of docs/io.md, and `bridge`. Waits until the back end has begun. False:
 * nothing of it is left.
 */
bool net_attach(uint32_t domain, const json_t *net, unsigned *id, struct report *report);
/* Asks the guest to let go, and waits so many seconds for it; with `force` it is not asked. */
bool net_detach(uint32_t domain, unsigned id, unsigned seconds, bool force, struct report *report);
/* When a guest ends: nothing is waited for. */
void net_forget_all(uint32_t domain);
/* A list of objects; NULL: the report says why not. */
json_t *net_list(uint32_t domain, struct report *report);
/* The number of the interface of that number. False: there is none. */
bool net_find(uint32_t domain, const char *word, unsigned *id, struct report *report);

#endif
