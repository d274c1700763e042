// SPDX-License-Identifier: BSD-2-Clause
/*
 * Copying to and from guests: across pages, where something is missing or not allowed, and what is
 * remembered of kernel pages when the guest or the hypervisor takes them away.
 */
#include "unit.h"

#include "cpu.h"
#include "domain.h"
#include "fake_arch.h"
#include "fake_guest.h"
#include "fake_memory.h"
#include "frame.h"
#include "guest_access.h"
#include "guest_access_cache.h"
#include "memory.h"
#include "shadow.h"
#include "vcpu.h"
#include "walk.h"
#include "abi/errno.h"
#include "abi/memory.h"

#define RAM_FRAMES  8192
#define ROOT	    0 /* gfns */
#define OTHER_ROOT  1
#define DATA	    64
#define ARGUMENTS   100
#define KERNEL_BASE 0xffffc00000000000ULL
#define ARGUMENT    (KERNEL_BASE + 0x100000)
#define KERNEL_RW   (PTE_PRESENT | PTE_WRITE | PTE_ACCESSED | PTE_DIRTY)
#define USER_RW	    (KERNEL_RW | PTE_USER)

static struct domain *domain;
static struct vcpu *vcpu;
static uint64_t next_table;

static int setup(void **state)
{
	(void)state;
	fake_memory_init(RAM_FRAMES, 1);
	walk_init(40);
	domain = fake_guest_create(&(struct fake_guest_config){ .chunks = 3, .vcpus = 1 });
	next_table = 2;
	vcpu = domain->vcpus[0];
	shadow_set_kernel_root(domain, ROOT);
	fake_guest_switch(vcpu);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_guest_switch(NULL);
	fake_guest_destroy(domain);
	return 0;
}

static void map(uint64_t address, uint64_t gfn, uint64_t bits)
{
	fake_guest_map(domain, ROOT, address, 1, gfn << 12 | bits, &next_table);
}

static char *bytes(uint64_t gfn)
{
	return (char *)fake_guest_frame(domain, gfn);
}

static void test_across_pages(void **state)
{
	const uint64_t bases[] = { 0x10000, KERNEL_BASE };
	char out[3 * 4096], in[3 * 4096];

	(void)state;
	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (char)(i * 7 + (i >> 8));
	for (unsigned b = 0; b < 2; b++) {
		for (uint64_t i = 0; i < 5; i++) /* pages in the other order in memory */
			map(bases[b] + (i << 12), DATA + 8 - i, USER_RW);
		for (uint64_t offset = 1; offset < 4096; offset += 409) {
			uint64_t at = bases[b] + offset;

			memset(in, 0, sizeof(in));
			assert_int_equal(copy_to_guest(at, out, sizeof(out)), 0);
			assert_int_equal(copy_from_guest(in, at, sizeof(in)), 0);
			assert_memory_equal(in, out, sizeof(in));
			assert_memory_equal(bytes(DATA + 7), out + 4096 - offset, 4096);
			assert_memory_equal(bytes(DATA + 8) + offset, out, 4096 - offset);
		}
	}
	assert_int_equal(copy_to_guest(0x999000, out, 0), 0); /* nothing is nowhere */
}

static void test_missing_tail(void **state)
{
	char buffer[8192];

	(void)state;
	memset(buffer, 'x', sizeof(buffer));
	map(KERNEL_BASE, DATA, KERNEL_RW);
	map(0x10000, DATA, USER_RW);
	assert_int_equal(copy_to_guest(KERNEL_BASE + 4000, buffer, 97), -EFAULT);
	assert_int_equal(copy_from_guest(buffer, KERNEL_BASE + 4000, 97), -EFAULT);
	assert_int_equal(copy_to_guest(KERNEL_BASE + 4000, buffer, 96), 0);
	assert_int_equal(copy_to_guest(0x10000 + 4000, buffer, 97), -EFAULT);
	assert_int_equal(copy_from_guest(buffer, 0x10000 - 1, 2), -EFAULT);
	/* A frame that the domain has not got. */
	map(KERNEL_BASE + 4096, 100000, KERNEL_RW);
	assert_int_equal(copy_from_guest(buffer, KERNEL_BASE + 4000, 97), -EFAULT);
	/* No root, and no kernel root. */
	shadow_load_root(vcpu, OTHER_ROOT);
	assert_int_equal(copy_from_guest(buffer, 0x10000, 1), -EFAULT);
	assert_int_equal(copy_from_guest(buffer, KERNEL_BASE, 1), 0);
	shadow_set_kernel_root(domain, OTHER_ROOT);
	assert_int_equal(copy_from_guest(buffer, KERNEL_BASE, 1), -EFAULT);
}

