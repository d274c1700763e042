// SPDX-License-Identifier: BSD-2-Clause
/*
 * Grants: every call well and badly; what is reached through them, and how; what is left when
 * somebody revokes, releases, unmaps or dies, in every order; and everything at once from several
 * CPUs. test_grant_model.c tries everything that three domains can do with little.
 */
#include "grant_unit.h"

#include <pthread.h>

#include "abi/memory.h"
#include "event.h"
#include "guest_access.h"
#include "quiesce.h"
#include "shadow_table.h"

#define FREE_GFN    (FOREIGN + 0)
#define KERNEL_BASE 0xffffff8000000000ULL /* slot 511 */

/* --- The table --- */

static void test_register(void **state)
{
	(void)state;
	run(domains[A]);
	assert_int_equal(do_grant_register(FRAMES), -EINVAL);
	assert_int_equal(do_grant_register(~0ULL), -EINVAL);
	for (int64_t i = 1; i < RF_GRANT_PAGES; i++)
		assert_int_equal(do_grant_register(DATA + i), i * RF_GRANT_PAGE_ENTRIES);
	assert_int_equal(do_grant_register(DATA), -ENOSPC);
	assert_audit();
}

static void test_last_page(void **state)
{
	const uint32_t number = RF_GRANT_PAGES * RF_GRANT_PAGE_ENTRIES - 1;
	struct rf_grant_entry *last;

	(void)state;
	run(domains[A]);
	for (int64_t i = 1; i < RF_GRANT_PAGES; i++)
		do_grant_register(DATA + i);
	last = &((struct rf_grant_entry *)frame_at(domains[A], DATA + RF_GRANT_PAGES - 1))[255];
	last->grant = grant_word(domains[B], DATA, 1, RF_GRANT_VALID);
	run(domains[B]);
	assert_int_equal(map_frame(domains[A], number + 1, FREE_GFN, 0), -ENOENT);
	assert_int_equal(map_frame(domains[A], ~0U, FREE_GFN, 0), -ENOENT);
	assert_int_equal(map_frame(domains[A], number, FREE_GFN, 0), 0);
	assert_int_equal(last->in_use, 1);
	assert_int_equal(unmap(0), 1);
	assert_int_equal(last->in_use, 0);
}

/* --- One frame --- */

static uint64_t granted_frame(const struct domain *d, uint64_t gfn)
{
	bool write;

	return grant_lookup(d, gfn, &write);
}

static void test_read_only(void **state)
{
	uint64_t mfn = memory_lookup(domains[A], DATA), leaf;
	int64_t handle;

	(void)state;
	grant(domains[A], 5, domains[B], DATA, 1, 0);
	run(domains[B]);
	assert_int_equal(map_frame(domains[A], 5, FREE_GFN, RF_GRANT_MAP_WRITE), -EPERM);
	assert_int_equal(touch(ADDRESS(256), FAULT_USER), SHADOW_GUEST_FAULT);
	handle = map_frame(domains[A], 5, FREE_GFN, 0);
	assert_true(handle >= 0);
	assert_int_equal(in_use(domains[A], 5), 1);
	assert_int_equal(frame_of(mfn)->references, 2);
	assert_int_equal(touch(ADDRESS(256), FAULT_USER), SHADOW_FILLED);
	leaf = leaf_at(ADDRESS(256));
	assert_int_equal((leaf & PTE_ADDRESS) >> FRAME_SHIFT, mfn);
	assert_false(leaf & PTE_WRITE);
	assert_int_equal(touch(ADDRESS(256), FAULT_USER | FAULT_WRITE), SHADOW_GUEST_FAULT);
	assert_audit();
	/* A flush does not make it wider. */
	assert_int_equal(touch(ADDRESS(256), FAULT_USER), SHADOW_FILLED);
	shadow_flush_range(domains[B], 0, ADDRESS(256), ADDRESS(257));
	assert_false(leaf_at(ADDRESS(256)) & PTE_WRITE);
	assert_audit();
	assert_int_equal(unmap((uint64_t)handle), 1);
	assert_int_equal(leaf_at(ADDRESS(256)), 0);
	assert_int_equal(touch(ADDRESS(256), FAULT_USER), SHADOW_GUEST_FAULT);
	assert_int_equal(in_use(domains[A], 5), 0);
	assert_int_equal(frame_of(mfn)->references, 1);
	assert_int_equal(unmap((uint64_t)handle), -ENOENT);
}

static void test_writable(void **state)
{
	uint64_t mfn = memory_lookup(domains[A], DATA);
	int64_t handle;

	(void)state;
	grant(domains[A], 5, domains[B], DATA, 1, RF_GRANT_WRITE);
	run(domains[B]);
	handle = map_frame(domains[A], 5, FREE_GFN, RF_GRANT_MAP_WRITE);
	assert_true(handle >= 0);
	assert_int_equal(touch(ADDRESS(256), FAULT_USER | FAULT_WRITE), SHADOW_FILLED);
	assert_int_equal((leaf_at(ADDRESS(256)) & PTE_ADDRESS) >> FRAME_SHIFT, mfn);
	assert_true(leaf_at(ADDRESS(256)) & PTE_WRITE);
	/* The guest's tables have their say. */
	((uint64_t *)frame_at(domains[B], 3))[256] &= ~PTE_WRITE;
	shadow_flush_range(domains[B], 0, ADDRESS(256), ADDRESS(257));
	assert_false(leaf_at(ADDRESS(256)) & PTE_WRITE);
	assert_audit();
	assert_int_equal(unmap((uint64_t)handle), 1);
	/* Mapped for reading only, though the grant allows more. */
	((uint64_t *)frame_at(domains[B], 3))[256] |= PTE_WRITE;
	handle = map_frame(domains[A], 5, FREE_GFN, 0);
	assert_int_equal(touch(ADDRESS(256), FAULT_USER | FAULT_WRITE), SHADOW_GUEST_FAULT);
	assert_int_equal(unmap((uint64_t)handle), 1);
}

