/* SPDX-License-Identifier: BSD-2-Clause */
/* Domains, seen from the control domain: finding them, looking at them, asking for their end (domain.c). */
#ifndef TOOLSTACK_LIB_DOMAIN_H
#define TOOLSTACK_LIB_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/counters.h"
#include "abi/domain.h"
#include "toolstack/lib/access.h"

#define DOMAIN_NUMBERS 1024 /* the hypervisor has no higher ones */

/* The first domain with that number or a higher one; false: there is none. */
bool domain_next(struct access *access, uint32_t number, struct rf_domain_info *info);
/* 0, or a negative error. */
int domain_get(struct access *access, uint32_t number, struct rf_domain_info *info);
/* By number or by name. -ESRCH: none, -EEXIST: several have this name. */
int domain_find(struct access *access, const char *word, struct rf_domain_info *info);
int domain_set(struct access *access, uint32_t number, const struct rf_domain_set *set);
int domain_pause(struct access *access, uint32_t number, bool paused);
int domain_counters(struct access *access, uint32_t number, uint32_t vcpu,
		    struct rf_counters *counters);
/* What a domain printed, or the hypervisor's log, from a position on; how many bytes, 0: no more. */
int64_t domain_read(struct access *access, uint32_t number, char *text, size_t size,
		    uint64_t *position);
/* How many of the bytes there was room for. */
int64_t domain_type(struct access *access, uint32_t number, const char *text, size_t size);
int domain_trigger(struct access *access, uint32_t number, uint32_t what, uint64_t argument);
/* Waits until nothing is left of it. -ETIMEDOUT: it takes longer. */
int domain_destroy(struct access *access, const struct rf_domain_info *info, unsigned milliseconds);
/* Waits until it has ended by itself, or is gone. -ETIMEDOUT likewise; 0: info is its last. */
int domain_wait(struct access *access, struct rf_domain_info *info, unsigned milliseconds);
bool domain_ended(const struct rf_domain_info *info);
/* One word: "running", "powered-off" ... */
const char *domain_state(const struct rf_domain_info *info);

#endif
