// SPDX-License-Identifier: BSD-2-Clause
/*
 * mmu_batch: every argument that must be refused, every operation once, and batches that stop in the middle.
 */
#include "unit.h"

#include "cpu.h"
#include "domain.h"
#include "fake_arch.h"
#include "fake_guest.h"
#include "fake_memory.h"
#include "frame.h"
#include "memory.h"
#include "mmu.h"
#include "shadow.h"
#include "vcpu.h"
#include "walk.h"
#include "abi/errno.h"
#include "abi/mmu.h"

#define RAM_FRAMES  8192
#define CHUNKS	    3
#define ROOT	    0 /* gfns */
#define OTHER_ROOT  1
#define DATA	    64
#define BATCH_GFN   100 /* 9 pages: room for the largest batch */
#define KERNEL_BASE 0xffffc00000000000ULL
#define BATCH	    (KERNEL_BASE + 0x100000)
#define KERNEL_RW   (PTE_PRESENT | PTE_WRITE | PTE_ACCESSED | PTE_DIRTY)
#define USER_RW	    (KERNEL_RW | PTE_USER)

static struct domain *domain;
static struct vcpu *vcpu;
static uint64_t next_table;

static void map_in(uint64_t root, uint64_t address, uint64_t gfn, uint64_t bits)
{
	fake_guest_map(domain, root, address, 1, gfn << 12 | bits, &next_table);
}

static int setup(void **state)
{
	(void)state;
	fake_memory_init(RAM_FRAMES, 2);
	walk_init(40);
	domain = fake_guest_create(
		&(struct fake_guest_config){ .chunks = CHUNKS, .vcpus = 2, .pool_frames = 500 });
	next_table = 2;
	vcpu = domain->vcpus[0];
	domain->vcpus[1]->root_gfn = OTHER_ROOT;
	shadow_set_kernel_root(domain, ROOT);
	fake_guest_switch(vcpu);
	for (uint64_t i = 0; i < 9; i++)
		map_in(ROOT, BATCH + (i << 12), BATCH_GFN + i, KERNEL_RW);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (uint32_t id = 0; id < cpu_count; id++) {
		fake_set_cpu(id);
		if (this_cpu()->current)
			fake_guest_switch(NULL);
	}
	fake_guest_destroy(domain);
	return 0;
}

/* Operation i of the batch in the guest's memory. */
static struct rf_mmu_op *op_at(uint64_t i)
{
	uint64_t per_page = FRAME_SIZE / sizeof(struct rf_mmu_op);

	return (struct rf_mmu_op *)fake_guest_frame(domain, BATCH_GFN + i / per_page) +
	       i % per_page;
}

static int64_t one(struct rf_mmu_op op)
{
	*op_at(0) = op;
	return do_mmu_batch(BATCH, 1);
}

static bool operation_has_root(uint32_t operation)
{
	return operation != RF_MMU_FLUSH_KERNEL && operation != RF_MMU_FLUSH_ALL;
}

static bool operation_has_range(uint32_t operation)
{
	return operation == RF_MMU_FLUSH_RANGE || operation == RF_MMU_FLUSH_KERNEL ||
	       operation == RF_MMU_PREFILL;
}

static struct rf_mmu_op good(uint32_t operation)
{
	struct rf_mmu_op op = { .operation = operation };

	if (operation_has_root(operation))
		op.root = (operation == RF_MMU_DESTROY_ROOT ? OTHER_ROOT : ROOT) << 12;
	if (operation_has_range(operation)) {
		op.start = operation == RF_MMU_FLUSH_KERNEL ? KERNEL_BASE : 0x1000;
		op.end = op.start + 0x1000;
	}
	return op;
}

#define ASSERT_GOOD(op) assert_int_equal(one(op), 1)
#define ASSERT_BAD(op)	assert_int_equal(one(op), -EINVAL)

static struct rf_mmu_op with_root(uint32_t operation, uint64_t root)
{
	struct rf_mmu_op op = good(operation);

