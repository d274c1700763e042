/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grants from the side of who gives them: the table, and the use of its entries (grant.c). See
 * abi/grant.h; who maps is in grant_map.h.
 */
#ifndef HYPERVISOR_GRANT_H
#define HYPERVISOR_GRANT_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/grant.h"
#include "spinlock.h"

struct domain;

/* What the hypervisor knows of an entry, whatever the guest writes there. */
struct grant_pin {
	uint32_t count;	  /* mappings and copies now */
	uint32_t counted; /* for the audit */
};

struct grant_page {
	struct rf_grant_entry *entries; /* the guest's, held */
	struct grant_pin *pins;
};

struct grant_table {
	struct spinlock lock; /* see grant.c */
	uint32_t page_count;
	struct grant_page pages[RF_GRANT_PAGES];
};

/* An entry that was read once and is in use: what it says, whatever it says now. */
struct grant {
	uint64_t gfn;
	uint64_t frames;
};

/*
 * One use more of an entry, by another domain: 0, or an error of abi/grant.h. The caller has a
 * reference to the granter, and no lock.
 */
int grant_pin(struct domain *granter, const struct domain *user, uint32_t number, bool write,
	      struct grant *grant);
/* One less. What it was used for cannot be reached any more. */
void grant_unpin(struct domain *granter, uint32_t number);

/* Gives everything back. Only for a domain that no longer runs. */
void grant_destroy(struct domain *d);

int64_t do_grant_register(uint64_t gfn);
int64_t do_grant_copy(uint64_t operations, uint64_t count);

#endif