/* Unmapping drops where a frame was seen, and all only if that is at several places. */
static void test_places(void **state)
{
	struct domain *b = domains[B];
	uint32_t flushes;
	int64_t handle;

	(void)state;
	grant(domains[A], 5, b, DATA, 1, RF_GRANT_WRITE);
	run(b);
	handle = map_frame(domains[A], 5, FREE_GFN, 0);
	assert_int_equal(touch(ADDRESS(256), FAULT_USER), SHADOW_FILLED);
	assert_int_equal(touch(ADDRESS(DATA), FAULT_USER), SHADOW_FILLED);
	flushes = this_cpu()->arch.flushes;
	assert_int_equal(unmap((uint64_t)handle), 1);
	assert_true(this_cpu()->arch.flushes > flushes);
	assert_int_equal(leaf_at(ADDRESS(256)), 0);
	assert_int_not_equal(leaf_at(ADDRESS(DATA)), 0);
	handle = map_frame(domains[A], 5, FREE_GFN, 0);
	((uint64_t *)frame_at(b, 3))[300] = ((uint64_t *)frame_at(b, 3))[256];
	assert_int_equal(touch(ADDRESS(256), FAULT_USER), SHADOW_FILLED);
	assert_int_equal(touch(ADDRESS(300), FAULT_USER), SHADOW_FILLED);
	assert_int_equal(unmap((uint64_t)handle), 1);
	assert_int_equal(leaf_at(ADDRESS(256)), 0);
	assert_int_equal(leaf_at(ADDRESS(300)), 0);
	/* And in the kernel half, which is its tables' as well. */
	shadow_set_kernel_root(b, 0);
	((uint64_t *)frame_at(b, 0))[511] = ((uint64_t *)frame_at(b, 0))[0] & ~PTE_USER;
	handle = map_frame(domains[A], 5, FREE_GFN, 0);
	assert_int_equal(touch(KERNEL_BASE + ADDRESS(256), 0), SHADOW_FILLED);
	assert_int_not_equal(leaf_at(KERNEL_BASE + ADDRESS(256)), 0);
	assert_int_equal(touch(ADDRESS(DATA), FAULT_USER), SHADOW_FILLED);
	assert_int_equal(unmap((uint64_t)handle), 1);
	assert_int_equal(leaf_at(KERNEL_BASE + ADDRESS(256)), 0);
	assert_int_not_equal(leaf_at(ADDRESS(DATA)), 0);
}

/* In the control domain, twice: for reading and for writing. */
static void test_twice(void **state)
{
	uint64_t mfn = memory_lookup(domains[A], DATA), address = ADDRESS(256 + 3);
	int64_t reader, writer;

	(void)state;
	((uint64_t *)frame_at(domains[CONTROL], 3))[256 + 3] =
		mfn << FRAME_SHIFT | PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED | PTE_DIRTY;
	grant(domains[A], 0, domains[CONTROL], DATA, 1, RF_GRANT_WRITE);
	grant(domains[A], 1, domains[CONTROL], DATA, 1, 0);
	run(domains[CONTROL]);
	assert_int_equal(touch(address, FAULT_USER), SHADOW_GUEST_FAULT);
	reader = map_frame(domains[A], 1, 0, 0);
	writer = map_frame(domains[A], 0, 0, RF_GRANT_MAP_WRITE);
	assert_true(reader >= 0 && writer >= 0 && reader != writer);
	assert_int_equal(touch(address, FAULT_USER | FAULT_WRITE), SHADOW_FILLED);
	assert_int_equal(frame_of(mfn)->references, 3);
	assert_audit();
	assert_int_equal(unmap((uint64_t)writer), 1);
	assert_int_equal(leaf_at(address), 0);
	assert_int_equal(touch(address, FAULT_USER | FAULT_WRITE), SHADOW_GUEST_FAULT);
	assert_int_equal(touch(address, FAULT_USER), SHADOW_FILLED);
	assert_audit();
	assert_int_equal(unmap((uint64_t)reader), 1);
	assert_int_equal(unmap((uint64_t)writer), -ENOENT);
	assert_int_equal(touch(address, FAULT_USER), SHADOW_GUEST_FAULT);
	assert_int_equal(granted_frame(domains[CONTROL], mfn), FRAME_NONE);
	assert_int_equal(frame_of(mfn)->references, 1);
}

/* --- What is refused --- */

struct refusal {
	struct rf_grant_map op;
	int64_t error;
};