	op.root = root;
	return op;
}

static struct rf_mmu_op with_range(uint32_t operation, uint64_t start, uint64_t end)
{
	struct rf_mmu_op op = good(operation);

	op.start = start;
	op.end = end;
	return op;
}

static void test_operations(void **state)
{
	(void)state;
	for (uint32_t operation = 0; operation < RF_MMU_OPERATIONS; operation++) {
		struct rf_mmu_op op = good(operation);

		ASSERT_GOOD(op);
		for (unsigned bit = 0; bit < 32; bit++) {
			op.reserved = 1U << bit;
			ASSERT_BAD(op);
		}
		op.reserved = 0;
		op.operation |= 1U << (8 + operation);
		ASSERT_BAD(op);
	}
	ASSERT_BAD(((struct rf_mmu_op){ .operation = RF_MMU_OPERATIONS }));
	ASSERT_BAD(((struct rf_mmu_op){ .operation = ~0U }));
	ASSERT_BAD(((struct rf_mmu_op){ .operation = 1U << 31 }));
}

static void test_roots(void **state)
{
	const uint64_t end = CHUNKS * 512ULL << 12;

	(void)state;
	for (uint32_t operation = 0; operation < RF_MMU_OPERATIONS; operation++) {
		if (!operation_has_root(operation)) {
			ASSERT_BAD(with_root(operation, ROOT + (1 << 12)));
			ASSERT_BAD(with_root(operation, 1));
			continue;
		}
		ASSERT_BAD(with_root(operation, 1));
		ASSERT_BAD(with_root(operation, OTHER_ROOT << 12 | 0x800));
		ASSERT_BAD(with_root(operation, end));
		ASSERT_BAD(with_root(operation, ~0xfffULL));
		ASSERT_BAD(with_root(operation, 1ULL << 52));
		ASSERT_BAD(with_root(operation, 1ULL << 63 | OTHER_ROOT << 12));
		if (operation != RF_MMU_LOAD_ROOT && operation != RF_MMU_SET_KERNEL_ROOT)
			ASSERT_GOOD(with_root(operation, end - FRAME_SIZE));
	}
}

static void test_ranges(void **state)
{
	const uint32_t user[] = { RF_MMU_FLUSH_RANGE, RF_MMU_PREFILL };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		ASSERT_GOOD(with_range(user[i], 0, USER_HALF_END));
		ASSERT_BAD(with_range(user[i], 0, USER_HALF_END + 0x1000));
		ASSERT_BAD(with_range(user[i], 1, 0x2000));
		ASSERT_BAD(with_range(user[i], 0x1000, 0x2001));
		ASSERT_BAD(with_range(user[i], 0x1000, 0x1000));
		ASSERT_BAD(with_range(user[i], 0x2000, 0x1000));
		ASSERT_BAD(with_range(user[i], 0x1000, 0));
		ASSERT_BAD(with_range(user[i], ~0xfffULL, 0x1000));
		ASSERT_BAD(with_range(user[i], USER_HALF_END, USER_HALF_END + 0x1000));
		ASSERT_BAD(with_range(user[i], 0x1000, 0x0001000000000000ULL));
		ASSERT_BAD(with_range(user[i], HYPERVISOR_BASE, HYPERVISOR_BASE + 0x1000));
		ASSERT_BAD(with_range(user[i], KERNEL_BASE, KERNEL_BASE + 0x1000));
		ASSERT_BAD(with_range(user[i], 0x1000, KERNEL_BASE));
	}
	ASSERT_GOOD(with_range(RF_MMU_FLUSH_KERNEL, HYPERVISOR_END, 0));
	ASSERT_GOOD(with_range(RF_MMU_FLUSH_KERNEL, ~0xfffULL, 0));
	ASSERT_BAD(with_range(RF_MMU_FLUSH_KERNEL, HYPERVISOR_END - 0x1000, 0));
	ASSERT_BAD(with_range(RF_MMU_FLUSH_KERNEL, HYPERVISOR_BASE, HYPERVISOR_END));
	ASSERT_BAD(with_range(RF_MMU_FLUSH_KERNEL, KERNEL_BASE, KERNEL_BASE));
	ASSERT_BAD(with_range(RF_MMU_FLUSH_KERNEL, KERNEL_BASE + 0x1000, KERNEL_BASE));
	ASSERT_BAD(with_range(RF_MMU_FLUSH_KERNEL, KERNEL_BASE, 0x1000));
	ASSERT_BAD(with_range(RF_MMU_FLUSH_KERNEL, 0, 0x1000));
	ASSERT_BAD(with_range(RF_MMU_FLUSH_KERNEL, 0x0000900000000000ULL, 0));
	ASSERT_BAD(with_range(RF_MMU_FLUSH_KERNEL, KERNEL_BASE + 8, KERNEL_BASE + 0x1000));
	ASSERT_BAD(with_range(RF_MMU_FLUSH_KERNEL, KERNEL_BASE, KERNEL_BASE + 0x1008));
	for (uint32_t operation = 0; operation < RF_MMU_OPERATIONS; operation++)
		if (!operation_has_range(operation)) {
			ASSERT_BAD(with_range(operation, 0x1000, 0));
			ASSERT_BAD(with_range(operation, 0, 0x1000));
			ASSERT_BAD(with_range(operation, 0x1000, 0x2000));
		}
}

