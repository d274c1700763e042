// SPDX-License-Identifier: BSD-2-Clause
/*
 * Device memory in the shadows: whose it may be, what its leaves look like, what a flush makes of
 * them, and that the audit knows them.
 */
#include "unit.h"

#include "cpu.h"
#include "device_memory.h"
#include "domain.h"
#include "fake_arch.h"
#include "fake_guest.h"
#include "fake_memory.h"
#include "shadow_table.h"
#include "vcpu.h"

#define RAM_FRAMES 8192
#define DEVICE	   (RAM_FRAMES + 512) /* three times 2 MiB of it; before and after, the hypervisor's */
#define FRAMES	   (3 * 512)
#define UNCACHED   (PTE_WRITE_THROUGH | PTE_CACHE_DISABLE)
#define USER_RW	   (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED | PTE_DIRTY)

static struct domain *domain;
static struct vcpu *vcpu;
static uint64_t next_table;

static void create(bool control)
{
	fake_memory_init(RAM_FRAMES, 2);
	fake_device_first = DEVICE;
	fake_device_frames = FRAMES;
	walk_init(40);
	domain = fake_guest_create(
		&(struct fake_guest_config){ .chunks = 3, .vcpus = 1, .identity = control });
	next_table = fake_guest_base(domain) + 1;
	vcpu = domain->vcpus[0];
	shadow_set_kernel_root(domain, vcpu->root_gfn);
	fake_guest_switch(vcpu);
}

static void destroy(void)
{
	fake_guest_switch(NULL);
	fake_guest_destroy(domain);
}

static void map(uint64_t address, unsigned level, uint64_t entry)
{
	fake_guest_map(domain, vcpu->root_gfn, address, level, entry, &next_table);
}

/* The leaf of an address in the kernel view, and its level. */
static uint64_t leaf_of(uint64_t address, unsigned *level)
{
	const uint64_t *table = arch_frame_pointer(vcpu->arch.kernel_table);
	uint64_t entry = table[pte_index(address, 4)];

	for (*level = 4; shadow_entry_is_table(entry, *level); --*level)
		entry = shadow_table(entry)[pte_index(address, *level - 1)];
	return entry;
}

static bool touch(uint64_t address)
{
	uint32_t error;

	return shadow_fault(vcpu, address, FAULT_USER | FAULT_WRITE, &error) == SHADOW_FILLED;
}

static void flush(uint64_t address, uint64_t size)
{
	shadow_flush_range(domain, vcpu->root_gfn, address, address + size);
}

static void assert_leaf(uint64_t address, unsigned level, uint64_t mfn, uint64_t attributes)
{
	const uint64_t mask = shadow_device_mask(level) & ~SHADOW_DEVICE;
	unsigned found;
	uint64_t leaf = leaf_of(address, &found);

	assert_true(leaf & SHADOW_DEVICE);
	assert_int_equal(found, level);
	assert_int_equal(shadow_leaf_mfn(leaf, level), mfn);
	assert_int_equal(leaf & mask, attributes);
	assert_null(shadow_audit(domain, true));
}

static void test_whose(void **state)
{
	(void)state;
	create(true);
	assert_true(device_memory_allowed(domain, DEVICE, 1));
	assert_true(device_memory_allowed(domain, DEVICE + FRAMES - 1, 1));
	assert_true(device_memory_allowed(domain, DEVICE + 512, 512));
	assert_false(device_memory_allowed(domain, DEVICE - 1, 1));
	assert_false(device_memory_allowed(domain, DEVICE + FRAMES, 1));
	assert_false(device_memory_allowed(domain, DEVICE + FRAMES - 511, 512));
	/* RAM is none, whoever has it, even if nobody keeps it. */
	fake_device_first = 0;
	fake_device_frames = DEVICE + FRAMES;
	assert_false(device_memory_allowed(domain, 0, 1));
	assert_false(device_memory_allowed(domain, fake_guest_base(domain), 1));
	assert_false(device_memory_allowed(domain, RAM_FRAMES - 1, 512));
	destroy();
	create(false);
	assert_false(device_memory_allowed(domain, DEVICE, 1));
	map(0x5000, 1, (uint64_t)DEVICE << 12 | USER_RW);
	assert_false(touch(0x5000));
	destroy();
}

static void test_small(void **state)
{
	unsigned level;

	(void)state;
	create(true);
	for (uint64_t i = 0; i < 4; i++)
		map(0x8000 + (i << 12), 1, (DEVICE + i) << 12 | USER_RW | UNCACHED);
	assert_true(touch(0x8000));
	assert_leaf(0x8000, 1, DEVICE, UNCACHED);
	/* Neighbours wait until they are used. */
	assert_int_equal(leaf_of(0x9000, &level), 0);
	/* A flush keeps what has not changed, tightens, and drops what is cached otherwise now. */
	flush(0x8000, 0x4000);
	assert_leaf(0x8000, 1, DEVICE, UNCACHED);
	map(0x8000, 1, (uint64_t)DEVICE << 12 | ((USER_RW | UNCACHED) & ~PTE_WRITE));
	flush(0x8000, 0x1000);
	assert_leaf(0x8000, 1, DEVICE, UNCACHED);
	assert_false(leaf_of(0x8000, &level) & PTE_WRITE);
	map(0x8000, 1, (uint64_t)DEVICE << 12 | USER_RW | PTE_PAT);
	assert_non_null(shadow_audit(domain, true));
	flush(0x8000, 0x1000);
	assert_int_equal(leaf_of(0x8000, &level), 0);
	assert_true(touch(0x8000));
	assert_leaf(0x8000, 1, DEVICE, PTE_PAT);
	destroy();
}

static void test_large(void **state)
{
	const uint64_t large = PTE_LARGE | USER_RW, base = 0x40000000;
	unsigned level;

	(void)state;
	create(true);
	map(base, 2, (uint64_t)DEVICE << 12 | large | PTE_PAT_LARGE);
	assert_true(touch(base + 0x3000));
	assert_leaf(base, 2, DEVICE, PTE_PAT_LARGE);
	flush(base, pte_span(2));
	assert_leaf(base, 2, DEVICE, PTE_PAT_LARGE);
	map(base, 2, (uint64_t)DEVICE << 12 | large | UNCACHED);
	flush(base, pte_span(2));
	assert_int_equal(leaf_of(base, &level), 0);
	/* Half of it is the hypervisor's: small pages, and only of the other half. */
	fake_device_first = DEVICE + 256;
	fake_device_frames = 256;
	assert_false(touch(base));
	map(base, 2, (uint64_t)DEVICE << 12 | large | PTE_PAT_LARGE);
	assert_true(touch(base + pte_span(2) - 4096));
	assert_leaf(base + pte_span(2) - 4096, 1, DEVICE + 511, PTE_PAT);
	assert_false(touch(base));
	destroy();
}

static void test_memory_is_write_back(void **state)
{
	unsigned level;

	(void)state;
	create(true);
	map(0x5000, 1, (fake_guest_base(domain) + 64) << 12 | USER_RW | UNCACHED | PTE_PAT);
	assert_true(touch(0x5000));
	assert_int_equal(leaf_of(0x5000, &level) & shadow_device_mask(1), 0);
	assert_null(shadow_audit(domain, true));
	destroy();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whose),
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_memory_is_write_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
