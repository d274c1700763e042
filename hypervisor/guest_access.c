// SPDX-License-Identifier: BSD-2-Clause
/*
 * Copying to and from a guest: by walking its tables and going through the direct map, page by
 * page. The hypervisor never dereferences a guest's address, so no access can fault here, and no
 * stale translation of a CPU can matter.
 *
 * Pages of the kernel half (stacks, buffers) come again and again: each vCPU remembers where a few
 * were. What it remembers is good for one generation, which ends with every flush of the kernel
 * half and whenever a frame leaves the domain.
 *
 * No locks: frames stay while the hypervisor is not left (quiesce.h). The compiler cannot read
 * guest memory twice: memcpy to memory of our own, and a barrier after it.
 */
#include "guest_access.h"

#include <stdbool.h>

#include "domain.h"
#include "guest_access_cache.h"
#include "memory.h"
#include "string.h"
#include "vcpu.h"
#include "walk.h"
#include "abi/errno.h"

#define PAGE_OFFSET (FRAME_SIZE - 1)

static char *frame_byte(uint64_t mfn, uint64_t address)
{
	return (char *)arch_frame_pointer(mfn) + (address & PAGE_OFFSET);
}

/* The hypervisor's pointer to a guest address, or NULL. Good to the end of the page. */
static char *walk_pointer(struct vcpu *v, uint64_t address, bool write)
{
	const struct domain *d = v->domain;
	uint64_t root = address_is_kernel_half(address) ? d->shadow.kernel_half.guest_root
							: v->root_gfn;
	struct walk walk;
	uint64_t mfn;

	if (!address_is_mappable(address))
		return NULL;
	if (walk_guest(d, root, address, write ? FAULT_WRITE : 0, &walk) != WALK_OK)
		return NULL;
	mfn = memory_lookup(d, walk_gfn(walk.entry, walk.level, address));
	return mfn == FRAME_NONE ? NULL : frame_byte(mfn, address);
}

/* What was in its place goes to the second one: two pages that are used in turn both stay. */
static void remember(struct vcpu *v, struct guest_access_entry entry)
{
	struct guest_access_entry *first = guest_access_entry(v, entry.page);

	if ((first->page ^ entry.page) & ~PAGE_OFFSET)
		*guest_access_second(v, entry.page) = *first;
	*first = entry;
}

static __attribute__((noinline)) char *guest_pointer_slow(struct vcpu *v, uint64_t address,
							  bool write)
{
	uint64_t generation = guest_access_generation(v->domain);
	char *pointer = walk_pointer(v, address, write);

	if (pointer && address_is_kernel_half(address))
		remember(v, (struct guest_access_entry){
				    .page = (address & ~PAGE_OFFSET) |
					    (write ? GUEST_ACCESS_WRITABLE : 0),
				    .generation = generation,
				    .pointer = pointer - (address & PAGE_OFFSET),
			    });
	return pointer;
}

static inline char *guest_pointer(struct vcpu *v, uint64_t address, bool write)
{
	uint64_t any = write ? 0 : GUEST_ACCESS_WRITABLE;
	char *pointer = guest_access_find(v, address, 1, any);

	if (!pointer)
		pointer = guest_access_match(v, guest_access_second(v, address), address, 1, any);
	return pointer ? pointer : guest_pointer_slow(v, address, write);
}

/* A range that goes on at zero after the last address there is. */
static inline bool range_wraps(uint64_t address, size_t size)
{
	return size && address + (size - 1) < address;
}

static size_t bytes_in_page(uint64_t address, size_t size)
{
	size_t left = FRAME_SIZE - (address & PAGE_OFFSET);

	return size < left ? size : left;
}

int copy_from_guest(void *to, uint64_t from, size_t size)
{
	struct vcpu *v = vcpu_current();

	if (range_wraps(from, size))
		return -EFAULT;
	while (size) {
		size_t bytes = bytes_in_page(from, size);
		const char *pointer = guest_pointer(v, from, false);

		if (!pointer)
			return -EFAULT;
		memcpy(to, pointer, bytes);
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		to = (char *)to + bytes;
		from += bytes;
		size -= bytes;
	}
	return 0;
}

int copy_to_guest(uint64_t to, const void *from, size_t size)
{
	struct vcpu *v = vcpu_current();

	if (range_wraps(to, size))
		return -EFAULT;
	while (size) {
		size_t bytes = bytes_in_page(to, size);
		char *pointer = guest_pointer(v, to, true);

		if (!pointer)
			return -EFAULT;
		memcpy(pointer, from, bytes);
		from = (const char *)from + bytes;
		to += bytes;
		size -= bytes;
	}
	return 0;
}

int guest_access_rewrite(uint64_t address)
{
	char *pointer = guest_pointer(vcpu_current(), address, false);

	if (!pointer)
		return -EFAULT;
	__atomic_fetch_or(pointer, 0, __ATOMIC_SEQ_CST);
	return 0;
}

int copy_to_guest_physical(struct domain *d, uint64_t to, const void *from, size_t size)
{
	while (size) {
		size_t bytes = bytes_in_page(to, size);
		uint64_t mfn = memory_lookup(d, to >> FRAME_SHIFT);

		if (mfn == FRAME_NONE)
			return -EFAULT;
		memcpy(frame_byte(mfn, to), from, bytes);
		from = (const char *)from + bytes;
		to += bytes;
		size -= bytes;
	}
	return 0;
}

int copy_from_guest_physical(struct domain *d, void *to, uint64_t from, size_t size)
{
	while (size) {
		size_t bytes = bytes_in_page(from, size);
		uint64_t mfn = memory_lookup(d, from >> FRAME_SHIFT);

		if (mfn == FRAME_NONE)
			return -EFAULT;
		memcpy(to, frame_byte(mfn, from), bytes);
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		to = (char *)to + bytes;
		from += bytes;
		size -= bytes;
	}
	return 0;
}
