/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain with memory and vCPUs for the tests of what guests reach by their addresses, without a
 * scheduler: the test says which vCPU is on which CPU. It has no name and is on no list.
 */
#ifndef FAKE_GUEST_H
#define FAKE_GUEST_H

#include <stdbool.h>
#include <stdint.h>

struct domain;
struct vcpu;

struct fake_guest_config {
	uint64_t chunks; /* of 2 MiB, from gfn_base on; every third is made of single frames */
	uint32_t vcpus;
	uint64_t pool_frames; /* of the shadows: 0, the least there can be */
	bool identity;	      /* as the control domain: gfns are mfns */
};

/*
 * fake_memory_init comes first. The vCPUs are on no CPU; their root is the first frame. Fails the
 * test when memory runs out.
 */
struct domain *fake_guest_create(const struct fake_guest_config *config);
/* Its vCPUs are on no CPU. All it was made of is free again. */
void fake_guest_destroy(struct domain *d);
/* First gfn of its memory: 0, or where an identity domain has frames. */
uint64_t fake_guest_base(const struct domain *d);

/* The CPU of this thread (fake_set_cpu) gets a vCPU in place of what it has; NULL: nothing. */
void fake_guest_switch(struct vcpu *next);

/* The words of a frame the guest has. */
uint64_t *fake_guest_frame(const struct domain *d, uint64_t gfn);

/*
 * Writes an entry for an address at a level (1-3) into the tables below root_gfn. Tables that are
 * missing come from *next_table on, each present, writable, for users and accessed.
 */
void fake_guest_map(const struct domain *d, uint64_t root_gfn, uint64_t address, unsigned level,
		    uint64_t entry, uint64_t *next_table);

#endif
