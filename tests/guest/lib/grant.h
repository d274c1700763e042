/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grants: this domain's page of entries, and single operations on those of others. Not included by
 * test.h.
 */
#ifndef GRANT_H
#define GRANT_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/grant.h"

extern struct rf_grant_entry grant_page[RF_GRANT_PAGE_ENTRIES];

/* Registers the page. */
void grant_init(void);
/* Writes an entry: frames from a physical address on, to a domain. */
void grant_set(uint32_t number, uint32_t domain, uint64_t physical, uint64_t count, uint64_t flags);
/* Takes it back; true: nobody uses it any more. */
bool grant_revoke(uint32_t number);
bool grant_is_used(uint32_t number);

/* Where this domain maps the index'th frame of others: in the control domain, zero. */
uint64_t grant_gfn(uint64_t index);

/* Maps all or some of a grant; the handle or the error; *gfn and *count as the call has them. */
int64_t grant_map_some(uint32_t domain, uint32_t number, uint32_t first, uint32_t *count,
		       uint64_t *gfn, uint32_t flags);
/* One frame, the first; *gfn: where it is. */
int64_t grant_map(uint32_t domain, uint32_t number, uint64_t index, uint64_t *gfn, uint32_t flags);
/* 0, or the error. */
int64_t grant_unmap(int64_t handle);
/* From a grant, and to one; 0, or the error. */
int64_t grant_copy_from(uint32_t domain, uint32_t number, uint64_t offset, void *to,
			uint32_t bytes);
int64_t grant_copy_to(uint32_t domain, uint32_t number, uint64_t offset, const void *from,
		      uint32_t bytes);

#endif
