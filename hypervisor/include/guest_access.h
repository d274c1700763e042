/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only door to a guest's memory by its virtual addresses (guest_access.c).
 *
 * The hypervisor never dereferences an address of a guest: it walks the current vCPU's tables
 * in kernel view and copies through the direct map. Copying in happens once, into memory of the
 * hypervisor, before anything is checked.
 */
#ifndef HYPERVISOR_GUEST_ACCESS_H
#define HYPERVISOR_GUEST_ACCESS_H

#include <stddef.h>
#include <stdint.h>

struct domain;
struct vcpu;

/*
 * Where the pages of kernel addresses were found last: hypervisor pointers, valid for one
 * generation.
 */
#define GUEST_ACCESS_BITS  5
#define GUEST_ACCESS_CACHE (1U << GUEST_ACCESS_BITS)

struct guest_access_entry {
	uint64_t page; /* guest address; bit 0: may be written */
	uint64_t generation;
	char *pointer;
};

struct guest_access_cache {
	struct guest_access_entry entry[GUEST_ACCESS_CACHE];
};

/* 0 or -EFAULT. Nothing of the hypervisor's range or beyond canonical addresses is ever reached. */
int copy_from_guest(void *to, uint64_t from, size_t size);
int copy_to_guest(uint64_t to, const void *from, size_t size);

/*
 * Writes a byte as it is, though the guest may not write it: for who watches what is written. 0 or
 * -EFAULT.
 */
int guest_access_rewrite(uint64_t address);

/* Copying to and from a guest-physical range of any domain. */
int copy_to_guest_physical(struct domain *d, uint64_t to, const void *from, size_t size);
int copy_from_guest_physical(struct domain *d, void *to, uint64_t from, size_t size);

#endif