/* Tables that map everything, so that only the address itself can be wrong. */
static void test_addresses(void **state)
{
	const uint64_t bad[] = {
		HYPERVISOR_BASE,       HYPERVISOR_END - 1,    HYPERVISOR_BASE + 0x12345678,
		USER_HALF_END,	       USER_HALF_END + 12345, HYPERVISOR_BASE - 1,
		0x8000000000000000ULL, USER_MAP_END,	      USER_HALF_END - 1,
	};
	uint64_t *root = fake_guest_frame(domain, ROOT);
	char byte = 1;

	(void)state;
	for (unsigned i = 0; i < 512; i++) {
		root[i] = 2 << 12 | USER_RW;
		for (unsigned level = 0; level < 3; level++)
			fake_guest_frame(domain, 2 + level)[i] =
				(level < 2 ? 3 + level : DATA) << 12 | USER_RW;
	}
	assert_int_equal(copy_from_guest(&byte, 0, 1), 0);
	assert_int_equal(copy_from_guest(&byte, USER_MAP_END - 1, 1), 0);
	assert_int_equal(copy_from_guest(&byte, HYPERVISOR_END, 1), 0);
	assert_int_equal(copy_from_guest(&byte, ~0ULL, 1), 0);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(copy_from_guest(&byte, bad[i], 1), -EFAULT);
		assert_int_equal(copy_to_guest(bad[i], &byte, 1), -EFAULT);
	}
	/* A range that begins well. */
	assert_int_equal(copy_to_guest(USER_MAP_END - 1, "ab", 2), -EFAULT);
	assert_int_equal(copy_to_guest(HYPERVISOR_BASE - 1, "ab", 2), -EFAULT);
	assert_int_equal(copy_to_guest(HYPERVISOR_END - 1, "ab", 2), -EFAULT);
	assert_int_equal(copy_to_guest(~0ULL, "ab", 2), -EFAULT);
}

static void test_permissions(void **state)
{
	const uint64_t addresses[] = { 0x10000, KERNEL_BASE };
	char byte = 1;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		uint64_t at = addresses[i];

		map(at, DATA, KERNEL_RW & ~PTE_WRITE);
		assert_int_equal(copy_from_guest(&byte, at, 1), 0);
		assert_int_equal(copy_to_guest(at, &byte, 1), -EFAULT);
		/* What is remembered of a read is no leave to write. */
		assert_int_equal(copy_from_guest(&byte, at, 1), 0);
		assert_int_equal(copy_to_guest(at, &byte, 1), -EFAULT);
		map(at, DATA, PTE_PRESENT | PTE_WRITE);
		assert_int_equal(copy_to_guest(at, &byte, 1), 0);
	}
}

/* A and D as if the guest had done it. */
static void test_accessed_dirty(void **state)
{
	uint64_t *table;
	char byte;

	(void)state;
	map(KERNEL_BASE, DATA, PTE_PRESENT | PTE_WRITE);
	table = fake_guest_frame(domain, next_table - 1);
	assert_int_equal(copy_from_guest(&byte, KERNEL_BASE, 1), 0);
	assert_int_equal(table[0] & (PTE_ACCESSED | PTE_DIRTY), PTE_ACCESSED);
	assert_int_equal(copy_to_guest(KERNEL_BASE, &byte, 1), 0);
	assert_int_equal(table[0] & (PTE_ACCESSED | PTE_DIRTY), PTE_ACCESSED | PTE_DIRTY);
	/* Written back and flushed, as when the page was cleaned: the next write sets it again. */
	table[0] &= ~PTE_DIRTY;
	shadow_flush_kernel(domain, KERNEL_BASE, KERNEL_BASE + 4095);
	assert_int_equal(copy_from_guest(&byte, KERNEL_BASE, 1), 0);
	assert_false(table[0] & PTE_DIRTY);
	assert_int_equal(copy_to_guest(KERNEL_BASE, &byte, 1), 0);
	assert_true(table[0] & PTE_DIRTY);
}

static char read_byte(uint64_t at)
{
	char byte;

	assert_int_equal(copy_from_guest(&byte, at, 1), 0);
	return byte;
}

/* Another page that has the same place in what is remembered. */
static uint64_t page_that_shares(uint64_t address)
{
	uint64_t other = address + 4096;

	while (guest_access_entry(vcpu, other) != guest_access_entry(vcpu, address))
		other += 4096;
	return other;
}

/* The top pages of stacks, at any distance that is usual: most have a place of their own. */
static void test_stacks_do_not_share(void **state)
{
	(void)state;
	for (uint64_t distance = 1; distance <= 64; distance *= 2) {
		uint64_t used = 0;

		for (uint64_t i = 0; i < GUEST_ACCESS_CACHE / 2; i++) {
			uint64_t top = KERNEL_BASE + (i * distance + distance - 1) * 4096;

			used |= 1ULL << (guest_access_entry(vcpu, top) - vcpu->access_cache.entry);
		}
		assert_true(__builtin_popcountll(used) >= (int)GUEST_ACCESS_CACHE / 4);
	}
}

