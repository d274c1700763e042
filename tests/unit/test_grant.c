// SPDX-License-Identifier: BSD-2-Clause
/*
 * Grants: every call well and badly, what is reached through them, and how. test_grant_end.c has what
 * is left of them, and test_grant_model.c tries everything that three domains can do with little.
 */
#include "grant_unit.h"

#include "abi/memory.h"
#include "event.h"
#include "guest_access.h"

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