static void fill_batch(uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		*op_at(i) = good(RF_MMU_FLUSH_RANGE);
}

static void test_counts(void **state)
{
	(void)state;
	fill_batch(RF_MMU_BATCH_MAX);
	assert_int_equal(do_mmu_batch(BATCH, 0), 0);
	assert_int_equal(do_mmu_batch(0, 0), 0);
	assert_int_equal(do_mmu_batch(BATCH, RF_MMU_BATCH_MAX), RF_MMU_BATCH_MAX);
	assert_int_equal(do_mmu_batch(BATCH, RF_MMU_BATCH_MAX + 1), -E2BIG);
	assert_int_equal(do_mmu_batch(BATCH, ~0ULL), -E2BIG);
	assert_int_equal(do_mmu_batch(BATCH, 1ULL << 59), -E2BIG);
}

/* What can be read of the batch is done; the rest is refused when it is asked for again. */
static void test_buffer(void **state)
{
	const uint64_t bad[] = { HYPERVISOR_BASE, HYPERVISOR_END - 8, USER_HALF_END, ~0ULL - 7,
				 KERNEL_BASE - 8, USER_MAP_END,	      1ULL << 63 };

	(void)state;
	fill_batch(300);
	map_in(ROOT, BATCH + 0x1000, 0, 0);
	shadow_flush_kernel(domain, BATCH, ~0ULL);
	assert_int_equal(do_mmu_batch(BATCH, 300), 128);
	assert_int_equal(do_mmu_batch(BATCH + 128 * 32, 172), -EFAULT);
	/* Unaligned, so that one operation lies across the end. */
	memmove((char *)op_at(0) + 8, op_at(0), FRAME_SIZE - 8);
	assert_int_equal(do_mmu_batch(BATCH + 8, 300), 127);
	assert_int_equal(do_mmu_batch(BATCH + 8 + 127 * 32, 1), -EFAULT);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(do_mmu_batch(bad[i], 1), -EFAULT);
	/* In the user half of the root that is loaded, which the batch may change. */
	map_in(ROOT, 0x5000, BATCH_GFN, USER_RW);
	fill_batch(3);
	*op_at(1) = with_root(RF_MMU_LOAD_ROOT, OTHER_ROOT << 12);
	assert_int_equal(do_mmu_batch(0x5000, 3), 2);
	assert_int_equal(vcpu->root_gfn, OTHER_ROOT);
	assert_int_equal(do_mmu_batch(0x5000 + 64, 1), -EFAULT);
}