/* Without a flush only what is forgotten is looked up again: two that share a place both stay, used in turn. */
static void test_two_in_turn(void **state)
{
	const uint64_t other = page_that_shares(KERNEL_BASE);

	(void)state;
	*bytes(DATA) = 'a';
	*bytes(DATA + 1) = 'b';
	*bytes(DATA + 2) = 'c';
	map(KERNEL_BASE, DATA, KERNEL_RW);
	map(other, DATA + 2, KERNEL_RW);
	assert_int_equal(read_byte(KERNEL_BASE), 'a');
	assert_int_equal(read_byte(other), 'c');
	map(KERNEL_BASE, DATA + 1, KERNEL_RW);
	map(other, DATA + 1, KERNEL_RW);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(read_byte(KERNEL_BASE), 'a');
		assert_int_equal(read_byte(other), 'c');
	}
	shadow_flush_all(domain);
	assert_int_equal(read_byte(KERNEL_BASE), 'b');
	assert_int_equal(read_byte(other), 'b');
}

static void test_cache_and_flush(void **state)
{
	const uint64_t other = page_that_shares(KERNEL_BASE);

	(void)state;
	*bytes(DATA) = 'a';
	*bytes(DATA + 1) = 'b';
	*bytes(DATA + 2) = 'c';
	map(KERNEL_BASE, DATA, KERNEL_RW);
	map(other, DATA + 2, KERNEL_RW);
	assert_int_equal(read_byte(KERNEL_BASE), 'a');
	map(KERNEL_BASE, DATA + 1, KERNEL_RW);
	shadow_flush_kernel(domain, KERNEL_BASE, KERNEL_BASE + 4095);
	assert_int_equal(read_byte(KERNEL_BASE), 'b');
	/* Pages that share a place in what is remembered. */
	assert_int_equal(read_byte(other), 'c');
	assert_int_equal(read_byte(KERNEL_BASE), 'b');
	map(KERNEL_BASE, DATA, KERNEL_RW);
	shadow_flush_all(domain);
	assert_int_equal(read_byte(KERNEL_BASE), 'a');
	/* The user half is never remembered: it needs no flush here. */
	map(0x10000, DATA, USER_RW);
	assert_int_equal(read_byte(0x10000), 'a');
	map(0x10000, DATA + 1, USER_RW);
	assert_int_equal(read_byte(0x10000), 'b');
}

static void release(uint64_t gfn)
{
	struct rf_memory_extent extent = { .gfn = gfn };

	assert_int_equal(copy_to_guest(ARGUMENT, &extent, sizeof(extent)), 0);
	assert_int_equal(do_memory_release(RF_DOMAIN_SELF, ARGUMENT, 1), 1);
}

/* The guest gives the frame back without a word to its tables: nothing goes there any more. */
static void test_cache_and_release(void **state)
{
	uint64_t mfn = memory_lookup(domain, DATA);
	char byte;

	(void)state;
	map(ARGUMENT, ARGUMENTS, KERNEL_RW);
	map(KERNEL_BASE, DATA, KERNEL_RW);
	map(0x10000, DATA, USER_RW);
	assert_int_equal(copy_to_guest(KERNEL_BASE, "x", 1), 0);
	release(DATA);
	assert_false(frame_owned_by(mfn, domain->id));
	assert_int_equal(copy_from_guest(&byte, KERNEL_BASE, 1), -EFAULT);
	assert_int_equal(copy_to_guest(KERNEL_BASE, "x", 1), -EFAULT);
	assert_int_equal(copy_to_guest(0x10000, "x", 1), -EFAULT);
	/* A table that is given back takes what is below it along. */
	map(KERNEL_BASE, DATA + 1, KERNEL_RW);
	assert_int_equal(copy_to_guest(KERNEL_BASE, "x", 1), 0);
	release(ROOT);
	assert_int_equal(copy_to_guest(KERNEL_BASE, "x", 1), -EFAULT);
	assert_int_equal(copy_to_guest(ARGUMENT, "x", 1), -EFAULT);
	assert_null(shadow_audit(domain, true));
}

static void test_physical(void **state)
{
	uint64_t at = (1024ULL << 12) - 3; /* to where single frames begin */
	char in[16];

	(void)state;
	assert_int_equal(copy_to_guest_physical(domain, at, "0123456789abcdef", 16), 0);
	assert_memory_equal(bytes(1024), "3456789abcdef", 13);
	assert_int_equal(copy_from_guest_physical(domain, in, at, 16), 0);
	assert_memory_equal(in, "0123456789abcdef", 16);
	assert_int_equal(copy_to_guest_physical(domain, (1536ULL << 12) - 3, in, 4), -EFAULT);
	assert_int_equal(copy_from_guest_physical(domain, in, 1536ULL << 12, 1), -EFAULT);
	assert_int_equal(copy_from_guest_physical(domain, in, ~0ULL, 1), -EFAULT);
	assert_int_equal(copy_from_guest_physical(domain, in, 1ULL << 63, 1), -EFAULT);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_across_pages),    CASE(test_missing_tail),
		CASE(test_addresses),	    CASE(test_permissions),
		CASE(test_accessed_dirty),  CASE(test_two_in_turn),
		CASE(test_cache_and_flush), CASE(test_cache_and_release),
		CASE(test_physical),	    CASE(test_stacks_do_not_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