static void test_map_refused(void **state)
{
	const uint32_t a = domains[A]->id, b = domains[B]->id;
	const uint64_t limit = ((FRAMES + 511) & ~511ULL) + RF_GRANT_WINDOW;
	const struct refusal refusals[] = {
		{ { .domain = a, .grant = 1, .count = 1, .gfn = FREE_GFN, .flags = 2 }, -EINVAL },
		{ { .domain = a, .grant = 1, .count = 1, .gfn = FREE_GFN, .handle = 1 }, -EINVAL },
		{ { .domain = a, .grant = 1, .count = 0, .gfn = FREE_GFN }, -EINVAL },
		{ { .domain = a, .grant = 1, .count = 1025, .gfn = FREE_GFN }, -EINVAL },
		{ { .domain = a, .grant = 1, .count = 1, .gfn = limit }, -EINVAL },
		{ { .domain = a, .grant = 1, .count = 2, .gfn = limit - 1 }, -EINVAL },
		{ { .domain = a, .grant = 1, .count = 1, .gfn = ~0ULL }, -EINVAL },
		{ { .domain = a, .grant = 1, .count = 2, .gfn = ~0ULL }, -EINVAL },
		{ { .domain = b, .grant = 1, .count = 1, .gfn = FREE_GFN }, -EINVAL },
		{ { .domain = RF_DOMAIN_SELF, .grant = 1, .count = 1, .gfn = FREE_GFN }, -EINVAL },
		{ { .domain = 999, .grant = 1, .count = 1, .gfn = FREE_GFN }, -ESRCH },
		{ { .domain = ~0U, .grant = 1, .count = 1, .gfn = FREE_GFN }, -ESRCH },
		{ { .domain = a, .grant = 0, .count = 1, .gfn = FREE_GFN }, -ENOENT },
		{ { .domain = a, .grant = 2, .count = 1, .gfn = FREE_GFN }, -ENOENT },
		{ { .domain = a, .grant = 256, .count = 1, .gfn = FREE_GFN }, -ENOENT },
		{ { .domain = a, .grant = 1, .count = 1, .gfn = FREE_GFN, .flags = 1 }, -EPERM },
		{ { .domain = a, .grant = 1, .count = 3, .gfn = FREE_GFN }, -ERANGE },
		{ { .domain = a, .grant = 1, .first = 2, .count = 1, .gfn = FREE_GFN }, -ERANGE },
		{ { .domain = a, .grant = 1, .first = ~0U, .count = 1, .gfn = FREE_GFN }, -ERANGE },
		{ { .domain = a, .grant = 3, .count = 1, .gfn = FREE_GFN }, -ENODATA },
		{ { .domain = a, .grant = 4, .count = 2, .gfn = FREE_GFN }, -ENODATA },
		{ { .domain = a, .grant = 1, .count = 1, .gfn = FRAMES - 1 }, -EEXIST },
		{ { .domain = a, .grant = 1, .count = 2, .gfn = FREE_GFN - 1 }, 1 },
		{ { .domain = a, .grant = 1, .count = 1, .gfn = FREE_GFN }, -EEXIST },
		{ { .domain = a, .grant = 1, .count = 2, .gfn = FREE_GFN - 2 }, -EEXIST },
	};

	(void)state;
	grant(domains[A], 1, domains[B], DATA, 2, 0);
	grant(domains[A], 2, domains[CONTROL], DATA, 1, 0);
	grant(domains[A], 3, domains[B], FRAMES, 1, 0);
	grant(domains[A], 4, domains[B], FRAMES - 1, 2, 0);
	run(domains[B]);
	for (unsigned i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct rf_grant_map op = refusals[i].op;

		if (map_op(&op) != refusals[i].error)
			fail_msg("refusal %u", i);
		assert_int_equal(in_use(domains[A], 1),
				 refusals[i].op.gfn == FREE_GFN - 1 || i > 22);
		for (uint32_t entry = 2; entry < 5; entry++)
			assert_int_equal(in_use(domains[A], entry), 0);
	}
	assert_audit();
}

static void test_arrays_refused(void **state)
{
	const uint64_t bad[] = { ADDRESS(300), HYPERVISOR_BASE, ~0ULL, 1ULL << 47 };

	(void)state;
	run(domains[B]);
	assert_int_equal(do_grant_map(0, RF_GRANT_BATCH_MAX + 1), -E2BIG);
	assert_int_equal(do_grant_unmap(0, ~0ULL), -E2BIG);
	assert_int_equal(do_grant_copy(0, 1ULL << 63), -E2BIG);
	assert_int_equal(do_grant_map(~0ULL, 0), 0);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(do_grant_map(bad[i], 1), -EFAULT);
		assert_int_equal(do_grant_unmap(bad[i], 1), -EFAULT);
		assert_int_equal(do_grant_copy(bad[i], 1), -EFAULT);
	}
}

/* The operation may be read and not be written: nothing stays mapped. */
static void test_unwritable_result(void **state)
{
	struct rf_grant_map op = { .domain = domains[A]->id,
				   .grant = 1,
				   .count = 4,
				   .gfn = FREE_GFN };

	(void)state;
	grant(domains[A], 1, domains[B], DATA, 4, 0);
	run(domains[B]);
	((uint64_t *)frame_at(domains[B], 3))[OPERATIONS] &= ~PTE_WRITE;
	assert_int_equal(map_op(&op), -EFAULT);
	assert_int_equal(in_use(domains[A], 1), 0);
	assert_int_equal(granted_frame(domains[B], FREE_GFN), FRAME_NONE);
	assert_audit();
	((uint64_t *)frame_at(domains[B], 3))[OPERATIONS] |= PTE_WRITE;
	assert_int_equal(map_op(&op), 1);
}

/* Granted frames hold nothing that the hypervisor reads or writes for their user. */
static void test_only_for_leaves(void **state)
{
	struct domain *b = domains[B];

	(void)state;
	grant(domains[A], 1, b, DATA, 1, RF_GRANT_WRITE);
	run(b);
	assert_true(map_frame(domains[A], 1, FREE_GFN, RF_GRANT_MAP_WRITE) >= 0);
	assert_int_equal(touch(ADDRESS(256), FAULT_WRITE), SHADOW_FILLED);
	assert_int_equal(do_grant_unmap(ADDRESS(256), 1), -EFAULT);
	assert_int_equal(copy_to_guest(ADDRESS(256), "x", 1), -EFAULT);
	assert_int_equal(do_grant_register(FREE_GFN), -EINVAL);
	assert_int_equal(do_event_register_page(FREE_GFN), -EINVAL);
	/* As a table of level 1, it is none. */
	((uint64_t *)frame_at(b, 2))[1] = ((uint64_t *)frame_at(b, 2))[0];
	((uint64_t *)frame_at(b, 2))[1] &= ~PTE_ADDRESS;
	((uint64_t *)frame_at(b, 2))[1] |= (uint64_t)FREE_GFN << FRAME_SHIFT;
	assert_int_equal(touch(pte_span(2), FAULT_USER), SHADOW_GUEST_FAULT);
	/* Nor can it be granted on. */
	grant(b, 1, domains[CONTROL], FREE_GFN, 1, 0);
	run(domains[CONTROL]);
	assert_int_equal(map_frame(b, 1, 0, 0), -ENODATA);
	assert_audit();
}

/* --- Regions --- */

