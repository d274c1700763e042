/* SPDX-License-Identifier: MIT */
/*
 * Grants: a domain lets another use frames of its own. Its grants are entries of pages that it
 * gives the hypervisor by grant_register, 256 a page; the number of an entry is what the other
 * domain names.
 *
 * The granter alone writes the word `grant`, as a whole. Writing 0 revokes: nobody new gets to the
 * frames. Whoever used them before still does while `in_use` is not zero, so the granter reads that
 * after a full barrier, and keeps the frames as they are until it is zero; then it stays zero
 * until something is granted there again. `in_use` is written by the hypervisor alone, and may be
 * other than zero for a moment when somebody tries in vain.
 *
 * grant_map, grant_unmap and grant_copy take an array of operations, perform them in order, and
 * return how many they did; if not even the first, its error. They stop at the first that fails,
 * and after RF_GRANT_BATCH_FRAMES frames: then call again with the rest.
 *
 * Mapping: the control domain sees a granted frame at its machine address, so that only what it may
 * do changes. Others say where: any guest frame numbers below their limit of memory (frames_max,
 * rounded up to 512 frames) where they have no frame, or the RF_GRANT_WINDOW ones from there on. Such
 * frames can be mapped by page tables and nothing else: they hold no page tables, no arguments of
 * hypercalls, no stacks for exceptions, no page that is registered; and they cannot be granted on.
 * A page that is mapped for reading only is read-only whatever the page tables say: writing is a
 * page fault with the bits for "present" and "reserved".
 */
#ifndef RINGFENCE_ABI_GRANT_H
#define RINGFENCE_ABI_GRANT_H

#include <stdint.h>

#define RF_GRANT_PAGES	      32    /* of a domain's table */
#define RF_GRANT_PAGE_ENTRIES 256   /* in each */
#define RF_GRANT_FRAMES	      1024  /* that one grant names at most */
#define RF_GRANT_WINDOW	      65536 /* guest frame numbers above a domain's memory */
#define RF_GRANT_MAPPINGS     4096 /* of a domain at once; the control domain has eight times that */
#define RF_GRANT_BATCH_MAX    512  /* operations a call */
#define RF_GRANT_BATCH_FRAMES 2048 /* a call that has done so many stops */

#define RF_GRANT_STORE	      0 /* by custom the number of the page of io/store.h */

/* The word: bits 2-11 frames less one, bits 12-51 the address of the first, bits 52-63 to whom. */
#define RF_GRANT_VALID	      0x1ULL
#define RF_GRANT_WRITE	      0x2ULL /* it may write them, too */
#define RF_GRANT_COUNT_SHIFT  2
#define RF_GRANT_ADDRESS      0x000ffffffffff000ULL
#define RF_GRANT_DOMAIN_SHIFT 52

struct rf_grant_entry {
	uint64_t grant;
	uint64_t in_use; /* mappings and copies now */
};

/* grant_map: flags */
#define RF_GRANT_MAP_WRITE 0x1

/*
 * Frames [first, first + count) of a grant. For the control domain, as many as follow each other in
 * the machine, at least one: `count` says how many; the rest is another mapping.
 */
struct rf_grant_map {
	uint32_t domain; /* whose */
	uint32_t grant;
	uint32_t first;
	uint32_t count; /* in and out */
	uint64_t gfn;	/* where: in; the control domain: zero in, out */
	uint32_t flags;
	uint32_t handle; /* zero in; out: what grant_unmap takes */
};

struct rf_grant_unmap {
	uint32_t handle;
	uint32_t reserved; /* must be zero */
};

/* Bytes within a page. domain RF_DOMAIN_SELF: of the caller's own memory, and grant is zero. */
struct rf_grant_place {
	uint32_t domain;
	uint32_t grant;
	uint64_t address; /* from the start of the grant; of its own: guest-physical */
};

struct rf_grant_copy {
	struct rf_grant_place from;
	struct rf_grant_place to;
	uint32_t bytes;
	uint32_t reserved; /* must be zero */
};

_Static_assert(sizeof(struct rf_grant_entry) == 16, "rf_grant_entry layout");
_Static_assert(16 * RF_GRANT_PAGE_ENTRIES == 4096, "a page of entries");
_Static_assert(sizeof(struct rf_grant_place) == 16, "rf_grant_place layout");
_Static_assert(sizeof(struct rf_grant_map) == 32, "rf_grant_map layout");
_Static_assert(sizeof(struct rf_grant_unmap) == 8, "rf_grant_unmap layout");
_Static_assert(sizeof(struct rf_grant_copy) == 40, "rf_grant_copy layout");
_Static_assert((RF_GRANT_FRAMES - 1ULL) << RF_GRANT_COUNT_SHIFT == 0xffc, "a count fits its bits");

#endif
