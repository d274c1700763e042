/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walk of a guest's page tables, as the hardware would do it (walk.c).
 */
#ifndef HYPERVISOR_WALK_H
#define HYPERVISOR_WALK_H

#include <stdbool.h>
#include <stdint.h>

struct domain;

struct walk {
	/* What was found, when walk_guest returned 0. */
	uint64_t gfn;	/* of the 4 KiB page that holds the address */
	unsigned level; /* of the leaf: 1, 2 or 3 */
	uint64_t entry; /* the leaf, with the A and D bits it has now */
	uint64_t *leaf; /* where it stands, for neighbours: entry 0 of its table; valid until the hypervisor is left */
	bool writable;	 /* by every level */
	bool user;	 /* by every level */
	bool executable; /* by every level */
};

/*
 * Walks from the level-4 table at root_gfn. access: FAULT_WRITE, FAULT_USER, FAULT_FETCH as in
 * an error code. Sets A at every level and, for a write, D at the leaf, as hardware does, with
 * compare-and-exchange. Returns 0, or the error code of the page fault (bit FAULT_USER as
 * asked), with WALK_FAULT set.
 */
#define WALK_FAULT 0x80000000U
uint32_t walk_guest(const struct domain *d, uint64_t root_gfn, uint64_t address, uint32_t access,
		    struct walk *walk);

/*
 * The same without changing anything and without asking for permissions: what the tables say
 * about an address now. False when it is not present. table_level 1: also false when a leaf is
 * above level 1 (see walk->level).
 */
bool walk_probe(const struct domain *d, uint64_t root_gfn, uint64_t address, struct walk *walk);

#endif