static void test_region(void **state)
{
	struct rf_grant_map op = { .domain = domains[A]->id,
				   .grant = 1,
				   .first = 10,
				   .count = 30,
				   .gfn = FREE_GFN };

	(void)state;
	grant(domains[A], 1, domains[B], DATA, 40, RF_GRANT_WRITE);
	run(domains[B]);
	assert_int_equal(map_op(&op), 1);
	assert_int_equal(op.count, 30);
	assert_int_equal(in_use(domains[A], 1), 1);
	for (uint64_t i = 0; i < 30; i++) {
		assert_int_equal(granted_frame(domains[B], FREE_GFN + i),
				 memory_lookup(domains[A], DATA + 10 + i));
		assert_int_equal(touch(ADDRESS(256 + i), FAULT_USER), SHADOW_FILLED);
	}
	assert_int_equal(granted_frame(domains[B], FREE_GFN + 30), FRAME_NONE);
	/* A window brings neighbours, none of them writable. */
	for (uint64_t i = 0; i < 30; i++)
		assert_int_equal(leaf_at(ADDRESS(256 + i)) & PTE_WRITE, 0);
	assert_audit();
	assert_int_equal(unmap(op.handle), 1);
	for (uint64_t i = 0; i < 30; i++)
		assert_int_equal(leaf_at(ADDRESS(256 + i)), 0);
}

/* A guest's 2 MiB entry over it, and prefill: 4 KiB leaves, as wide as the mapping. */
static void test_large_entry(void **state)
{
	struct domain *b = domains[B];
	struct rf_grant_map op = { .domain = domains[A]->id,
				   .grant = 1,
				   .count = 8,
				   .gfn = FREE_GFN };

	(void)state;
	grant(domains[A], 1, b, DATA, 8, RF_GRANT_WRITE);
	run(b);
	assert_int_equal(map_op(&op), 1);
	((uint64_t *)frame_at(b, 2))[1] = (uint64_t)FOREIGN << FRAME_SHIFT | PTE_PRESENT |
					  PTE_WRITE | PTE_USER | PTE_ACCESSED | PTE_DIRTY |
					  PTE_LARGE;
	shadow_prefill(b, 0, pte_span(2), 2 * pte_span(2));
	for (uint64_t i = 0; i < 8; i++) {
		uint64_t leaf = leaf_at(pte_span(2) + ADDRESS(i));

		assert_int_equal((leaf & PTE_ADDRESS) >> FRAME_SHIFT,
				 memory_lookup(domains[A], DATA + i));
		assert_false(leaf & (PTE_WRITE | PTE_LARGE));
	}
	assert_int_equal(leaf_at(pte_span(2) + ADDRESS(8)), 0);
	assert_audit();
	assert_int_equal(unmap(op.handle), 1);
	assert_int_equal(leaf_at(pte_span(2)), 0);
}

/* In the control domain, frames that do not follow each other are as many mappings. */
static void test_control_pieces(void **state)
{
	struct domain *a = domains[A], *c = domains[CONTROL];
	struct rf_grant_map op = { .domain = a->id, .grant = 1 };
	uint64_t mapped = 0, calls = 0, other;

	(void)state;
	/* One of them comes from elsewhere. */
	run(a);
	*(struct rf_memory_extent *)operations(a) = (struct rf_memory_extent){ .gfn = DATA + 5 };
	assert_int_equal(do_memory_release(RF_DOMAIN_SELF, operations_address(), 1), 1);
	other = frame_alloc(0);
	assert_int_equal(do_memory_populate(RF_DOMAIN_SELF, operations_address(), 1), 1);
	grant(a, 1, c, DATA, 12, 0);
	run(c);
	while (mapped < 12) {
		op.first = (uint32_t)mapped;
		op.count = (uint32_t)(12 - mapped);
		op.gfn = 0;
		op.handle = 0;
		assert_int_equal(map_op(&op), 1);
		assert_in_range(op.count, 1, 12 - mapped);
		for (uint64_t i = 0; i < op.count; i++)
			assert_int_equal(memory_lookup(a, DATA + mapped + i), op.gfn + i);
		mapped += op.count;
		calls++;
	}
	assert_in_range(calls, 2, 12);
	assert_int_equal(in_use(a, 1), calls);
	op.gfn = 1;
	op.handle = 0;
	assert_int_equal(map_op(&op), -EINVAL);
	assert_audit();
	frame_free(other, 0);
}

static void test_batch_stops(void **state)
{
	struct rf_grant_map *ops;

	(void)state;
	grant(domains[A], 1, domains[B], 0, FRAMES, 0);
	run(domains[B]);
	ops = operations(domains[B]);
	for (uint64_t i = 0; i < 20; i++)
		ops[i] = (struct rf_grant_map){ .domain = domains[A]->id,
						.grant = 1,
						.count = FRAMES,
						.gfn = FREE_GFN + i * FRAMES };
	assert_int_equal(do_grant_map(operations_address(), 20), 16);
	assert_int_equal(in_use(domains[A], 1), 16);
	ops[17].grant = 2;
	assert_int_equal(do_grant_map(operations_address() + 16 * sizeof(ops[0]), 4), 1);
	assert_int_equal(do_grant_map(operations_address() + 17 * sizeof(ops[0]), 3), -ENOENT);
	assert_audit();
}

/* --- Limits --- */

static void test_all_mappings(void **state)
{
	int64_t handle;

	(void)state;
	grant(domains[A], 1, domains[B], DATA, 1, 0);
	run(domains[B]);
	for (int64_t i = 0; i < RF_GRANT_MAPPINGS; i++)
		assert_int_equal(map_frame(domains[A], 1, FREE_GFN + (uint64_t)i, 0), i);
	assert_int_equal(in_use(domains[A], 1), RF_GRANT_MAPPINGS);
	assert_int_equal(map_frame(domains[A], 1, FREE_GFN + RF_GRANT_MAPPINGS, 0), -ENOSPC);
	assert_int_equal(in_use(domains[A], 1), RF_GRANT_MAPPINGS);
	assert_audit();
	assert_int_equal(unmap(77), 1);
	handle = map_frame(domains[A], 1, FREE_GFN + 77, 0);
	assert_int_equal(handle, 77);
	assert_int_equal(unmap(RF_GRANT_MAPPINGS), -ENOENT);
	assert_int_equal(unmap(~0U), -ENOENT);
}

