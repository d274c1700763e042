// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that a guest's 2 MiB page over contiguous memory takes one fill, that one over memory with
 * a hole, or split into small pages, is right too, and that a 1 GiB page works.
 */
/* covers: mmu_batch, counters, memory_release, memory_populate */
#include "test.h"

const char test_title[] = "large pages";

#define USER_BASE 0x40000000UL
#define PAGES	  512

static uint64_t root;
static uint8_t *memory;

static uint64_t fills(void)
{
	struct rf_counters counters = {};

	CHECK_EQ(hv_counters(RF_DOMAIN_SELF, 0, ADDRESS(&counters)), 0, "counters");
	return counters.fills;
}

static int64_t read_at(uint64_t address)
{
	volatile int64_t value = 0;
	struct trap trap;

	TRY(&trap)
	value = load64(address);
	return trap.vector == VECTOR_NONE ? value : -(int64_t)trap.vector;
}

static void number_pages(uint64_t first)
{
	uint64_t i;

	for (i = 0; i < PAGES; i++)
		*(uint64_t *)(memory + i * PAGE_SIZE) = first + i;
}

static void flush(uint64_t base)
{
	CHECK_EQ(base < USER_END ? mmu_flush(root, base, base + LARGE_PAGE_SIZE)
				 : mmu_flush_kernel(base, base + LARGE_PAGE_SIZE),
		 0, "flush");
}

static uint64_t flags(uint64_t base)
{
	return base < USER_END ? PTE_USER_RW : PTE_KERNEL_RW;
}

static void one_fill(uint64_t base)
{
	uint64_t before, i;

	number_pages(1000);
	root_map_large(root, base, physical_of(memory), flags(base));
	flush(base);
	before = fills();
	for (i = 0; i < PAGES; i++)
		CHECK_EQ(read_at(base + i * PAGE_SIZE), 1000 + i, "page %lu", i);
	for (i = 0; i < PAGES; i++)
		store64(base + i * PAGE_SIZE, 2000 + i);
	CHECK(fills() - before <= 2, "%lu fills for a 2 MiB page", fills() - before);
	for (i = 0; i < PAGES; i++)
		CHECK_EQ(*(uint64_t *)(memory + i * PAGE_SIZE), 2000 + i, "page %lu", i);
}

/* Split: the same memory by small pages, some absent, some read-only. */
static void split(uint64_t base)
{
	uint64_t *table = page_alloc();
	uint64_t i;

	number_pages(3000);
	for (i = 0; i < PAGES; i++)
		table[i] = i % 3 == 0
				   ? 0
				   : (physical_of(memory) + (PAGES - 1 - i) * PAGE_SIZE) |
					     (i % 3 == 1 ? flags(base) : flags(base) & ~PTE_WRITE);
	atomic_store(root_entry(root, base, 2),
		     physical_of(table) | PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED);
	flush(base);
	for (i = 0; i < PAGES; i++) {
		int64_t expected = i % 3 ? 3000 + (int64_t)(PAGES - 1 - i) : -VECTOR_PF;
		struct trap trap;

		CHECK_EQ(read_at(base + i * PAGE_SIZE), expected, "split, page %lu", i);
		TRY(&trap)
		store64(base + i * PAGE_SIZE + 8, i);
		CHECK_EQ(trap.vector, i % 3 == 1 ? VECTOR_NONE : VECTOR_PF, "split, page %lu", i);
	}
	root_map_large(root, base, physical_of(memory), flags(base));
	flush(base);
	for (i = 0; i < PAGES; i++)
		CHECK_EQ(read_at(base + i * PAGE_SIZE), 3000 + i, "joined, page %lu", i);
}

static int64_t release(uint64_t gfn)
{
	struct rf_memory_extent extent = { .gfn = gfn };

	return hv_memory_release(RF_DOMAIN_SELF, ADDRESS(&extent), 1);
}

static int64_t populate(uint64_t gfn)
{
	struct rf_memory_extent extent = { .gfn = gfn };

	return hv_memory_populate(RF_DOMAIN_SELF, ADDRESS(&extent), 1);
}

/* A frame in the middle is given back: the rest of the large page stays, the hole faults. */
static void hole(uint64_t base)
{
	uint64_t gfn = physical_of(memory) / PAGE_SIZE + 100;
	uint64_t i;

	number_pages(4000);
	CHECK_EQ(read_at(base), 4000, "whole");
	CHECK_EQ(release(gfn), 1, "release");
	for (i = 0; i < PAGES; i++)
		CHECK_EQ(read_at(base + i * PAGE_SIZE), i == 100 ? -VECTOR_PF : (int64_t)(4000 + i),
			 "hole, page %lu", i);
	CHECK_EQ(populate(gfn), 1, "populate");
	flush(base);
	for (i = 0; i < PAGES; i++)
		CHECK_EQ(read_at(base + i * PAGE_SIZE), i == 100 ? 0 : 4000 + i, "filled, page %lu",
			 i);
}

static void gigabyte(void)
{
	uint64_t base = USER_BASE + (1UL << 39);
	uint64_t offset = physical_of(memory);
	uint64_t i;

	number_pages(5000);
	if (!CHECK(offset < 1UL << 30, "memory at %#lx", offset))
		return;
	atomic_store(root_entry(root, base, 3), PTE_USER_RW | PTE_LARGE);
	for (i = 0; i < PAGES; i++)
		CHECK_EQ(read_at(base + offset + i * PAGE_SIZE), 5000 + i, "1 GiB, page %lu", i);
	atomic_store(root_entry(root, base, 3), 0);
	CHECK_EQ(mmu_flush(root, base, base + (1UL << 30)), 0, "flush");
	CHECK_EQ(read_at(base + offset), -VECTOR_PF, "1 GiB, absent");
}

void test_main(void)
{
	static const uint64_t bases[] = { USER_BASE, TEST_KERNEL_BASE };
	uint32_t i;

	root = root_boot();
	memory = pages_alloc(PAGES, LARGE_PAGE_SIZE);
	for (i = 0; i < 2; i++) {
		one_fill(bases[i]);
		split(bases[i]);
	}
	gigabyte();
	/* In the control domain the frame given back is the one that is taken again, if it is free. */
	if (test_is_control())
		CHECK_EQ(domain_wait_end(domain_named("other"), 60, &(struct rf_domain_info){}),
			 RF_DOMAIN_SHUTDOWN, "the other domain");
	/* What comes back into the hole may be another frame: no large page from here on. */
	for (i = 0; i < 2; i++)
		hole(bases[i]);
	if (test_is_control())
		test_audit_flushed();
}
