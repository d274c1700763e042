// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that frames can be given back and taken again, come back zeroed, are never more than the
 * limit, and that giving back what is in use (a page table, the vCPU page) is safe. In the control
 * domain, whose frames are the machine's, and in another.
 */
/* covers: memory_populate, memory_release, domain_info */
#include "test.h"

const char test_title[] = "memory";

#define CHUNK 512

static uint64_t base; /* first of a few chunks that nobody else uses */

static int64_t release(uint64_t gfn, uint32_t order)
{
	struct rf_memory_extent extent = { .gfn = gfn, .order = order };

	return hv_memory_release(RF_DOMAIN_SELF, ADDRESS(&extent), 1);
}

static int64_t populate(uint64_t gfn, uint32_t order)
{
	struct rf_memory_extent extent = { .gfn = gfn, .order = order };

	return hv_memory_populate(RF_DOMAIN_SELF, ADDRESS(&extent), 1);
}

static uint64_t frames(void)
{
	struct rf_domain_info info;

	CHECK_EQ(hv_domain_info(RF_DOMAIN_SELF, ADDRESS(&info)), 0, "info");
	CHECK(info.frames <= info.frames_max, "%lu frames of %lu", info.frames, info.frames_max);
	return info.frames;
}

static uint64_t address_of(uint64_t gfn)
{
	return ADDRESS(pointer_of(gfn * PAGE_SIZE));
}

static void expect_absent(uint64_t gfn)
{
	struct trap trap;

	TRY(&trap)
	load64(address_of(gfn));
	CHECK_EQ(trap.vector, VECTOR_PF, "gfn %#lx is there", gfn);
	CHECK_EQ(trap.error, FAULT_PRESENT | FAULT_RESERVED, "gfn %#lx", gfn);
	CHECK_EQ(trap.cr2, address_of(gfn), "gfn %#lx", gfn);
}

static void expect_zero(uint64_t gfn, uint64_t count)
{
	const uint64_t *at = (const uint64_t *)address_of(gfn);
	uint64_t bits = 0;
	uint64_t i;

	for (i = 0; i < count * PAGE_SIZE / 8; i++)
		bits |= at[i];
	CHECK_EQ(bits, 0, "gfn %#lx", gfn);
}

static void single(void)
{
	uint64_t before = frames();
	uint64_t gfn = base + 5;

	memset((void *)address_of(gfn), 0xa5, PAGE_SIZE);
	CHECK_EQ(populate(gfn, 0), -ENOSPC, "the limit is reached");
	CHECK_EQ(release(gfn, 0), 1, "release");
	CHECK_EQ(frames(), before - 1, "one less");
	CHECK_EQ(populate(gfn + 1, 0), -EEXIST, "it is there");
	expect_absent(gfn);
	store64(address_of(gfn - 1), 1);
	store64(address_of(gfn + 1), 1);
	CHECK_EQ(release(gfn, 0), -ENOENT, "released already");
	CHECK_EQ(release(base, 9), -ENOENT, "a chunk with a hole");
	CHECK_EQ(populate(base, 9), -ENOSPC, "more than the limit");
	CHECK_EQ(populate(gfn, 0), 1, "populate");
	CHECK_EQ(frames(), before, "as before");
	expect_zero(gfn, 1);
	CHECK_EQ(load64(address_of(gfn + 1)), 1, "its neighbour");
}

static void chunk(void)
{
	uint64_t before = frames();
	uint64_t gfn = base + CHUNK;

	memset((void *)address_of(gfn), 0xa5, LARGE_PAGE_SIZE);
	CHECK_EQ(release(gfn, 9), 1, "release");
	CHECK_EQ(frames(), before - CHUNK, "a chunk less");
	expect_absent(gfn);
	expect_absent(gfn + CHUNK - 1);
	CHECK_EQ(populate(base, 9), -EEXIST, "it is there");
	CHECK_EQ(populate(gfn, 9), 1, "populate");
	expect_zero(gfn, CHUNK);
	CHECK_EQ(frames(), before, "as before");
}

static void batch(void)
{
	static struct rf_memory_extent extents[RF_MEMORY_BATCH_MAX];
	uint64_t before = frames();
	int64_t result;
	uint64_t done;
	uint32_t i;

	for (i = 0; i < RF_MEMORY_BATCH_MAX; i++)
		extents[i].gfn = base + i;
	for (done = 0; done < RF_MEMORY_BATCH_MAX; done += (uint64_t)result) {
		result = hv_memory_release(RF_DOMAIN_SELF, ADDRESS(extents + done),
					   RF_MEMORY_BATCH_MAX - done);
		if (!CHECK(result > 0, "release after %lu: %ld", done, result))
			return;
	}
	CHECK_EQ(frames(), before - RF_MEMORY_BATCH_MAX, "released");
	for (done = 0; done < RF_MEMORY_BATCH_MAX; done += (uint64_t)result) {
		result = hv_memory_populate(RF_DOMAIN_SELF, ADDRESS(extents + done),
					    RF_MEMORY_BATCH_MAX - done);
		if (!CHECK(result > 0, "populate after %lu: %ld", done, result))
			return;
	}
	CHECK_EQ(frames(), before, "populated");
	expect_zero(base, CHUNK);
	CHECK_EQ(hv_memory_release(RF_DOMAIN_SELF, ADDRESS(extents), RF_MEMORY_BATCH_MAX + 1),
		 -E2BIG, "too many");
}