/* A domain with much room for guest frame numbers, and little memory. */
static void test_all_tables(void **state)
{
	struct domain *b = domains[B];

	(void)state;
	grant(domains[A], 1, b, DATA, 1, 0);
	run(b);
	assert_true(map_frame(domains[A], 1, FREE_GFN, 0) >= 0);
	b->grant_map.table_count = GRANT_TABLES_MAX;
	assert_int_equal(map_frame(domains[A], 1, FREE_GFN + 512, 0), -ENOSPC);
	assert_true(map_frame(domains[A], 1, FREE_GFN + 1, 0) >= 0);
	b->grant_map.table_count = 1;
	assert_true(map_frame(domains[A], 1, FREE_GFN + 512, 0) >= 0);
	assert_int_equal(in_use(domains[A], 1), 3);
}

/* Whatever cannot be had, nothing has changed; and once it can be had, all is well. */
static void test_no_memory(void **state)
{
	uint64_t taken[RAM_FRAMES];
	uint64_t count = 0;

	(void)state;
	grant(domains[A], 1, domains[B], DATA, 1, 0);
	run(domains[B]);
	while ((taken[count] = frame_alloc(0)) != FRAME_NONE)
		count++;
	assert_int_equal(do_grant_register(DATA), -ENOMEM);
	assert_int_equal(frame_of(memory_lookup(domains[B], DATA))->references, 1);
	for (unsigned left = 0; map_frame(domains[A], 1, FREE_GFN, 0) == -ENOMEM; left++) {
		assert_true(left < 64);
		assert_int_equal(in_use(domains[A], 1), 0);
		assert_int_equal(frame_of(memory_lookup(domains[A], DATA))->references, 1);
		assert_audit();
		frame_free(taken[--count], 0);
	}
	assert_int_equal(in_use(domains[A], 1), 1);
	while (count > 0)
		frame_free(taken[--count], 0);
}

/* --- Copying --- */

static struct rf_grant_place own(struct domain *d, uint64_t offset, uint64_t byte)
{
	return (struct rf_grant_place){ .domain = RF_DOMAIN_SELF,
					.address = ADDRESS(base_of(d) + offset) + byte };
}

static struct rf_grant_place granted(const struct domain *d, uint32_t number, uint64_t address)
{
	return (struct rf_grant_place){ .domain = d->id, .grant = number, .address = address };
}

static void test_copy(void **state)
{
	struct domain *a = domains[A], *b = domains[B];
	char *theirs = frame_at(a, DATA + 1), *mine = frame_at(b, DATA);

	(void)state;
	grant(a, 1, b, DATA, 2, 0);
	grant(a, 2, b, DATA, 2, RF_GRANT_WRITE);
	memset(theirs, 'a', FRAME_SIZE);
	memset(mine, 'b', FRAME_SIZE);
	run(b);
	assert_int_equal(copy(granted(a, 1, 4096 + 90), own(b, DATA, 7), 5), 1);
	assert_memory_equal(mine + 6, "baaaaab", 7);
	assert_int_equal(copy(own(b, DATA, 0), granted(a, 2, 4096), 4096), 1);
	assert_memory_equal(mine, theirs, FRAME_SIZE);
	theirs[0] = '1';
	assert_int_equal(copy(granted(a, 1, 4096), granted(a, 2, 4097), 4095), 1);
	assert_memory_equal(theirs, "11bbbbbbaaaaabb", 15);
	assert_int_equal(in_use(a, 1), 0);
	assert_int_equal(in_use(a, 2), 0);
	assert_int_equal(copy(own(b, DATA, 8), own(b, DATA + 1, 0), 8), 1);
	assert_memory_equal(frame_at(b, DATA + 1), "aaaabbbb", 8);
}

static void test_copy_refused(void **state)
{
	struct domain *a = domains[A], *b = domains[B];
	const struct rf_grant_place mine = own(b, DATA, 0), readable = granted(a, 1, 0);

	(void)state;
	grant(a, 1, b, DATA, 2, 0);
	grant(a, 2, domains[CONTROL], DATA, 1, RF_GRANT_WRITE);
	grant(a, 3, b, FRAMES - 1, 2, RF_GRANT_WRITE);
	run(b);
	assert_int_equal(copy(mine, readable, 1), -EPERM);
	assert_int_equal(copy(readable, mine, 0), -EINVAL);
	assert_int_equal(copy(readable, mine, 4097), -EINVAL);
	assert_int_equal(copy(readable, mine, ~0U), -EINVAL);
	assert_int_equal(copy(granted(a, 1, 1), mine, 4096), -EINVAL);
	assert_int_equal(copy(readable, own(b, DATA, 4095), 2), -EINVAL);
	assert_int_equal(copy(granted(a, 1, 8192), mine, 1), -ERANGE);
	assert_int_equal(copy(granted(a, 1, ~0ULL), mine, 1), -ERANGE);
	assert_int_equal(copy(granted(a, 2, 0), mine, 1), -ENOENT);
	assert_int_equal(copy(granted(a, 4, 0), mine, 1), -ENOENT);
	assert_int_equal(copy(granted(a, 3, 4096), mine, 1), -ENODATA);
	assert_int_equal(copy(readable, own(b, FRAMES, 0), 1), -ENODATA);
	assert_int_equal(copy(granted(b, 1, 0), mine, 1), -EINVAL);
	assert_int_equal(copy((struct rf_grant_place){ .domain = 999 }, mine, 1), -ESRCH);
	assert_int_equal(copy((struct rf_grant_place){ .domain = RF_DOMAIN_SELF, .grant = 1 }, mine,
			      1),
			 -EINVAL);
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(in_use(a, i), 0);
	assert_audit();
}

