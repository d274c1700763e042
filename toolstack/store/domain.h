/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_DOMAIN_H
#define STORE_DOMAIN_H

#include "store.h"

/* Those that use the store. All but domain_is_introduced() are for domain 0's sessions. 0 or an error number. */
int domain_introduce(struct store *store, uint16_t domain, uint64_t frame, uint32_t port);

/* The domain is no more: its nodes, its permissions everywhere, its sessions. The number can be used again. */
int domain_release(struct store *store, uint16_t domain);
bool domain_is_introduced(struct store *store, uint16_t domain);
int domain_set_target(struct store *store, uint16_t domain, uint16_t target);

/* As the journal has it. */
void domain_restore(struct store *store, uint16_t domain, uint64_t frame, uint32_t port);
void domain_forget(struct store *store, uint16_t domain);

#endif
