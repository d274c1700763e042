// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that mmu_batch does its operations in order, says how many it did, refuses what is wrong
 * before it does anything of it, and can be gone on with.
 */
/* covers: mmu_batch */
#include "test.h"

#include "abi/time.h"

const char test_title[] = "mmu_batch";

#define USER_BASE 0x10000000UL
#define MAX	  RF_MMU_BATCH_MAX

static struct rf_mmu_op ops[MAX + 1];
static uint64_t root, other;

static struct rf_mmu_op flush_op(uint64_t of)
{
	return (struct rf_mmu_op){ .operation = RF_MMU_FLUSH_RANGE,
				   .root = of,
				   .start = USER_BASE,
				   .end = USER_BASE + PAGE_SIZE };
}

static struct rf_mmu_op load_op(uint64_t of)
{
	return (struct rf_mmu_op){ .operation = RF_MMU_LOAD_ROOT, .root = of };
}

/* All of it, however often it wants to be called; the calls it took, or the error. */
static int64_t run_all(uint64_t count)
{
	uint64_t done = 0;
	int64_t calls = 0;

	while (done < count) {
		int64_t result = hv_mmu_batch(ADDRESS(ops + done), count - done);

		if (result < 0)
			return result;
		CHECK((uint64_t)result <= count - done, "%ld of %lu", result, count - done);
		done += (uint64_t)result;
		calls++;
	}
	return calls;
}

static void counts(void)
{
	uint32_t i;

	for (i = 0; i <= MAX; i++)
		ops[i] = flush_op(root);
	CHECK_EQ(hv_mmu_batch(ADDRESS(ops), 0), 0, "none");
	CHECK_EQ(hv_mmu_batch(0, 0), 0, "none, no array");
	CHECK_EQ(hv_mmu_batch(ADDRESS(ops), MAX + 1), -E2BIG, "one too many");
	for (i = 11; i < 64; i++)
		CHECK_EQ(hv_mmu_batch(ADDRESS(ops), 1UL << i), -E2BIG, "2^%u", i);
	CHECK_EQ(hv_mmu_batch(ADDRESS(ops), ~0UL), -E2BIG, "2^64-1");
	for (i = 1; i <= MAX; i *= 2)
		CHECK(run_all(i) > 0, "%u operations", i);
}

static void bad_arrays(void)
{
	static const uint64_t bad[] = { 0,
					8,
					USER_END - 32,
					0x0000900000000000,
					HYPERVISOR_START,
					0xffff840000000000,
					HYPERVISOR_END - 32,
					TEST_KERNEL_BASE + (5UL << 30),
					~0UL,
					~31UL };
	uint64_t end = TEST_KERNEL_BASE + PAGE_SIZE;
	struct rf_mmu_op *last;
	uint32_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK_EQ(hv_mmu_batch(bad[i], 1), -EFAULT, "array at %#lx", bad[i]);
		CHECK_EQ(hv_mmu_batch(bad[i], MAX), -EFAULT, "array at %#lx", bad[i]);
	}
	/* The second is half on a page that is not there. */
	root_map_new(root, TEST_KERNEL_BASE, PTE_KERNEL_RW);
	last = (struct rf_mmu_op *)(end - 48);
	*last = flush_op(root);
	CHECK_EQ(hv_mmu_batch(ADDRESS(last), 2), 1, "the first only");
	CHECK_EQ(hv_mmu_batch(ADDRESS(last + 1), 1), -EFAULT, "the second");
}

static void expect_bad(struct rf_mmu_op op, const char *what, uint64_t detail)
{
	ops[0] = op;
	CHECK_EQ(hv_mmu_batch(ADDRESS(ops), 1), -EINVAL, "%s %#lx", what, detail);
	ops[0] = ops[2] = flush_op(root);
	ops[1] = op;
	CHECK_EQ(hv_mmu_batch(ADDRESS(ops), 3), 1, "%s %#lx second", what, detail);
}

static void bad_operations(void)
{
	struct rf_mmu_op op = flush_op(root);
	uint32_t i;

	for (i = RF_MMU_OPERATIONS; i < 64; i++) {
		op.operation = i;
		expect_bad(op, "operation", i);
	}
	for (i = 0; i < 32; i++) {
		op = flush_op(root);
		op.operation |= 1U << i;
		if (op.operation >= RF_MMU_OPERATIONS)
			expect_bad(op, "operation", op.operation);
		op = flush_op(root);
		op.reserved = 1U << i;
		expect_bad(op, "reserved", op.reserved);
	}
	op = (struct rf_mmu_op){ .operation = RF_MMU_FLUSH_ALL };
	op.root = root;
	expect_bad(op, "a root for flush_all", root);
	op = (struct rf_mmu_op){ .operation = RF_MMU_FLUSH_ALL, .end = PAGE_SIZE };
	expect_bad(op, "a range for flush_all", PAGE_SIZE);
	op = load_op(root);
	op.start = PAGE_SIZE;
	expect_bad(op, "a range for load_root", PAGE_SIZE);
}