/* What is mapped is not the caller's own memory. */
static void test_copy_from_mapped(void **state)
{
	(void)state;
	grant(domains[A], 1, domains[B], DATA, 1, RF_GRANT_WRITE);
	run(domains[B]);
	assert_true(map_frame(domains[A], 1, FREE_GFN, RF_GRANT_MAP_WRITE) >= 0);
	assert_int_equal(copy(own(domains[B], FREE_GFN, 0), own(domains[B], DATA, 0), 8), -ENODATA);
	assert_int_equal(copy(own(domains[B], DATA, 0), own(domains[B], FREE_GFN, 0), 8), -ENODATA);
}

/* --- Revoking, releasing, dying --- */

static void test_revoke(void **state)
{
	struct domain *a = domains[A];
	int64_t handle;

	(void)state;
	grant(a, 1, domains[B], DATA, 1, 0);
	run(domains[B]);
	handle = map_frame(a, 1, FREE_GFN, 0);
	revoke(a, 1);
	assert_int_equal(in_use(a, 1), 1);
	assert_int_equal(map_frame(a, 1, FREE_GFN + 1, 0), -ENOENT);
	assert_int_equal(copy(granted(a, 1, 0), own(domains[B], DATA, 0), 1), -ENOENT);
	assert_int_equal(in_use(a, 1), 1);
	/* Granted anew, to somebody else: counted together, and each has what it mapped. */
	grant(a, 1, domains[CONTROL], DATA + 1, 1, RF_GRANT_WRITE);
	run(domains[CONTROL]);
	assert_true(map_frame(a, 1, 0, RF_GRANT_MAP_WRITE) >= 0);
	assert_int_equal(in_use(a, 1), 2);
	assert_audit();
	run(domains[B]);
	assert_int_equal(granted_frame(domains[B], FREE_GFN), memory_lookup(a, DATA));
	assert_int_equal(touch(ADDRESS(256), FAULT_WRITE), SHADOW_GUEST_FAULT);
	assert_int_equal(unmap((uint64_t)handle), 1);
	assert_int_equal(in_use(a, 1), 1);
}

/* What the granter writes where the hypervisor writes is its own harm. */
static void test_scribbled(void **state)
{
	struct domain *a = domains[A];
	int64_t handle;

	(void)state;
	grant(a, 1, domains[B], DATA, 1, 0);
	run(domains[B]);
	handle = map_frame(a, 1, FREE_GFN, 0);
	entry_of(a, 1)->in_use = ~0ULL;
	assert_audit();
	assert_int_equal(unmap((uint64_t)handle), 1);
	assert_int_equal(in_use(a, 1), 0);
}

static int64_t release_frame(struct domain *d, uint64_t gfn)
{
	*(struct rf_memory_extent *)operations(d) = (struct rf_memory_extent){ .gfn = gfn };
	return do_memory_release(RF_DOMAIN_SELF, operations_address(), 1);
}

static int64_t populate_frame(struct domain *d, uint64_t gfn)
{
	*(struct rf_memory_extent *)operations(d) = (struct rf_memory_extent){ .gfn = gfn };
	return do_memory_populate(RF_DOMAIN_SELF, operations_address(), 1);
}

static void test_released(void **state)
{
	struct domain *a = domains[A];
	uint64_t mfn = memory_lookup(a, DATA), free;
	int64_t handle;

	(void)state;
	strcpy(frame_at(a, DATA), "still there");
	grant(a, 1, domains[B], DATA, 1, 0);
	run(domains[B]);
	handle = map_frame(a, 1, FREE_GFN, 0);
	run(a);
	assert_int_equal(release_frame(a, DATA), 1);
	free = frame_free_count();
	assert_int_equal(frame_of(mfn)->state, FRAME_LIMBO);
	assert_int_equal(populate_frame(a, DATA), 1);
	assert_int_not_equal(memory_lookup(a, DATA), mfn);
	assert_string_equal(arch_frame_pointer(mfn), "still there");
	run(domains[B]);
	assert_int_equal(touch(ADDRESS(256), FAULT_USER), SHADOW_FILLED);
	assert_audit();
	assert_int_equal(unmap((uint64_t)handle), 1);
	assert_int_equal(frame_of(mfn)->state, FRAME_FREE);
	assert_int_equal(frame_free_count(), free);
}

/* A place is its user's memory or a grant, never both. */
static void test_place(void **state)
{
	struct domain *b = domains[B];
	int64_t handle;

	(void)state;
	grant(domains[A], 1, b, DATA, 1, 0);
	run(b);
	assert_int_equal(release_frame(b, DATA), 1);
	handle = map_frame(domains[A], 1, DATA, 0);
	assert_true(handle >= 0);
	assert_int_equal(populate_frame(b, DATA), -EEXIST);
	assert_int_equal(release_frame(b, DATA), -ENOENT);
	assert_int_equal(memory_lookup(b, DATA), FRAME_NONE);
	assert_int_equal(touch(ADDRESS(DATA), FAULT_USER), SHADOW_FILLED);
	assert_audit();
	assert_int_equal(unmap((uint64_t)handle), 1);
	assert_int_equal(populate_frame(b, DATA), 1);
}

