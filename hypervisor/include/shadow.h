/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shadows: the tables the CPU walks, filled from the guest's as a TLB would be. One rule
 * isolates domains, checked where an entry is made (shadow_entry_make in shadow.c): it maps
 * only a frame this domain owns, no wider than the guest's tables allow.
 *
 * A root has two level-4 tables, the views: the kernel view maps everything (the user half with
 * NX), the user view the user half only. Both share the tables below. The kernel half is one
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

#define SHADOW_ROOTS 128
#define SHADOW_HASH  256
#define SHADOW_POOL_MINIMUM                                                                        \
	64 /* frames: enough for one root, its longest path and the kernel half's */

struct shadow_root {
	struct spinlock lock;
	uint64_t gfn; /* of the guest's level-4 table */
	uint64_t user_table; /* mfn of the user view's level-4 table; its slots 0-255 are the master of the user half */
	uint64_t kernel_table; /* mfn of the kernel view's */
	uint64_t loaded;       /* mask of CPUs that have it in CR3; changed atomically */
	uint64_t last_used;
	bool in_use;
	bool kernel_only; /* the user half holds an entry user mode may not use: drop before entering it */
	uint64_t next_fault_page; /* sequential faults widen the window */
	uint32_t window;
	int16_t hash_next; /* index into roots, -1: none */
};

struct shadow_pool {
	struct spinlock lock;
	struct list_node
		free; /* zeroed or to be zeroed on use; tag says which level a dirty one had */
	uint64_t frames;
	uint64_t used;
};

struct shadow {
	struct spinlock lock;
	struct spinlock kernel_lock;
	struct shadow_pool pool;
	uint64_t kernel_root;  /* gfn from which the kernel half is walked; FRAME_NONE: not yet */
	uint64_t kernel_table; /* mfn of the master of slots 272-511 */
	uint64_t kernel_generation; /* goes up with every flush of the kernel half */
	uint64_t clock;		    /* for last_used */
	uint64_t cpus; /* mask of CPUs that run a vCPU of the domain now; changed atomically */
	uint32_t roots_limit;
	int16_t hash[SHADOW_HASH];
	struct shadow_root roots[SHADOW_ROOTS];
};

enum shadow_result {
	SHADOW_FILLED,	    /* try again */
	SHADOW_GUEST_FAULT, /* the guest's tables do not allow it: error code in *error */
};

int shadow_create(struct domain *d, uint64_t pool_frames);
/* As memory_teardown: true when all frames are given back. */
void shadow_destroy(struct domain *d);

/* A fault of the current vCPU. access: bits of an error code. */
enum shadow_result shadow_fault(struct vcpu *v, uint64_t address, uint32_t access, uint32_t *error);

/*
 * The operations of abi/mmu.h. They cannot fail on guest input that mmu.c has checked, save for
 * memory: -ENOMEM.
 */
int shadow_load_root(struct vcpu *v, uint64_t root_gfn);
void shadow_flush_range(struct domain *d, uint64_t root_gfn, uint64_t start, uint64_t end);
void shadow_flush_kernel(struct domain *d, uint64_t start, uint64_t end);
void shadow_flush_all(struct domain *d);
void shadow_prefill(struct vcpu *v, uint64_t root_gfn, uint64_t start, uint64_t end);
void shadow_drop_user(struct domain *d, uint64_t root_gfn);
int shadow_destroy_root(struct domain *d, uint64_t root_gfn);
int shadow_set_kernel_root(struct domain *d, uint64_t root_gfn);

/*
 * Before user mode: fill where the last fault was given, and forget what only the kernel may
 * see.
 */
void shadow_before_user(struct vcpu *v);

/* vCPU leaves or comes to this CPU. */
void shadow_vcpu_leave(struct vcpu *v);
void shadow_vcpu_enter(struct vcpu *v);

/* NULL when every entry is right, else what is not. */
const char *shadow_audit(struct domain *d);

#endif
