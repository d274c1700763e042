/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain's memory: from guest frame numbers to machine frames (memory.c).
 *
 * The control domain's map is the identity: what it owns is what frame.h says it owns. Any
 * other domain has a table of 2 MiB slots, each either one contiguous chunk, or a table of 512
 * single frames, or empty.
 */
#ifndef HYPERVISOR_MEMORY_H
#define HYPERVISOR_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"
#include "spinlock.h"

struct domain;

struct memory {
	struct spinlock lock; /* for changes; readers are protected by quiesce.h */
	uint64_t *slots;      /* see memory.c; NULL: identity */
	uint64_t slot_count;
	uint64_t frames; /* owned now */
	uint64_t frames_max;
	uint64_t generation; /* goes up when a frame leaves: cached pointers of guest_access.c die */
};

/* Machine frame of a guest frame, FRAME_NONE when the domain has none there. */
uint64_t memory_lookup(const struct domain *d, uint64_t gfn);
/*
 * The same for 512 contiguous frames at an aligned gfn: FRAME_NONE unless all are owned and
 * contiguous.
 */
uint64_t memory_lookup_2m(const struct domain *d, uint64_t gfn);

/* A map for gfns 0 .. frames_max-1 (identity: no table). */
int memory_create(struct domain *d, uint64_t frames_max, bool identity);
/* Allocates frames for [gfn, gfn+count), 2 MiB chunks where possible. All or nothing. */
int memory_fill(struct domain *d, uint64_t gfn, uint64_t count);
/*
 * Gives frames back; at most `budget` of them are looked at; true when nothing is left. Only
 * for a domain that no longer runs.
 */
bool memory_teardown(struct domain *d, uint64_t budget);
void memory_destroy(struct domain *d);

int64_t do_memory_populate(uint64_t extents, uint64_t count);
int64_t do_memory_release(uint64_t extents, uint64_t count);

#endif