/* 2 MiB at once come only where nothing is mapped. */
static void test_large_place(void **state)
{
	struct domain_config config = { .vcpus = 1, .frames = 1024, .shadow_frames = 1 };
	struct rf_memory_extent extent = { .gfn = 512, .order = 9 };
	const char *error;
	struct domain *d = domain_create(&config, &error);
	int64_t handle;

	(void)state;
	assert_non_null(d);
	assert_int_equal(memory_fill(d, 0, FRAMES), 0);
	make_tables(d);
	grant(domains[A], 1, d, DATA, 1, 0);
	run(d);
	handle = map_frame(domains[A], 1, 1000, 0);
	assert_true(handle >= 0);
	memcpy(operations(d), &extent, sizeof(extent));
	assert_int_equal(do_memory_populate(RF_DOMAIN_SELF, operations_address(), 1), -EEXIST);
	assert_int_equal(unmap((uint64_t)handle), 1);
	memcpy(operations(d), &extent, sizeof(extent));
	assert_int_equal(do_memory_populate(RF_DOMAIN_SELF, operations_address(), 1), 1);
	assert_int_equal(map_frame(domains[A], 1, 1000, 0), -EEXIST);
}

static void test_granter_dies(void **state)
{
	struct domain *a = domains[A], *b = domains[B];
	uint64_t mfn = memory_lookup(a, DATA), one_use, both;
	int64_t first, second;

	(void)state;
	strcpy(frame_at(a, DATA), "still there");
	grant(a, 1, b, DATA, 1, 0);
	run(b);
	first = map_frame(a, 1, FREE_GFN, 0);
	second = map_frame(a, 1, FREE_GFN + 1, 0);
	destroy(A);
	run(b);
	both = frame_free_count();
	assert_int_equal(frame_of(mfn)->state, FRAME_LIMBO);
	assert_int_equal(touch(ADDRESS(256), FAULT_USER), SHADOW_FILLED);
	assert_string_equal(arch_frame_pointer(mfn), "still there");
	assert_audit();
	/* A later domain with its number has nothing to do with it. */
	domains[A] = make_domain("later", false);
	add_grant_page(domains[A]);
	assert_int_equal(domains[A]->id, 1);
	one_use = frame_free_count();
	grant(domains[A], 1, b, DATA, 1, 0);
	run(b);
	assert_int_equal(unmap((uint64_t)first), 1);
	assert_int_equal(frame_free_count(), one_use);
	assert_int_equal(in_use(domains[A], 1), 0);
	assert_audit();
	assert_int_equal(unmap((uint64_t)second), 1);
	assert_int_equal(frame_free_count(), one_use + 1);
	assert_true(one_use < both);
}

static void test_user_dies(void **state)
{
	struct domain *a = domains[A];
	struct rf_grant_map op = { .domain = a->id, .grant = 1, .count = 40, .gfn = FREE_GFN };

	(void)state;
	grant(a, 1, domains[B], DATA, 40, RF_GRANT_WRITE);
	run(domains[B]);
	for (unsigned i = 0; i < 9; i++) {
		op.gfn = FREE_GFN + i * 40;
		op.count = 40;
		op.handle = 0;
		assert_int_equal(map_op(&op), 1);
	}
	touch(ADDRESS(256), FAULT_USER);
	assert_int_equal(unmap(3), 1);
	assert_int_equal(in_use(a, 1), 8);
	destroy(B);
	assert_int_equal(in_use(a, 1), 0);
	for (uint64_t i = 0; i < 40; i++)
		assert_int_equal(frame_of(memory_lookup(a, DATA + i))->references, 1);
	assert_audit();
}

/* Each maps the other; both go at once, with an audit after every step. */
static void test_both_die(void **state)
{
	(void)state;
	for (int i = A; i <= B; i++) {
		struct domain *granter = domains[i], *user = domains[A + B - i];

		grant(granter, 1, user, DATA, 4, RF_GRANT_WRITE);
		run(user);
		assert_true(map_frame(granter, 1, FREE_GFN, RF_GRANT_MAP_WRITE) >= 0);
	}
	run(NULL);
	domain_destroy(domains[A]);
	domain_destroy(domains[B]);
	while (domain_reap())
		assert_audit();
}

/* From the moment that it is taken apart nobody gets anything new of it. */
static void test_dying(void **state)
{
	struct domain *a = domains[A];

	(void)state;
	grant(a, 1, domains[B], DATA, 1, 0);
	run(NULL);
	domain_destroy(a);
	run(domains[B]);
	assert_int_equal(map_frame(a, 1, FREE_GFN, 0), -ESRCH);
	assert_int_equal(copy(granted(a, 1, 0), own(domains[B], DATA, 0), 1), -ESRCH);
}

/* --- The audit sees what is wrong --- */

static void expect_wrong(const char *rule)
{
	const char *wrong;

	run(NULL);
	wrong = audit_run();
	assert_non_null(wrong);
	if (memcmp(wrong, rule, strlen(rule)) != 0)
		fail_msg("%s, and not %s", wrong, rule);
}

static void test_audit_sees(void **state)
{
	struct domain *a = domains[A], *b = domains[B];
	struct grant_mapping *mapping;
	uint64_t *word, saved, *leaf;

	(void)state;
	grant(a, 1, b, DATA, 1, 0);
	run(b);
	assert_int_equal(map_frame(a, 1, FREE_GFN, 0), 0);
	touch(ADDRESS(256), FAULT_USER);
	leaf = (uint64_t *)arch_frame_pointer(vcpu_current()->arch.kernel_table);
	for (unsigned level = 4; level > 1; level--)
		leaf = (uint64_t *)arch_frame_pointer(
			(leaf[pte_index(ADDRESS(256), level)] & PTE_ADDRESS) >> FRAME_SHIFT);
	leaf += 256;
	a->grant.pages[0].pins[1].count++;
	expect_wrong("I6");
	a->grant.pages[0].pins[1].count--;
	mapping = &b->grant_map.mappings[0];
	mapping->state = GRANT_BUSY;
	expect_wrong("I6");
	mapping->state = GRANT_FREE;
	expect_wrong("I6");
	mapping->state = GRANT_MAPPED;
	mapping->write = true;
	expect_wrong("I6");
	mapping->write = false;
	word = grant_map_word(&b->grant_map, FREE_GFN);
	saved = *word;
	*word += GRANT_WORD_READER;
	expect_wrong("I6");
	*word = saved + (1ULL << GRANT_WORD_MFN_SHIFT);
	expect_wrong("I4");
	*word = memory_lookup(b, DATA) << GRANT_WORD_MFN_SHIFT | GRANT_WORD_READER;
	expect_wrong("I6");
	*word = saved;
	frame_of(memory_lookup(a, DATA))->word++;
	expect_wrong("I4");
	frame_of(memory_lookup(a, DATA))->word--;
	saved = *leaf;
	*leaf |= PTE_WRITE;
	expect_wrong("a shadow entry is wider");
	*leaf = saved + ADDRESS(1);
	expect_wrong("a shadow entry is wider");
	*leaf = saved & ~SHADOW_GRANTED;
	expect_wrong("a shadow entry maps a frame");
	*leaf = saved;
	assert_audit();
}

