/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The quick way to memory of the guest kernel that was written before (guest_access.c fills the
 * cache): for frames on its stack.
 */
#ifndef HYPERVISOR_GUEST_ACCESS_CACHE_H
#define HYPERVISOR_GUEST_ACCESS_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "domain.h"
#include "guest_access.h"
#include "vcpu.h"

/* Bit of guest_access_entry.page. */
#define GUEST_ACCESS_WRITABLE 1ULL

/* What is remembered is good for one of these. */
static inline uint64_t guest_access_generation(const struct domain *d)
{
	return __atomic_load_n(&d->shadow.kernel_generation, __ATOMIC_ACQUIRE) +
	       __atomic_load_n(&d->memory.generation, __ATOMIC_ACQUIRE);
}

/*
 * Tasks' stacks lie at multiples of some pages, and one page of each is used: by the lowest bits of its
 * number, two tasks that take turns would often have the same entry. So all bits count (2^32 divided by the
 * golden ratio).
 */
static inline struct guest_access_entry *guest_access_entry(struct vcpu *v, uint64_t address)
{
	uint32_t hash = (uint32_t)(address >> FRAME_SHIFT) * 0x9e3779b1U;

	return &v->access_cache.entry[hash >> (32 - GUEST_ACCESS_BITS)];
}

/* Where it may be, too. */
static inline struct guest_access_entry *guest_access_second(struct vcpu *v, uint64_t address)
{
	size_t first = (size_t)(guest_access_entry(v, address) - v->access_cache.entry);

	return &v->access_cache.entry[first ^ 1];
}

static inline char *guest_access_match(const struct vcpu *v, const struct guest_access_entry *entry,
				       uint64_t address, size_t size, uint64_t any)
{
	uint64_t offset = address & (FRAME_SIZE - 1);

	if ((entry->page | any) != ((address - offset) | GUEST_ACCESS_WRITABLE) ||
	    entry->generation != guest_access_generation(v->domain) || offset > FRAME_SIZE - size)
		return NULL;
	return entry->pointer + offset;
}

/* any: GUEST_ACCESS_WRITABLE if the page need not be writable, else 0. */
static inline char *guest_access_find(struct vcpu *v, uint64_t address, size_t size, uint64_t any)
{
	return guest_access_match(v, guest_access_entry(v, address), address, size, any);
}

/*
 * Where to write `size` bytes at an address of the current vCPU; NULL: use copy_to_guest(). Good
 * until the hypervisor is left: whoever takes the frame away waits for that (quiesce.h).
 */
static inline void *guest_access_cached(struct vcpu *v, uint64_t address, size_t size)
{
	return guest_access_find(v, address, size, 0);
}

/* Where to read them, each once; NULL: use copy_from_guest(). */
static inline const void *guest_access_cached_read(struct vcpu *v, uint64_t address, size_t size)
{
	return guest_access_find(v, address, size, GUEST_ACCESS_WRITABLE);
}

#endif
