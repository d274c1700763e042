/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shadows: the tables the CPU walks, filled from the guest's as a TLB would be. One rule
 * isolates domains, checked where an entry is made (shadow_entry_make in shadow.c): it maps
 * only a frame this domain owns, no wider than the guest's tables allow.
 *
 * A root has two level-4 tables, the views: the kernel view maps everything (the user half with
 * NX), the user view the user half only. Both share the tables below; a slot below which something
 * is for the kernel only is missing in the user view until a user needs it. The kernel half is one
 * set of tables per domain, walked from the registered kernel root and linked into every kernel
 * view.
 *
 *  shadow.c        roots: create, find, load, evict, drop, destroy
 *  shadow_fill.c   one missing entry and a window of its neighbours; prefill
 *  shadow_flush.c  resync of a range
 *  shadow_pool.c   the fixed pool of frames, reclaimed lazily
 *  shadow_audit.c  every entry against the guest's tables and the owner of its frame
 */
#ifndef HYPERVISOR_SHADOW_H
#define HYPERVISOR_SHADOW_H

#include <stdbool.h>
#include <stdint.h>

#include "list.h"
#include "spinlock.h"

struct domain;
struct vcpu;

#define SHADOW_ROOTS	    128
#define SHADOW_HASH	    256
/* Frames beside the roots': the tables one instruction can need at once. */
#define SHADOW_POOL_MINIMUM 64
#define SHADOW_WINDOW_MIN   8 /* entries that a fill looks at */
#define SHADOW_REGIONS	    4 /* regions that a half remembers */

/* How far a fill looks around: faults that come in order widen it. */
struct shadow_window {
	uint64_t next; /* first page after the last window */
	uint32_t size; /* entries, a power of two; 0 counts as SHADOW_WINDOW_MIN */
};

/*
 * A 2 MiB region that was filled lately, for shadow_quick.c: where its tables are, and what must
 * not have changed for that to hold.
 */
struct shadow_region {
	uint64_t number;   /* address >> 21; SHADOW_REGION_NONE: empty */
	uint64_t *slot[3]; /* the guest's entries above, */
	uint64_t value[3]; /* and what they were */
	uint64_t *guest;   /* the guest's level-1 table */
	uint64_t *table;   /* the shadow's, */
	uint64_t *used;	   /* and which of its entries may not be zero */
	uint64_t allow;	   /* an entry as the levels above let it be: (entry & allow) | deny */
	uint64_t deny;
	uint64_t chunk; /* frames of this 2 MiB chunk are the domain's: an entry that maps to it, */
	uint64_t delta; /* and the way from guest to machine addresses */
} __attribute__((aligned(128))); /* found by a shift */

#define SHADOW_REGION_NONE (~0ULL)

/* A tree of shadow tables: a root's user half, or the domain's kernel half. */
struct shadow_half {
	struct domain *domain;
	struct shadow_root *root; /* NULL: the kernel half */
	uint64_t guest_root;	  /* gfn of the guest's level-4 table */
	uint64_t *table;	  /* level 4: the kernel view's, or the master of the kernel half */
	uint64_t *user_table;	  /* the user view's level 4 for a user half, else NULL */
	struct shadow_window window;
	struct shadow_region region[SHADOW_REGIONS];
};

struct shadow_root {
	struct spinlock lock;
	uint64_t gfn;	     /* of the guest's level-4 table; FRAME_NONE: this structure is free */
	uint64_t user_table; /* mfn of the user view's level-4 table: slots 0-255 */
	uint64_t kernel_table; /* mfn of the kernel view's: the same with NX, and the kernel half */
	uint64_t loaded;       /* mask of CPUs that have it in CR3; changed atomically */
	uint64_t last_used;    /* shadow.clock at the last load */
	bool fresh;	       /* no user mode has been on it yet */
	struct shadow_half half;
	int16_t hash_next; /* index into roots, -1: none */
};

/* Frames of one domain's shadows; never more than it was made with. See shadow_pool.c. */
struct shadow_pool {
	struct spinlock lock;
	struct list_node free;
	uint64_t frames;
	uint64_t reserve;   /* kept for level-4 tables */
	uint64_t available; /* on the list; what dropped tables hold below them comes later */
};

struct shadow {
	struct spinlock lock;	     /* roots, hash, clock */
	struct spinlock kernel_lock; /* the kernel half */
	struct shadow_pool pool;
	struct shadow_half kernel_half; /* guest_root FRAME_NONE: not known yet */
	uint64_t kernel_table;		/* mfn of the master of slots 272-511 */
	uint64_t kernel_generation;	/* goes up with every flush of the kernel half */
	uint64_t clock;
	uint64_t cpus; /* mask of CPUs that run a vCPU of the domain; changed atomically */
	int16_t hash[SHADOW_HASH];
	struct shadow_root roots[SHADOW_ROOTS];
};

enum shadow_result {
	SHADOW_FILLED,	    /* try again */
	SHADOW_GUEST_FAULT, /* the guest's tables do not allow it: error code in *error */
};

/* pool_frames is raised to what the vCPUs need at least. */
int shadow_create(struct domain *d, uint64_t pool_frames);
/*
 * The domain does not run any more. Teardown gives back at most `budget` frames; true: nothing is
 * left. Destroy: everything at once, for a domain that never ran.
 */
bool shadow_teardown(struct domain *d, uint64_t budget);
void shadow_destroy(struct domain *d);

/* A fault of the current vCPU. access: FAULT_WRITE, FAULT_USER, FAULT_FETCH. */
enum shadow_result shadow_fault(struct vcpu *v, uint64_t address, uint32_t access, uint32_t *error);

/* The operations of abi/mmu.h, on input that mmu.c has checked. */
void shadow_load_root(struct vcpu *v, uint64_t root_gfn);
void shadow_flush_range(struct domain *d, uint64_t root_gfn, uint64_t start, uint64_t end);
void shadow_flush_kernel(struct domain *d, uint64_t start, uint64_t last);
void shadow_flush_all(struct domain *d);
void shadow_prefill(struct domain *d, uint64_t root_gfn, uint64_t start, uint64_t end);
void shadow_drop_user(struct domain *d, uint64_t root_gfn);
int shadow_destroy_root(struct domain *d, uint64_t root_gfn); /* -EBUSY */
void shadow_set_kernel_root(struct domain *d, uint64_t root_gfn);

/*
 * Where a frame that is not the domain's own stands in its shadows: a page of a half, as a number.
 * After shadow_drop_place() of each and shadow_shootdown() no CPU has a translation from there.
 */
#define SHADOW_PLACE_NONE 0
#define SHADOW_PLACE_MANY (~0ULL)
void shadow_drop_place(struct domain *d, uint64_t place);
void shadow_shootdown(struct domain *d);

/* Before user mode: fill where the last fault was given. */
void shadow_before_user(struct vcpu *v);

/*
 * A vCPU comes to this CPU, and leaves it. In this order, so that CR3 never holds a table that may
 * be reused: shadow_vcpu_enter(next), arch_vcpu_switch(previous, next), shadow_vcpu_leave(previous,
 * next). Either may be NULL.
 */
void shadow_vcpu_enter(struct vcpu *next);
void shadow_vcpu_leave(struct vcpu *previous, const struct vcpu *next);

/*
 * NULL when all is well, else what is not: every table is of the pool and counted once, every entry
 * maps a frame of the domain, and, with strict, is no wider than the guest's tables are now (true
 * whenever the guest has flushed what it tightened). The domain must not run meanwhile.
 */
const char *shadow_audit(struct domain *d, bool strict);

#endif
