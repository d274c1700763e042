// SPDX-License-Identifier: BSD-2-Clause
/*
 * Page tables of the guest, and the batches that tell the hypervisor. No locks: a root belongs to
 * one vCPU at a time, or the test takes care.
 */
#include "paging.h"

#include "test.h"

#define ENTRIES	    512
#define KERNEL_SLOT 256

extern uint64_t boot_root[ENTRIES];

uint64_t root_boot(void)
{
	return physical_of(boot_root);
}

uint64_t root_new(void)
{
	uint64_t *table = page_alloc();

	memcpy(table + KERNEL_SLOT, boot_root + KERNEL_SLOT, PAGE_SIZE / 2);
	return physical_of(table);
}

static void table_free(uint64_t *table, int level, int entries)
{
	int i;

	for (i = 0; level > 1 && i < entries; i++) {
		if ((table[i] & PTE_PRESENT) && !(table[i] & PTE_LARGE))
			table_free(pointer_of(table[i] & PTE_ADDRESS), level - 1, ENTRIES);
	}
	page_free(table);
}

void root_free(uint64_t root)
{
	table_free(pointer_of(root), 4, KERNEL_SLOT);
}

static uint64_t *entry_at(uint64_t *table, uint64_t address, int level)
{
	return &table[address >> (12 + 9 * (level - 1)) & (ENTRIES - 1)];
}

uint64_t *root_find(uint64_t root, uint64_t address, int level)
{
	uint64_t *entry = entry_at(pointer_of(root), address, 4);
	int at;

	for (at = 3; at >= level; at--) {
		if (!(*entry & PTE_PRESENT) || (at < 3 && (*entry & PTE_LARGE)))
			return NULL;
		entry = entry_at(pointer_of(*entry & PTE_ADDRESS), address, at);
	}
	return entry;
}

uint64_t *root_entry(uint64_t root, uint64_t address, int level)
{
	uint64_t *entry = entry_at(pointer_of(root), address, 4);
	int at;

	for (at = 3; at >= level; at--) {
		if (!(*entry & PTE_PRESENT))
			*entry = physical_of(page_alloc()) | PTE_PRESENT | PTE_WRITE | PTE_USER |
				 PTE_ACCESSED;
		entry = entry_at(pointer_of(*entry & PTE_ADDRESS), address, at);
	}
	return entry;
}

void root_map(uint64_t root, uint64_t address, uint64_t physical, uint64_t flags)
{
	atomic_store(root_entry(root, address, 1), physical | flags);
}

void root_map_large(uint64_t root, uint64_t address, uint64_t physical, uint64_t flags)
{
	atomic_store(root_entry(root, address, 2), physical | flags | PTE_LARGE);
}

void root_unmap(uint64_t root, uint64_t address)
{
	uint64_t *entry = root_find(root, address, 1);

	if (entry)
		atomic_store(entry, 0);
}

void *root_map_new(uint64_t root, uint64_t address, uint64_t flags)
{
	void *page = page_alloc();

	root_map(root, address, physical_of(page), flags);
	return page;
}

int64_t mmu_do(uint32_t operation, uint64_t root, uint64_t start, uint64_t end)
{
	struct rf_mmu_op op = { .operation = operation, .root = root, .start = start, .end = end };
	int64_t result;

	/* A result of zero operations done says that this one wants to go on. */
	do {
		result = hv_mmu_batch(ADDRESS(&op), 1);
	} while (!result);
	return result == 1 ? 0 : result;
}

int64_t root_load(uint64_t root)
{
	return mmu_do(RF_MMU_LOAD_ROOT, root, 0, 0);
}

int64_t mmu_flush(uint64_t root, uint64_t start, uint64_t end)
{
	return mmu_do(RF_MMU_FLUSH_RANGE, root, start, end);
}

int64_t mmu_flush_kernel(uint64_t start, uint64_t end)
{
	return mmu_do(RF_MMU_FLUSH_KERNEL, 0, start, end);
}

int64_t mmu_flush_all(void)
{
	return mmu_do(RF_MMU_FLUSH_ALL, 0, 0, 0);
}

int64_t mmu_destroy_root(uint64_t root)
{
	return mmu_do(RF_MMU_DESTROY_ROOT, root, 0, 0);
}