/* A vector that cannot be given now is no reason to stop: its guest would come back at once. */
static void test_masked_vector(void **state)
{
	(void)state;
	fill_batch(10);
	vcpu->work = VCPU_WORK_EVENT;
	assert_int_equal(do_mmu_batch(BATCH, 10), 10);
	vcpu->page->interrupt_flag = RF_INTERRUPT_FLAG;
	assert_int_equal(do_mmu_batch(BATCH, 10), 1);
	vcpu->work = 0;
}

static void test_wrong_in_the_middle(void **state)
{
	(void)state;
	fill_batch(10);
	op_at(4)->reserved = 1;
	assert_int_equal(do_mmu_batch(BATCH, 10), 4);
	assert_int_equal(vcpu->counters.flushes, 4);
	assert_int_equal(do_mmu_batch(BATCH + 4 * 32, 6), -EINVAL);
	assert_int_equal(vcpu->counters.flushes, 4);
	/* The same where the operation itself refuses: a root that is in use. */
	*op_at(4) = with_root(RF_MMU_DESTROY_ROOT, ROOT << 12);
	assert_int_equal(do_mmu_batch(BATCH, 10), 4);
	assert_int_equal(do_mmu_batch(BATCH + 4 * 32, 6), -EBUSY);
	assert_int_equal(do_mmu_batch(BATCH + 5 * 32, 5), 5);
	assert_int_equal(vcpu->counters.flushes, 13);
}

/* A vector comes for this vCPU while it is at its batch: on the way to another CPU's TLB. */
static uint32_t interrupts, post_at;

static void interrupted(uint32_t id)
{
	cpus[id].flush_request = 0;
	if (++interrupts == post_at)
		vcpu->work |= VCPU_WORK_EVENT;
}

/*
 * Each operation takes one entry away, so each tells the other CPU once; work that comes at any of
 * them stops the batch there, and calling again does the rest, each once.
 */
static void test_resumption(void **state)
{
	(void)state;
	domain->vcpus[1]->root_gfn = ROOT;
	fake_set_cpu(1);
	fake_guest_switch(domain->vcpus[1]);
	cpus[1].in_guest = 1;
	fake_set_cpu(0);
	fake_interrupt_hook = interrupted;
	vcpu->page->interrupt_flag = RF_INTERRUPT_FLAG;
	for (post_at = 1; post_at < 41; post_at++) {
		int64_t done;

		for (uint64_t i = 0; i < 40; i++) {
			uint32_t error;

			map_in(ROOT, i << 12, DATA + i, USER_RW);
			shadow_fault(vcpu, i << 12, FAULT_USER, &error);
			map_in(ROOT, i << 12, 0, 0);
			*op_at(i) = with_range(RF_MMU_FLUSH_RANGE, i << 12, (i + 1) << 12);
		}
		interrupts = 0;
		vcpu->work = 0;
		done = do_mmu_batch(BATCH, 40);
		assert_int_equal(done, post_at);
		assert_int_equal(interrupts, post_at);
		/* It makes one step even with work waiting. */
		if (done < 40)
			assert_int_equal(do_mmu_batch(BATCH + done * 32, 40 - done), 1);
		done += done < 40;
		vcpu->work = VCPU_WORK_FILL; /* nothing that hurries */
		assert_int_equal(do_mmu_batch(BATCH + done * 32, 40 - done), 40 - done);
		assert_int_equal(interrupts, 40);
		assert_null(shadow_audit(domain, true));
	}
	vcpu->work = VCPU_WORK_SCHEDULE;
	fill_batch(2);
	assert_int_equal(do_mmu_batch(BATCH, 2), 1);
}

/* Each flush takes long; nothing is due that anybody could see. */
static void slow_interrupt(uint32_t id)
{
	cpus[id].flush_request = 0;
	interrupts++;
	fake_clock_ns += 100000;
}