/* --- Several CPUs --- */

#define ROUNDS 20000
#define FEW    4

static void play_granter(struct domain *d, const struct domain *other, uint64_t *random)
{
	uint32_t number = (uint32_t)(unit_random(random) % FEW);

	if (unit_random(random) % 2)
		revoke(d, number);
	else
		grant(d, number, other, DATA + number, 1 + unit_random(random) % 3,
		      unit_random(random) % 2 ? RF_GRANT_WRITE : 0);
}

static void play_user(struct domain *d, const struct domain *other, uint64_t *random)
{
	uint32_t number = (uint32_t)(unit_random(random) % FEW);
	uint64_t place = unit_random(random) % 8;

	switch (unit_random(random) % 8) {
	case 0 ... 2:
		map_frame(other, number, d->control ? 0 : FREE_GFN + place,
			  unit_random(random) % 2);
		break;
	case 3 ... 5:
		unmap(unit_random(random) % 8);
		break;
	case 6:
		copy(granted(other, number, 0), own(d, DATA + 8, 0), 64);
		break;
	default:
		copy(own(d, DATA + 8, 0), granted(other, number, 8), 64);
		break;
	}
}

/* A CPU of its own, the vCPU of one of two domains: what comes to its mind, on the same few grants. */
static void *play(void *argument)
{
	uint32_t cpu = (uint32_t)(uintptr_t)argument;
	struct domain *d = domains[cpu & 1 ? B : A], *other = domains[cpu & 1 ? A : B];
	uint64_t random = cpu + 1;

	fake_set_cpu(cpu);
	quiesce_idle_end();
	run(d);
	for (unsigned i = 0; i < ROUNDS; i++) {
		play_granter(d, other, &random);
		play_user(d, other, &random);
		if (i % 8 == 0 && release_frame(d, DATA + i / 8 % FEW) == 1)
			populate_frame(d, DATA + i / 8 % FEW);
		quiesce_here();
	}
	run(NULL);
	quiesce_idle_begin();
	return NULL;
}

static void test_all_at_once(void **state)
{
	pthread_t threads[CPUS];

	(void)state;
	for (uintptr_t i = 0; i < CPUS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, play, (void *)i), 0);
	for (unsigned i = 0; i < CPUS; i++)
		pthread_join(threads[i], NULL);
	fake_set_cpu(0);
	quiesce_idle_end();
	assert_audit();
}

/*
 * Whoever has revoked and seen that nothing is in use has its frame alone: nobody else writes there
 * until it grants it again.
 */
static bool done;

static void *scribble(void *argument)
{
	fake_set_cpu(1 + (uint32_t)(uintptr_t)argument);
	run(domains[B]);
	memset(frame_at(domains[B], DATA + (uintptr_t)argument), 0xee, FRAME_SIZE);
	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE))
		copy(own(domains[B], DATA + (uintptr_t)argument, 0), granted(domains[A], 1, 0),
		     4096);
	run(NULL);
	return NULL;
}

static bool is_clean(const volatile uint64_t *words)
{
	for (unsigned i = 0; i < FRAME_SIZE / 8; i++)
		if (words[i])
			return false;
	return true;
}

static void test_revoked_is_ones_own(void **state)
{
	volatile uint64_t *words = frame_at(domains[A], DATA);
	unsigned written = 0;
	pthread_t threads[2];

	(void)state;
	done = false;
	for (uintptr_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, scribble, (void *)i), 0);
	for (unsigned i = 0; i < ROUNDS / 4; i++) {
		grant(domains[A], 1, domains[B], DATA, 1, RF_GRANT_WRITE);
		for (unsigned wait = i % 64; wait > 0; wait--)
			arch_cpu_relax();
		revoke(domains[A], 1);
		while (in_use(domains[A], 1))
			arch_cpu_relax();
		written += !is_clean(words);
		memset((void *)(uintptr_t)words, 0, FRAME_SIZE);
		for (unsigned look = 0; look < 4; look++)
			assert_true(is_clean(words));
	}
	__atomic_store_n(&done, true, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_true(written > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_register, setup, teardown),
		cmocka_unit_test_setup_teardown(test_last_page, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_only, setup, teardown),
		cmocka_unit_test_setup_teardown(test_writable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_places, setup, teardown),
		cmocka_unit_test_setup_teardown(test_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(test_map_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_arrays_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unwritable_result, setup, teardown),
		cmocka_unit_test_setup_teardown(test_only_for_leaves, setup, teardown),
		cmocka_unit_test_setup_teardown(test_region, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large_entry, setup, teardown),
		cmocka_unit_test_setup_teardown(test_control_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_batch_stops, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_mappings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_tables, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copy_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copy_from_mapped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_revoke, setup, teardown),
		cmocka_unit_test_setup_teardown(test_scribbled, setup, teardown),
		cmocka_unit_test_setup_teardown(test_released, setup, teardown),
		cmocka_unit_test_setup_teardown(test_place, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large_place, setup, teardown),
		cmocka_unit_test_setup_teardown(test_granter_dies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_user_dies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_both_die, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dying, setup, teardown),
		cmocka_unit_test_setup_teardown(test_audit_sees, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_revoked_is_ones_own, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
