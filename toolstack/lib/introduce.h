/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain's place in the store: made when the domain is, gone before the domain is (introduce.c). Without
 * a store a domain runs as well, but has no devices.
 */
#ifndef TOOLSTACK_LIB_INTRODUCE_H
#define TOOLSTACK_LIB_INTRODUCE_H

#include <stdbool.h>
#include <stdint.h>

#include "toolstack/lib/config.h"
#include "toolstack/lib/report.h"
#include "toolstack/store/client/rfstore.h"

/*
 * Makes its nodes; the port by which it reaches the store is for its start information, 0: there is none, and the
 * report has a warning.
 */
uint32_t introduce_domain(uint32_t domain, const struct config *config, struct report *report);
/* The same for one that runs, if this store does not know it. False: nothing was to be done, or it failed. */
bool introduce_late(struct rfstore *store, uint32_t domain, const struct config *config);
/* Writes a node of its own, such as memory/target, for it to read and to follow: 0, or a negative error. */
int introduce_tell(uint32_t domain, const char *node, const char *value);
void introduce_rename(uint32_t domain, const char *name);
/* Before the number can be another domain's. */
void introduce_release(uint32_t domain);
/*
 * Takes away the folders in /vm of domains that are no more, whoever ended them: those of which `is_there` says so. How
 * many.
 */
unsigned introduce_sweep(struct rfstore *store, bool (*is_there)(void *argument, uint32_t domain),
			 void *argument);

#endif