/* A batch of expensive operations ends soon, and going on with it ends, too. */
static void test_time(void **state)
{
	uint64_t done = 0;

	(void)state;
	fake_set_cpu(1);
	fake_guest_switch(domain->vcpus[1]);
	cpus[1].in_guest = 1;
	fake_set_cpu(0);
	fake_interrupt_hook = slow_interrupt;
	for (uint64_t i = 0; i < RF_MMU_BATCH_MAX; i++)
		*op_at(i) = good(RF_MMU_FLUSH_ALL);
	while (done < RF_MMU_BATCH_MAX) {
		uint64_t start = fake_clock_ns;
		int64_t result;

		interrupts = 0;
		result = do_mmu_batch(BATCH + done * 32, RF_MMU_BATCH_MAX - done);
		assert_true(result > 0);
		assert_int_equal(interrupts, result);
		assert_true(fake_clock_ns - start < 2000000);
		done += result;
	}
	/* Cheap ones are done all at once. */
	fake_interrupt_hook = NULL;
	cpus[1].in_guest = 0;
	assert_int_equal(do_mmu_batch(BATCH, RF_MMU_BATCH_MAX), RF_MMU_BATCH_MAX);
}

/* However much there is, one operation fills no more than a flush looks at. */
static void test_prefill_bound(void **state)
{
	uint64_t *leaves, *above;

	(void)state;
	map_in(ROOT, 0, DATA, USER_RW);
	above = fake_guest_frame(domain, next_table - 2);
	leaves = fake_guest_frame(domain, next_table - 1);
	for (uint64_t i = 0; i < PTE_ENTRIES; i++) {
		above[i] = above[0];
		leaves[i] = leaves[0];
	}
	ASSERT_GOOD(with_range(RF_MMU_PREFILL, 0, 1 << 30));
	assert_in_range(vcpu->counters.prefills, 16384, 32768);
}

/* Each operation does what it says. */
static void test_effects(void **state)
{
	uint32_t error;

	(void)state;
	map_in(ROOT, 0x1000, DATA, USER_RW);
	ASSERT_GOOD(with_range(RF_MMU_PREFILL, 0x1000, 0x2000));
	assert_int_equal(vcpu->counters.prefills, 1);
	ASSERT_GOOD(with_root(RF_MMU_LOAD_ROOT, OTHER_ROOT << 12));
	assert_int_equal(vcpu->root_gfn, OTHER_ROOT);
	assert_int_equal(one(with_root(RF_MMU_DESTROY_ROOT, OTHER_ROOT << 12)), -EBUSY);
	ASSERT_GOOD(with_root(RF_MMU_DESTROY_ROOT, ROOT << 12));
	ASSERT_GOOD(with_root(RF_MMU_LOAD_ROOT, ROOT << 12));
	assert_int_equal(vcpu->counters.root_misses, 3);
	ASSERT_GOOD(good(RF_MMU_DROP_USER));
	ASSERT_GOOD(good(RF_MMU_FLUSH_ALL));
	assert_int_equal(vcpu->counters.flushes, 1);
	/* The kernel half comes from another root: the batch's own pages are there no more. */
	ASSERT_GOOD(with_root(RF_MMU_SET_KERNEL_ROOT, OTHER_ROOT << 12));
	assert_int_equal(domain->shadow.kernel_half.guest_root, OTHER_ROOT);
	assert_int_equal(do_mmu_batch(BATCH, 1), -EFAULT);
	assert_int_equal(shadow_fault(vcpu, BATCH, 0, &error), SHADOW_GUEST_FAULT);
	assert_int_equal(error, 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_operations), CASE(test_roots),  CASE(test_ranges),
		CASE(test_counts),     CASE(test_buffer), CASE(test_masked_vector),
		CASE(test_counts),     CASE(test_buffer), CASE(test_wrong_in_the_middle),
		CASE(test_resumption), CASE(test_time),	  CASE(test_prefill_bound),
		CASE(test_effects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