static void bad_roots(void)
{
	static const uint32_t with_root[] = { RF_MMU_LOAD_ROOT,	   RF_MMU_FLUSH_RANGE,
					      RF_MMU_PREFILL,	   RF_MMU_DROP_USER,
					      RF_MMU_DESTROY_ROOT, RF_MMU_SET_KERNEL_ROOT };
	uint32_t i, bit;

	for (i = 0; i < sizeof(with_root) / sizeof(with_root[0]); i++) {
		bool range = with_root[i] == RF_MMU_FLUSH_RANGE || with_root[i] == RF_MMU_PREFILL;
		struct rf_mmu_op op = { .operation = with_root[i],
					.start = range ? USER_BASE : 0,
					.end = range ? USER_BASE + PAGE_SIZE : 0 };

		for (bit = 0; bit < 64; bit++) {
			op.root = root | 1UL << bit;
			/* Bits 12 to 36 may give another frame of ours. */
			if (bit < 12 || bit > 36)
				expect_bad(op, "root", op.root);
		}
		op.root = ~0UL;
		expect_bad(op, "root", op.root);
		op.root = ~0xfffUL;
		expect_bad(op, "root", op.root);
	}
}

/*
 * {flush, load another root, flush of the first, load back}: what follows a load is about its own
 * root, and the first's is not touched by the second's.
 */
static void mixed(void)
{
	uint64_t first = physical_of(page_alloc()), second = physical_of(page_alloc());

	*(uint64_t *)pointer_of(first) = 1;
	*(uint64_t *)pointer_of(second) = 2;
	root_map(root, USER_BASE, first, PTE_USER_RW);
	root_map(other, USER_BASE, second, PTE_USER_RW);
	ops[0] = flush_op(root);
	ops[1] = load_op(other);
	ops[2] = flush_op(other);
	CHECK(run_all(3) > 0, "to the other root");
	CHECK_EQ(load64(USER_BASE), 2, "other");
	root_map(root, USER_BASE, second, PTE_USER_RO);
	root_map(other, USER_BASE, first, PTE_USER_RO);
	ops[0] = flush_op(other);
	ops[1] = load_op(root);
	ops[2] = flush_op(root);
	CHECK(run_all(3) > 0, "back");
	CHECK_EQ(load64(USER_BASE), 2, "root, changed");
	CHECK_EQ(root_load(other), 0, "load");
	CHECK_EQ(load64(USER_BASE), 1, "other, changed");
	CHECK_EQ(root_load(root), 0, "load");
}

/* A timer that expires all the time must cut batches short, and nothing may get lost. */
static volatile bool timer_stop;

static bool timer_again(struct trap_frame *frame)
{
	(void)frame;
	if (!timer_stop)
		hv_set_timer(clock_ns() + 50000);
	return true;
}

static void interrupted(void)
{
	struct rf_mmu_op *kernel = ops + MAX / 2;
	int64_t calls = 0;
	uint32_t i;

	for (i = 0; i < MAX; i++)
		ops[i] = i % 4 == 1 ? load_op(i & 4 ? root : other)
				    : flush_op(i & 2 ? root : other);
	*kernel = (struct rf_mmu_op){ .operation = RF_MMU_FLUSH_ALL };
	ops[MAX - 1] = load_op(root);
	trap_set_handler(RF_VECTOR_TIMER, timer_again);
	interrupts_on();
	hv_set_timer(clock_ns() + 50000);
	for (i = 0; i < 20; i++) {
		int64_t result = run_all(MAX);

		if (!CHECK(result > 0, "result %ld", result))
			break;
		calls += result;
	}
	timer_stop = true;
	interrupts_off();
	printf("%u batches took %ld calls\n", i, calls);
	CHECK_EQ(hv_set_timer(RF_TIME_NEVER), 0, "cancel");
}

void test_main(void)
{
	root = root_boot();
	other = root_new();
	counts();
	bad_arrays();
	bad_operations();
	bad_roots();
	mixed();
	interrupted();
	CHECK_EQ(mmu_destroy_root(other), 0, "destroy");
	if (test_is_control())
		test_audit();
}
