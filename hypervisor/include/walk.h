/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walk of a guest's page tables, as the hardware would do it (walk.c).
 */
#ifndef HYPERVISOR_WALK_H
#define HYPERVISOR_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "pte.h"

struct domain;

struct walk {
	uint64_t *leaf; /* where the leaf entry stands; for level 1, in its table; valid until the
			   hypervisor is left */
	uint64_t entry; /* the leaf, with the A and D bits it has now */
	uint64_t upper; /* what the levels above allow: PTE_WRITE and PTE_USER if all do,
			   PTE_NO_EXECUTE if one says so */
	unsigned level; /* of the leaf: 1, 2 or 3 */
	/* To a leaf of level 1: the entries of levels 2, 3, 4, and what they are. */
	uint64_t *slot[3];
	uint64_t value[3];
};

#define WALK_OK	   0U
#define WALK_FAULT 0x80000000U /* with the error code of the page fault */
#define WALK_RETRY 0x40000000U /* another vCPU keeps changing the entry: let the guest try again */

/*
 * The CPU's physical address width: entries with address bits above it are reserved. Called once at
 * start.
 */
void walk_init(unsigned physical_bits);

/*
 * Walks from the level-4 table at root_gfn. access: FAULT_WRITE, FAULT_USER, FAULT_FETCH as in an
 * error code; not FAULT_USER is the guest kernel, with SMEP and CR0.WP. Sets A at every level and,
 * for a write, D at the leaf, by compare-and-exchange.
 */
uint32_t walk_guest(const struct domain *d, uint64_t root_gfn, uint64_t address, uint32_t access,
		    struct walk *walk);

/*
 * The same without changing anything or asking for permissions: what lies at an address.
 * What lies below an entry without A counts as nothing: its use has to set A first.
 * WALK_TABLE: walk->leaf is the address's entry in a level-1 table (present or not), walk->upper
 * what the levels above allow.
 */
enum walk_kind {
	WALK_NONE,
	WALK_TABLE,
	WALK_LARGE,
};

enum walk_kind walk_probe(const struct domain *d, uint64_t root_gfn, uint64_t address,
			  struct walk *walk);

/* Whether a present entry has a bit set that must be zero at its level. */
bool walk_entry_reserved(uint64_t entry, unsigned level);

/* What the leaf and the levels above allow together: PTE_WRITE, PTE_USER, PTE_NO_EXECUTE. */
static inline uint64_t walk_rights(uint64_t upper, uint64_t entry)
{
	return (upper & entry & (PTE_WRITE | PTE_USER)) | ((upper | entry) & PTE_NO_EXECUTE);
}

/* The 4 KiB guest frame that an address maps to through a leaf. */
static inline uint64_t walk_gfn(uint64_t entry, unsigned level, uint64_t address)
{
	uint64_t offset = address & (pte_span(level) - 1);

	return ((entry & PTE_ADDRESS & ~(pte_span(level) - 1)) | offset) >> 12;
}

#endif