/* The first wrong extent ends the batch; those before it are done. */
static void stops(void)
{
	struct rf_memory_extent extents[3] = { { .gfn = base },
					       { .order = 1 },
					       { .gfn = base + 1 } };

	CHECK_EQ(hv_memory_release(RF_DOMAIN_SELF, ADDRESS(extents), 3), 1, "one of three");
	expect_absent(base);
	store64(address_of(base + 1), 1);
	CHECK_EQ(hv_memory_release(RF_DOMAIN_SELF, ADDRESS(extents + 1), 2), -EINVAL, "the second");
	CHECK_EQ(populate(base, 0), 1, "back");
}

static void bad_extents(void)
{
	struct rf_memory_extent extent = { .gfn = base, .reserved = 1 };
	uint32_t i;

	CHECK_EQ(hv_memory_release(RF_DOMAIN_SELF, ADDRESS(&extent), 1), -EINVAL, "reserved");
	CHECK_EQ(hv_memory_populate(RF_DOMAIN_SELF, ADDRESS(&extent), 1), -EINVAL, "reserved");
	for (i = 1; i < 80; i++) {
		if (i == 9)
			continue;
		CHECK_EQ(release(base, i), -EINVAL, "order %u", i);
		CHECK_EQ(populate(base, i), -EINVAL, "order %u", i);
	}
	CHECK_EQ(release(base, ~0U), -EINVAL, "order -1");
	CHECK_EQ(release(base + 1, 9), -EINVAL, "not aligned");
	for (i = 34; i < 64; i++) {
		CHECK_EQ(release(base | 1UL << i, 0), -EINVAL, "gfn bit %u", i);
		CHECK_EQ(populate(base | 1UL << i, 0), -EINVAL, "gfn bit %u", i);
		CHECK_EQ(release(1UL << i, 9), -EINVAL, "gfn bit %u", i);
	}
	CHECK_EQ(release(~0UL, 0), -EINVAL, "last gfn");
	CHECK_EQ(release(~0UL - 511, 9), -EINVAL, "last chunk");
}

/* Frames of others: the control domain sees all numbers, and gets none that is not free. */
static void others(void)
{
	uint64_t before = frames();
	uint64_t gfn;
	uint64_t step = test_is_control() ? 97 : 1;

	for (gfn = 0; gfn < 0x20000; gfn += step) {
		int64_t result = populate(gfn, 0);

		CHECK(result < 0, "gfn %#lx: more than the limit", gfn);
		if (result > 0)
			release(gfn, 0);
	}
	CHECK_EQ(frames(), before, "nothing has changed");
}

/* The hypervisor has the page in use; it stays safe for it, and is gone for us. */
static void vcpu_page(void)
{
	struct vcpu *v = this_vcpu();
	struct rf_vcpu_page *old = v->page;
	uint64_t gfn = base + 7;
	uint32_t i;
	int64_t result;

	CHECK_EQ(hv_vcpu_register_page(gfn), 0, "register");
	result = release(gfn, 0);
	CHECK(result == 1 || result == -EBUSY, "%ld", result);
	for (i = 0; i < 100; i++)
		hv_yield();
	CHECK_EQ(hv_vcpu_register_page(physical_of(old) / PAGE_SIZE), 0, "the old one again");
	if (result == 1)
		CHECK_EQ(populate(gfn, 0), 1, "back");
	expect_zero(gfn, test_failures() ? 0 : 1);
}

/* A level-1 table given back while entries of it are in use. */
static void page_table(void)
{
	uint64_t at = TEST_KERNEL_BASE + 0x40000000;
	uint64_t table = base + 9;
	struct trap trap;

	root_map_new(root_boot(), at, PTE_KERNEL_RW);
	*(uint64_t *)address_of(table) = *root_find(root_boot(), at, 1);
	*root_find(root_boot(), at, 2) = table * PAGE_SIZE | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED;
	mmu_flush_all();
	store64(at, 1);
	CHECK_EQ(release(table, 0), 1, "release the table");
	mmu_flush_all();
	TRY(&trap)
	store64(at, 2);
	CHECK_EQ(trap.vector, VECTOR_PF, "its table is gone");
	CHECK_EQ(trap.error, FAULT_PRESENT | FAULT_WRITE | FAULT_RESERVED, "its table is gone");
	CHECK_EQ(populate(table, 0), 1, "back");
	TRY(&trap)
	store64(at, 3);
	CHECK_EQ(trap.error, FAULT_WRITE, "an empty table");
}

static void all(void)
{
	uint64_t end;

	memory_untouched(&base, &end);
	base = (base + CHUNK + 63) & ~(uint64_t)(CHUNK - 1);
	if (base + 2 * CHUNK > end)
		ERROR("too little memory: %#lx to %#lx", base, end);
	single();
	chunk();
	batch();
	stops();
	bad_extents();
	others();
	vcpu_page();
	page_table();
}

static const struct scenario scenarios[] = { { "mapped", all, SCENARIO_ENDS } };

void test_main(void)
{
	/* One after the other: a frame that one gives back the other may get. */
	scenarios_run(scenarios, 1);
	if (test_is_control())
		all();
}
