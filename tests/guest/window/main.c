// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that the hypervisor fills many entries for one fault where the guest's tables are full,
 * that a page fault the guest resolves costs two entries, and that prefills save their faults.
 */
/* covers: mmu_batch, counters */
#include "test.h"

const char test_title[] = "windows of fills, prefill";

#define USER_BASE 0x10000000UL
#define PAGES	  4096UL
#define FAULTS	  400

USER_ASM(user_store, "1: movq $1, (%rdi); add $4096, %rdi; jmp 1b");

static struct rf_counters before, after;
static uint64_t root;
static uint64_t frame;

static void start(void)
{
	CHECK_EQ(hv_counters(RF_DOMAIN_SELF, 0, ADDRESS(&before)), 0, "counters");
}

static void stop(void)
{
	CHECK_EQ(hv_counters(RF_DOMAIN_SELF, 0, ADDRESS(&after)), 0, "counters");
}

#define DELTA(field) (after.field - before.field)

static void map_all(uint64_t base)
{
	uint64_t i;

	for (i = 0; i < PAGES; i++)
		root_map(root, base + i * PAGE_SIZE, frame,
			 base < USER_END ? PTE_USER_RW : PTE_KERNEL_RW);
}

static void sequential(uint64_t base)
{
	uint64_t i;

	map_all(base);
	start();
	for (i = 0; i < PAGES; i++)
		load8(base + i * PAGE_SIZE);
	stop();
	printf("%lu pages in order at %#lx: %lu fills, %lu neighbours\n", PAGES, base, DELTA(fills),
	       DELTA(window_fills));
	CHECK(DELTA(fills) <= PAGES / 512 + 8, "%lu fills", DELTA(fills));
	CHECK(DELTA(fills) + DELTA(window_fills) >= PAGES, "%lu neighbours", DELTA(window_fills));
	CHECK_EQ(DELTA(faults), 0, "faults of the guest");
}

/* Pages far from each other have no neighbours in common. */
static void scattered(uint64_t base)
{
	uint64_t i;

	for (i = 0; i < 64; i++)
		root_map(root, base + i * LARGE_PAGE_SIZE, frame, PTE_USER_RW);
	start();
	for (i = 0; i < 64; i++)
		load8(base + i * LARGE_PAGE_SIZE);
	stop();
	CHECK(DELTA(fills) >= 64 && DELTA(fills) < 80, "%lu fills", DELTA(fills));
	CHECK(DELTA(window_fills) < 64, "%lu neighbours", DELTA(window_fills));
}

static void faults(uint64_t base)
{
	struct user user;
	uint64_t returns;
	uint32_t i;

	*root_entry(root, base + FAULTS * PAGE_SIZE, 1) = 0;
	user_init(&user, user_address(user_store), base);
	CHECK_EQ(user_run(&user), VECTOR_PF, "first");
	start();
	for (i = 0; i < FAULTS; i++) {
		CHECK_EQ(user.cr2, base + i * PAGE_SIZE, "fault %u", i);
		root_map(root, user.cr2 & ~(PAGE_SIZE - 1), frame, PTE_USER_RW);
		if (!CHECK_EQ(user_run(&user), VECTOR_PF, "fault %u", i))
			return;
	}
	stop();
	returns = DELTA(entries[RF_ENTRY_RETURN_IRET]) + DELTA(entries[RF_ENTRY_RETURN_SYSRET]);
	printf("%u page faults: %lu entries, %lu returns, %lu fills, %lu prefills\n", FAULTS,
	       DELTA(entries[RF_ENTRY_PAGE_FAULT]), returns, DELTA(fills), DELTA(prefills));
	CHECK_EQ(DELTA(faults), FAULTS, "faults the guest saw");
	CHECK(DELTA(entries[RF_ENTRY_PAGE_FAULT]) <= FAULTS + 20, "%lu page-fault entries",
	      DELTA(entries[RF_ENTRY_PAGE_FAULT]));
	CHECK_EQ(returns, FAULTS, "returns");
}

static void prefill(uint64_t base)
{
	uint64_t i;

	map_all(base);
	start();
	CHECK_EQ(mmu_do(RF_MMU_PREFILL, root, base, base + PAGES * PAGE_SIZE), 0, "prefill");
	for (i = 0; i < PAGES; i++)
		load8(base + i * PAGE_SIZE);
	stop();
	printf("prefill: %lu, then %lu fills\n", DELTA(prefills), DELTA(fills));
	CHECK_EQ(DELTA(prefills), PAGES, "prefilled");
	CHECK(DELTA(fills) <= 2, "%lu fills", DELTA(fills));
}

void test_main(void)
{
	root = root_boot();
	frame = physical_of(page_alloc());
	user_prepare(root);
	sequential(USER_BASE);
	sequential(TEST_KERNEL_BASE);
	scattered(USER_BASE + (1UL << 30));
	faults(USER_BASE + (2UL << 30));
	prefill(USER_BASE + (3UL << 30));
	if (test_is_control())
		test_audit_flushed();
}
