/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The format of a page-table entry: guests write it, the walker reads it, the shadows are made
 * of it.
 */
#ifndef HYPERVISOR_PTE_H
#define HYPERVISOR_PTE_H

#include <stdbool.h>
#include <stdint.h>

#define PTE_PRESENT	      (1ULL << 0)
#define PTE_WRITE	      (1ULL << 1)
#define PTE_USER	      (1ULL << 2)
#define PTE_WRITE_THROUGH     (1ULL << 3)
#define PTE_CACHE_DISABLE     (1ULL << 4)
#define PTE_ACCESSED	      (1ULL << 5)
#define PTE_DIRTY	      (1ULL << 6)
#define PTE_LARGE	      (1ULL << 7) /* levels 2 and 3 */
#define PTE_PAT		      (1ULL << 7) /* level 1 */
#define PTE_GLOBAL	      (1ULL << 8)
#define PTE_PAT_LARGE	      (1ULL << 12)
#define PTE_NO_EXECUTE	      (1ULL << 63)
#define PTE_ADDRESS	      0x000ffffffffff000ULL

#define PTE_ENTRIES	      512

/* The slots of a level-4 table that are the hypervisor's in every root. */
#define SLOT_HYPERVISOR_FIRST 256
#define SLOT_HYPERVISOR_LAST  271
#define HYPERVISOR_BASE	      0xffff800000000000ULL
#define HYPERVISOR_END	      0xffff880000000000ULL

/*
 * The last page of the lower half is never mapped: a `syscall` at its end would leave a RIP
 * that SYSRET faults on.
 */
#define USER_HALF_END	      0x0000800000000000ULL
#define USER_MAP_END	      (USER_HALF_END - 4096)

/* Bits of a page fault's error code. */
#define FAULT_PRESENT	      0x01
#define FAULT_WRITE	      0x02
#define FAULT_USER	      0x04
#define FAULT_RESERVED	      0x08
#define FAULT_FETCH	      0x10

static inline bool address_is_canonical(uint64_t address)
{
	return ((int64_t)(address << 16) >> 16) == (int64_t)address;
}

static inline bool address_is_hypervisor(uint64_t address)
{
	return address >= HYPERVISOR_BASE && address < HYPERVISOR_END;
}

/* Addresses of the half that all roots of a domain share. */
static inline bool address_is_kernel_half(uint64_t address)
{
	return address >= HYPERVISOR_END;
}

/* Whether the guest's tables have a say at an address. */
static inline bool address_is_mappable(uint64_t address)
{
	return address_is_canonical(address) && !address_is_hypervisor(address) &&
	       (address & ~4095ULL) != USER_MAP_END;
}

/* Bits 12.. of the index at a level, 1 to 4. */
static inline unsigned pte_index(uint64_t address, unsigned level)
{
	return (address >> (12 + 9 * (level - 1))) & (PTE_ENTRIES - 1);
}

/* Bytes one entry of a level maps. */
static inline uint64_t pte_span(unsigned level)
{
	return 1ULL << (12 + 9 * (level - 1));
}

#endif
