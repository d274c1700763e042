/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page tables of the guest: ordinary memory, changed by plain writes. A root is the guest-physical
 * address of a level-4 table. root_new() shares the kernel half with the one the guest started on.
 */
#ifndef PAGING_H
#define PAGING_H

#include <stdint.h>

#include "abi/mmu.h"

#define PTE_PRESENT	 0x1UL
#define PTE_WRITE	 0x2UL
#define PTE_USER	 0x4UL
#define PTE_PWT		 0x8UL
#define PTE_PCD		 0x10UL
#define PTE_ACCESSED	 0x20UL
#define PTE_DIRTY	 0x40UL
#define PTE_LARGE	 0x80UL
#define PTE_GLOBAL	 0x100UL
#define PTE_NX		 (1UL << 63)
#define PTE_ADDRESS	 0x000ffffffffff000UL

/* What a test mostly wants: nothing left for the hypervisor to set. */
#define PTE_AD		 (PTE_ACCESSED | PTE_DIRTY)
#define PTE_USER_RW	 (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_AD | PTE_NX)
#define PTE_USER_RO	 (PTE_PRESENT | PTE_USER | PTE_AD | PTE_NX)
#define PTE_USER_RX	 (PTE_PRESENT | PTE_USER | PTE_AD)
#define PTE_KERNEL_RW	 (PTE_PRESENT | PTE_WRITE | PTE_AD | PTE_NX)

/* #PF error code */
#define FAULT_PRESENT	 0x1
#define FAULT_WRITE	 0x2
#define FAULT_USER	 0x4
#define FAULT_RESERVED	 0x8
#define FAULT_FETCH	 0x10

/* The hypervisor's range, and what else no guest can map. */
#define HYPERVISOR_START 0xffff800000000000UL
#define HYPERVISOR_END	 0xffff880000000000UL
#define USER_END	 0x0000800000000000UL

/* Free for tests: a part of the kernel half that boot_root has no tables for (slot 300). */
#define TEST_KERNEL_BASE 0xffff960000000000UL

uint64_t root_boot(void);
uint64_t root_new(void);
/* Frees the tables of the user half and the root; tell the hypervisor first (mmu_destroy_root). */
void root_free(uint64_t root);
int64_t root_load(uint64_t root);

/*
 * The entry of an address at a level (1: 4 KiB page ... 4), with the tables above made as needed,
 * all rights.
 */
uint64_t *root_entry(uint64_t root, uint64_t address, int level);
/* The same, NULL where there is no table. */
uint64_t *root_find(uint64_t root, uint64_t address, int level);
/* Writes an entry: physical | flags. No flush. */
void root_map(uint64_t root, uint64_t address, uint64_t physical, uint64_t flags);
void root_map_large(uint64_t root, uint64_t address, uint64_t physical, uint64_t flags);
void root_unmap(uint64_t root, uint64_t address);
/* A fresh page mapped; the pointer is its address in the direct map. */
void *root_map_new(uint64_t root, uint64_t address, uint64_t flags);

/* One operation as a batch of one: 0, or the error. */
int64_t mmu_do(uint32_t operation, uint64_t root, uint64_t start, uint64_t end);
int64_t mmu_flush(uint64_t root, uint64_t start, uint64_t end);
int64_t mmu_flush_kernel(uint64_t start, uint64_t end);
int64_t mmu_flush_all(void);
int64_t mmu_destroy_root(uint64_t root);

#endif
