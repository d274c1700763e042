// SPDX-License-Identifier: BSD-2-Clause
/*
 * Grants: every call well and badly; what is reached through them, and how; what is left when
 * somebody revokes, releases, unmaps or dies, in every order; and everything at once from several
 * CPUs. test_grant_model.c tries everything that three domains can do with little.
 */
#include "grant_unit.h"

#include <pthread.h>

#define FREE_GFN (FOREIGN + 0)

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_register, setup, teardown),
		cmocka_unit_test_setup_teardown(test_last_page, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_only, setup, teardown),
		cmocka_unit_test_setup_teardown(test_writable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_twice, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
