// SPDX-License-Identifier: BSD-2-Clause
/*
 * The shadows, case by case: what a flush keeps, how much it looks at, how windows grow, who is
 * told, how roots come and go, and that the audit finds each thing that could be wrong.
 * test_shadow_model.c does the rest.
 */
#include "unit.h"

#include "cpu.h"
#include "domain.h"
#include "fake_arch.h"
#include "fake_guest.h"
#include "fake_memory.h"
#include "frame.h"
#include "memory.h"
#include "shadow.h"
#include "vcpu.h"
#include "walk.h"
#include "abi/errno.h"

#define RAM_FRAMES  8192
#define CHUNKS	    3
#define ROOT	    0 /* gfns */
#define OTHER_ROOT  1
#define NEXT_TABLE  2
#define DATA	    64
#define FRAGMENTED  1024
#define KERNEL_BASE 0xffffc00000000000ULL
#define RESYNC_MOST 32768

#define KERNEL_RW   (PTE_PRESENT | PTE_WRITE | PTE_ACCESSED | PTE_DIRTY)
#define USER_RW	    (KERNEL_RW | PTE_USER)
#define NEVER_USED  (~(PTE_ACCESSED | PTE_DIRTY))

static struct domain *domain;
static struct vcpu *vcpu;
static uint64_t next_table;
static uint64_t free_before;

static int setup_pool(uint64_t pool_frames)
{
	fake_memory_init(RAM_FRAMES, 3);
	walk_init(40);
	free_before = frame_free_count();
	domain = fake_guest_create(&(struct fake_guest_config){ .chunks = CHUNKS,
								.vcpus = 2,
								.pool_frames = pool_frames });
	next_table = NEXT_TABLE;
	domain->vcpus[1]->root_gfn = OTHER_ROOT;
	vcpu = domain->vcpus[0];
	shadow_set_kernel_root(domain, ROOT);
	fake_guest_switch(vcpu);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return setup_pool(1000);
}

static int setup_least(void **state)
{
	(void)state;
	return setup_pool(0);
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
	assert_int_equal(frame_free_count(), free_before);
	return 0;
}

static void map(uint64_t address, uint64_t gfn, uint64_t bits)
{
	fake_guest_map(domain, ROOT, address, 1, gfn << 12 | bits, &next_table);
}

static void map_large(uint64_t address, uint64_t gfn, uint64_t bits)
{
	fake_guest_map(domain, ROOT, address, 2, gfn << 12 | bits | PTE_LARGE, &next_table);
}

static uint64_t *view(bool user)
{
	return arch_frame_pointer(user ? vcpu->arch.user_table : vcpu->arch.kernel_table);
}

/* Where the shadow entry of an address is, and its level; NULL when a table is missing. */
static uint64_t *shadow_slot(bool user, uint64_t address, unsigned *level)
{
	uint64_t *slot = &view(user)[pte_index(address, 4)];

	for (*level = 4; *level > 1 && (*slot & PTE_PRESENT) && !(*slot & PTE_LARGE); --*level) {
		uint64_t *table = arch_frame_pointer((*slot & PTE_ADDRESS) >> 12);

		slot = &table[pte_index(address, *level - 1)];
	}
	return slot;
}

static uint64_t *leaf_slot(uint64_t address)
{
	unsigned level;
	uint64_t *slot = shadow_slot(false, address, &level);

	assert_int_equal(level, 1);
	return slot;
}

static bool reaches(uint64_t address, uint32_t access)
{
	unsigned level;
	uint64_t entry = *shadow_slot(access & FAULT_USER, address, &level);

	return (entry & PTE_PRESENT) && (!(access & FAULT_WRITE) || (entry & PTE_WRITE));
}

/* What a guest's access does: the number of faults it takes; the last must have filled. */
static unsigned touch(uint64_t address, uint32_t access)
{
	unsigned faults = 0;
	uint32_t error;

	while (!reaches(address, access)) {
		assert_int_equal(shadow_fault(vcpu, address, access, &error), SHADOW_FILLED);
		assert_true(++faults < 4);
	}
	return faults;
}

static void assert_audit(bool strict, const char *wrong)
{
	const char *found = shadow_audit(domain, strict);

	if (wrong)
		assert_non_null(found);
	if (found)
		assert_string_equal(found, wrong ? wrong : "nothing");
}

/* --- windows --- */

static void test_window_growth(void **state)
{
	unsigned faults = 0;

	(void)state;
	for (uint64_t i = 0; i < 2048; i++)
		map(i << 12, DATA + i % 64, USER_RW);
	for (uint64_t i = 0; i < 2048; i++)
		faults += touch(i << 12, FAULT_USER);
	/* 8, 32, 128 and 512 entries, then whole tables. */
	assert_int_equal(faults, 4 + 3);
	assert_int_equal(vcpu->counters.fills, faults);
	assert_int_equal(vcpu->counters.fills + vcpu->counters.window_fills, 2048);
	assert_audit(true, NULL);
}

static void test_window_takes_only_used(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < SHADOW_WINDOW_MIN; i++)
		map(i << 12, DATA + i, i % 2 ? USER_RW & NEVER_USED : USER_RW);
	map(3 << 12, DATA, KERNEL_RW);
	map(4 << 12, 100000, USER_RW);
	assert_int_equal(touch(0, FAULT_USER), 1);
	for (uint64_t i = 1; i < SHADOW_WINDOW_MIN; i++)
		assert_int_equal(reaches(i << 12, FAULT_USER), i % 2 == 0 && i != 4);
	assert_audit(true, NULL);
}

/* Neighbours on both sides, wherever in the table the entry is. */
static void test_window_has_both_sides(void **state)
{
	const uint64_t base = 3ull << 21;

	(void)state;
	for (uint64_t i = 0; i < PTE_ENTRIES; i++)
		map(base + (i << 12), DATA + i % 64, USER_RW);
	for (uint64_t i = 0; i < PTE_ENTRIES; i += PTE_ENTRIES / 8 - 1) {
		assert_false(reaches(base + (i << 12), FAULT_USER));
		touch(base + (i << 12), FAULT_USER);
		assert_true(i == 0 || reaches(base + ((i - 1) << 12), FAULT_USER));
		assert_true(i == PTE_ENTRIES - 1 || reaches(base + ((i + 1) << 12), FAULT_USER));
	}
	assert_audit(true, NULL);
}

/* A page that is written too early: refused as a walk would, and dropped, as it will be copied. */
static void test_denied_without_walk(void **state)
{
	uint32_t error;

	(void)state;
	map(0x5000, DATA, USER_RW);
	map(0x6000, DATA + 1, USER_RW & ~(uint64_t)PTE_WRITE);
	touch(0x5000, FAULT_USER);
	assert_true(reaches(0x6000, FAULT_USER));
	vcpu->page->dropped = 0;
	assert_int_equal(shadow_fault(vcpu, 0x6123, FAULT_USER | FAULT_WRITE, &error),
			 SHADOW_GUEST_FAULT);
	assert_int_equal(error, FAULT_USER | FAULT_WRITE | FAULT_PRESENT);
	assert_int_equal(vcpu->page->dropped, 0x6000);
	assert_false(reaches(0x6000, FAULT_USER));
	assert_int_equal(vcpu->counters.fills, 1);
	assert_audit(true, NULL);
}

static void test_prefill(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 1024; i++)
		map(i << 12, DATA + i % 64, i % 4 == 3 ? USER_RW & NEVER_USED : USER_RW);
	touch(0x200000 + (100 << 12), FAULT_USER);
	shadow_prefill(domain, ROOT, 0, 600 << 12);
	for (uint64_t i = 0; i < 600; i++)
		assert_int_equal(reaches(i << 12, FAULT_USER | FAULT_WRITE), i % 4 != 3);
	assert_false(reaches(700 << 12, FAULT_USER));
	shadow_prefill(domain, OTHER_ROOT, 0, 600 << 12); /* no shadow: nothing */
	assert_audit(true, NULL);
}

/* The address that was injected is there when user mode is reached again. */
static void test_before_user(void **state)
{
	uint32_t error;

	(void)state;
	assert_int_equal(shadow_fault(vcpu, 0x5000, FAULT_USER, &error), SHADOW_GUEST_FAULT);
	assert_int_equal(error, FAULT_USER);
	vcpu->fault_address = 0x5000;
	vcpu->work = VCPU_WORK_FILL;
	map(0x5000, DATA, USER_RW);
	shadow_before_user(vcpu);
	assert_true(reaches(0x5000, FAULT_USER | FAULT_WRITE));
	assert_int_equal(vcpu->work, 0);
	assert_int_equal(vcpu->counters.prefills, 1);
}

/* The first time that a root goes to user mode, and no more. */
static void test_stack_before_user(void **state)
{
	(void)state;
	map(0x5000, DATA, USER_RW);
	map(0x8000000, DATA + 1, USER_RW);
	map(0x9000000, DATA + 2, USER_RW);
	vcpu->fault_address = 0x5000;
	vcpu->arch.stack = 0x8000123;
	vcpu_set_work(vcpu, VCPU_WORK_FILL);
	shadow_before_user(vcpu);
	assert_true(reaches(0x5000, FAULT_USER) && reaches(0x8000000, FAULT_USER));
	vcpu->arch.stack = 0x9000000;
	vcpu_set_work(vcpu, VCPU_WORK_FILL);
	shadow_before_user(vcpu);
	assert_false(reaches(0x9000000, FAULT_USER));
	assert_audit(true, NULL);
}

static void test_large(void **state)
{
	unsigned level;

	(void)state;
	map_large(0x40000000, 512, USER_RW);
	map_large(0x40200000, FRAGMENTED, USER_RW);
	assert_int_equal(touch(0x40012000, FAULT_USER), 1);
	assert_int_equal(touch(0x401ff000, FAULT_USER), 0);
	shadow_slot(true, 0x40012000, &level);
	assert_int_equal(level, 2);
	/* Not contiguous in machine memory: single entries, and a window of them. */
	assert_int_equal(touch(0x40210000, FAULT_USER), 1);
	assert_int_equal(touch(0x40213000, FAULT_USER), 0);
	assert_int_equal(touch(0x4020c000, FAULT_USER), 0);
	assert_int_equal(touch(0x40220000, FAULT_USER), 1);
	shadow_slot(true, 0x40210000, &level);
	assert_int_equal(level, 1);
	/* The guest splits the first: after a flush, nothing of the old one is there. */
	map_large(0x40000000, 0, 0);
	fake_guest_map(domain, ROOT, 0x40000000, 2, 0, &next_table);
	map(0x40012000, 512 + 0x12, USER_RW);
	shadow_flush_range(domain, ROOT, 0x40000000, 0x40001000);
	assert_false(reaches(0x40012000, 0));
	assert_int_equal(touch(0x40012000, FAULT_USER), 1);
	shadow_slot(true, 0x40012000, &level);
	assert_int_equal(level, 1);
	assert_audit(true, NULL);
}

/* --- flushes --- */

/* As fork() does: all pages lose W, one flush, and nobody takes a fault to read them. */
static void test_resync_keeps(void **state)
{
	uint64_t fills;

	(void)state;
	for (uint64_t i = 0; i < 300; i++)
		map(i << 12, DATA + i % 64, USER_RW);
	for (uint64_t i = 0; i < 300; i++)
		touch(i << 12, FAULT_USER | FAULT_WRITE);
	fills = vcpu->counters.fills;
	for (uint64_t i = 0; i < 300; i++)
		map(i << 12, DATA + i % 64, USER_RW & ~PTE_WRITE);
	shadow_flush_range(domain, ROOT, 0, USER_HALF_END);
	assert_int_equal(vcpu->counters.resynced, 512); /* a table's worth */
	for (uint64_t i = 0; i < 300; i++) {
		assert_true(reaches(i << 12, FAULT_USER));
		assert_false(reaches(i << 12, FAULT_WRITE));
	}
	assert_int_equal(vcpu->counters.fills, fills);
	map(7 << 12, DATA + 7, USER_RW);
	assert_int_equal(touch(7 << 12, FAULT_USER | FAULT_WRITE), 1);
	assert_audit(true, NULL);
}

static void flush_half(bool kernel)
{
	if (kernel)
		shadow_flush_kernel(domain, HYPERVISOR_END, ~0ULL);
	else
		shadow_flush_range(domain, ROOT, 0, USER_HALF_END);
}

/* What was there once costs later flushes nothing: a table knows that its groups are empty again. */
static void test_flush_forgets_empty_groups(void **state)
{
	unsigned level;
	uint64_t *used;

	(void)state;
	for (uint64_t i = 0; i < 64; i++) {
		map_large(0x40000000 + (i << 24), 512, USER_RW);
		touch(0x40000000 + (i << 24), FAULT_USER);
	}
	used = &frame_of(arch_pointer_frame(shadow_slot(true, 0x40000000, &level)))->tag;
	assert_int_equal(level, 2);
	assert_int_equal(*used, ~0UL);
	for (uint64_t i = 1; i < 64; i++)
		fake_guest_map(domain, ROOT, 0x40000000 + (i << 24), 2, 0, &next_table);
	shadow_flush_range(domain, ROOT, 0, USER_MAP_END);
	assert_int_equal(*used, 1);
	assert_true(reaches(0x40000000, FAULT_USER));
	assert_false(reaches(0x41000000, FAULT_USER));
	assert_audit(true, NULL);
}

/* A whole half full of entries: so many are looked at, what is left is dropped. */
static void test_budget(void **state)
{
	const uint64_t bits = USER_RW | NEXT_TABLE << 12;
	uint64_t *tables[3];

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		tables[i] = fake_guest_frame(domain, NEXT_TABLE + i);
	for (uint64_t i = 0; i < 512; i++) {
		fake_guest_frame(domain, ROOT)[i] = bits;
		tables[0][i] = bits + (1 << 12);
		tables[1][i] = bits + (2 << 12);
		tables[2][i] = USER_RW | (DATA + i % 64) << 12;
	}
	for (unsigned kernel = 0; kernel < 2; kernel++) {
		uint64_t start = kernel ? KERNEL_BASE : 0;
		uint64_t resynced = vcpu->counters.resynced;
		uint64_t entries = 512ULL * 512;

		if (!kernel)
			shadow_prefill(domain, ROOT, 0, entries << 12);
		for (uint64_t page = 0; page < entries; page++)
			touch(start + (page << 12), 0);
		tables[2][9] &= ~PTE_WRITE;
		flush_half(kernel);
		assert_in_range(vcpu->counters.resynced - resynced, RESYNC_MOST / 2, RESYNC_MOST);
		assert_audit(true, NULL);
		assert_true(reaches(start, 0));
		assert_false(reaches(start + ((entries - 1) << 12), 0));
		assert_int_equal(touch(start + ((entries - 1) << 12), FAULT_WRITE), 1);
		tables[2][9] |= PTE_WRITE;
	}
}

/* --- who is told --- */

static uint32_t interrupts[3];

static void interrupted(uint32_t id)
{
	interrupts[id]++;
	cpus[id].flush_request = 0;
	cpus[id].arch.flushes++;
}

static void run_on(uint32_t id, struct vcpu *v)
{
	fake_set_cpu(id);
	fake_guest_switch(v);
	cpus[id].in_guest = 1;
	cpus[id].flush_request = 0;
	cpus[id].arch.flushes = 0;
	fake_set_cpu(0);
}

static void assert_told(uint32_t times, const char *after)
{
	if (interrupts[1] != times || cpus[0].arch.flushes != times)
		fail_msg("CPU 1 told %u times, CPU 0 %u, not %u, after %s", interrupts[1],
			 cpus[0].arch.flushes, times, after);
	assert_int_equal(interrupts[2], 0);
	interrupts[1] = 0;
	cpus[0].arch.flushes = 0;
}

/* CPU 1 runs on the same root as CPU 0, CPU 2 runs nothing. */
static void test_shootdown(void **state)
{
	(void)state;
	memset(interrupts, 0, sizeof(interrupts));
	fake_interrupt_hook = interrupted;
	domain->vcpus[1]->root_gfn = ROOT;
	run_on(1, domain->vcpus[1]);
	map(0x1000, DATA, USER_RW & ~PTE_DIRTY);
	touch(0x1000, FAULT_USER);
	assert_told(0, "a fill");
	touch(0x1000, FAULT_USER | FAULT_WRITE);
	assert_told(0, "a wider entry");
	shadow_flush_range(domain, ROOT, 0, USER_HALF_END);
	assert_told(0, "a flush that changes nothing");
	map(0x1000, DATA, USER_RW & ~PTE_WRITE);
	shadow_flush_range(domain, ROOT, 0, USER_HALF_END);
	assert_told(1, "a flush that takes W");
	map(0x1000, DATA + 1, USER_RW);
	touch(0x1000, FAULT_USER | FAULT_WRITE);
	assert_told(1, "another frame");
	map(0x1000, DATA + 1, USER_RW | PTE_NO_EXECUTE);
	touch(0x1000, FAULT_USER | FAULT_WRITE);
	shadow_flush_range(domain, ROOT, 0x2000, 0x3000);
	assert_told(0, "a flush of something else");
	shadow_flush_range(domain, ROOT, 0x1000, 0x2000);
	assert_told(1, "a flush that adds NX");
	map(0x2000, DATA, KERNEL_RW);
	touch(0x2000, 0);
	assert_told(1, "an entry for the kernel only");
	touch(0x1000, FAULT_USER);
	assert_told(1, "a user's fault there");
	shadow_drop_user(domain, ROOT);
	assert_told(1, "drop");
	shadow_drop_user(domain, ROOT);
	assert_told(0, "drop of nothing");
	map_large(0x40000000, 512, USER_RW & ~PTE_WRITE);
	touch(0x40000000, FAULT_USER);
	fake_guest_map(domain, ROOT, 0x40000000, 2, 0, &next_table);
	map(0x40000000, 512, USER_RW);
	touch(0x40000000, FAULT_USER | FAULT_WRITE);
	assert_told(1, "a large entry that gives way to small ones");
	map(KERNEL_BASE, DATA, KERNEL_RW);
	assert_int_equal(touch(KERNEL_BASE, FAULT_WRITE), 1);
	map(KERNEL_BASE, DATA, 0);
	shadow_flush_kernel(domain, KERNEL_BASE, ~0ULL);
	assert_told(1, "a flush of the kernel half");
}

/* Another root's user half is no business of this CPU's; the kernel half is. */
static void test_shootdown_other_root(void **state)
{
	(void)state;
	memset(interrupts, 0, sizeof(interrupts));
	fake_interrupt_hook = interrupted;
	run_on(1, domain->vcpus[1]);
	map(0x1000, DATA, USER_RW);
	touch(0x1000, FAULT_USER);
	map(0x1000, 0, 0);
	shadow_flush_range(domain, ROOT, 0, USER_HALF_END);
	assert_int_equal(interrupts[1], 0);
	map(KERNEL_BASE, DATA, KERNEL_RW);
	touch(KERNEL_BASE, FAULT_WRITE);
	map(KERNEL_BASE, 0, 0);
	shadow_flush_kernel(domain, KERNEL_BASE, ~0ULL);
	assert_int_equal(interrupts[1], 1);
}

/* --- roots --- */

static void test_roots(void **state)
{
	uint64_t misses;

	(void)state;
	map(0x1000, DATA, USER_RW);
	touch(0x1000, FAULT_USER);
	for (uint64_t gfn = 100; gfn < 100 + SHADOW_ROOTS - 1; gfn++)
		shadow_load_root(vcpu, gfn);
	assert_int_equal(vcpu->counters.root_misses, SHADOW_ROOTS);
	shadow_load_root(vcpu, ROOT);
	assert_true(reaches(0x1000, FAULT_USER));
	misses = vcpu->counters.root_misses;
	assert_int_equal(misses, SHADOW_ROOTS);
	/* One more than there is room for: the one used longest ago goes, not ROOT. */
	shadow_load_root(vcpu, 300);
	shadow_load_root(vcpu, ROOT);
	assert_int_equal(vcpu->counters.root_misses, misses + 1);
	shadow_load_root(vcpu, 100);
	assert_int_equal(vcpu->counters.root_misses, misses + 2);
	assert_int_equal(shadow_destroy_root(domain, 100), -EBUSY);
	assert_int_equal(shadow_destroy_root(domain, ROOT), 0);
	assert_int_equal(shadow_destroy_root(domain, ROOT), 0);
	assert_audit(true, NULL);
}

/* With the least pool there is: everything works, some of it twice. */
static void test_least_pool(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 30; i++) {
		map(i << 39, DATA + i, USER_RW);
		map(KERNEL_BASE + (i << 30), DATA + i, KERNEL_RW);
	}
	for (uint64_t i = 0; i < 300; i++) {
		touch(i % 30 << 39, FAULT_USER | FAULT_WRITE);
		touch(KERNEL_BASE + (i % 30 << 30), FAULT_WRITE);
		if (i % 10 == 0)
			shadow_load_root(vcpu, 100 + i / 10);
		shadow_load_root(vcpu, ROOT);
		assert_audit(true, NULL);
	}
	assert_true(vcpu->counters.evictions > 10);
}

static void test_no_memory(void **state)
{
	struct domain *poor = calloc(1, sizeof(*poor));
	uint64_t before;

	(void)state;
	poor->vcpu_count = 1;
	fake_memory_starve(SHADOW_POOL_MINIMUM);
	before = frame_free_count();
	assert_int_equal(shadow_create(poor, 0), -ENOMEM);
	shadow_destroy(poor);
	assert_int_equal(frame_free_count(), before);
	fake_memory_feed();
	free(poor);
}

/* --- the audit --- */

/* Breaks one word, looks, and repairs it. */
static void assert_found(uint64_t *word, uint64_t value, const char *wrong)
{
	uint64_t good = *word;

	*word = value;
	assert_audit(true, wrong);
	*word = good;
	assert_audit(true, NULL);
}

static void test_audit_leaves(void **state)
{
	const char *bits = "a shadow entry has bits it must not have";
	uint64_t *leaf, *second, *kernel;
	uint64_t good;

	(void)state;
	map(0x1000, DATA, USER_RW | PTE_NO_EXECUTE);
	map(0x2000, DATA + 1, (USER_RW & ~(PTE_WRITE | PTE_DIRTY)) | PTE_NO_EXECUTE);
	map(KERNEL_BASE, DATA, KERNEL_RW | PTE_USER);
	map(1ULL << 39, DATA, KERNEL_RW);
	touch(0x1000, FAULT_USER);
	touch(0x2000, FAULT_USER);
	touch(KERNEL_BASE, 0);
	touch(1ULL << 39, 0);
	assert_audit(true, NULL);
	leaf = leaf_slot(0x1000);
	second = leaf_slot(0x2000);
	kernel = leaf_slot(KERNEL_BASE);
	good = *leaf;

	assert_found(leaf, good & ~PTE_USER, bits);
	assert_found(leaf, good & ~PTE_ACCESSED, bits);
	assert_found(leaf, good | PTE_GLOBAL, bits);
	assert_found(leaf, good | PTE_PAT, bits);
	assert_found(leaf, good | PTE_CACHE_DISABLE, bits);
	assert_found(kernel, *kernel | 1ULL << 9, bits);
	assert_found(leaf, good & ~PTE_PRESENT, "a shadow entry is neither present nor zero");
	assert_found(leaf, good & ~PTE_DIRTY, "a shadow entry is writable but not dirty");
	assert_found(leaf, (good & ~PTE_ADDRESS) | vcpu->arch.user_table << 12,
		     "a shadow entry maps a frame the domain does not own");
	assert_found(leaf, (good & ~PTE_ADDRESS) | 1ULL << 45,
		     "a shadow entry maps a frame the domain does not own");
	assert_found(leaf, (good & ~PTE_ADDRESS) | (*second & PTE_ADDRESS),
		     "a shadow entry maps another frame than the guest's");
	assert_found(second, *second | PTE_WRITE | PTE_DIRTY,
		     "a shadow entry is writable and the guest's is not, or not dirty");
	assert_found(leaf, good & ~PTE_NO_EXECUTE,
		     "a shadow entry is executable and the guest's is not");
	assert_found(kernel, *kernel & ~PTE_NO_EXECUTE,
		     "a shadow entry lets the kernel execute what is its users'");
	assert_found(leaf_slot(1ULL << 39), *leaf_slot(1ULL << 39) & ~(1ULL << 9),
		     "a shadow entry is for users and the guest's is not");
	assert_found(leaf_slot(0x3000), good, "a shadow entry outlives the guest's");
	assert_found(leaf_slot(0x9000), good, "a shadow entry is not among those that were used");
	assert_found(leaf, good | 1ULL << 9,
		     "a user view has an entry that is for the kernel only");
}

static uint64_t *level_slot(uint64_t address, unsigned level)
{
	uint64_t *table = view(false);

	for (unsigned at = 4; at > level; at--)
		table = arch_frame_pointer((table[pte_index(address, at)] & PTE_ADDRESS) >> 12);
	return &table[pte_index(address, level)];
}

static void test_audit_tables(void **state)
{
	const char *bits = "a shadow entry has bits it must not have";
	uint64_t leaf = PTE_PRESENT | PTE_USER | PTE_ACCESSED;
	uint64_t *slot, *large;

	(void)state;
	map(0x1000, DATA, USER_RW);
	map(KERNEL_BASE, DATA, KERNEL_RW);
	map(USER_MAP_END - FRAME_SIZE, DATA, USER_RW);
	map_large(0x40000000, 512, USER_RW);
	touch(0x1000, FAULT_USER);
	touch(KERNEL_BASE, 0);
	touch(0x40000000, FAULT_USER);
	touch(USER_MAP_END - FRAME_SIZE, FAULT_USER);
	slot = level_slot(0x1000, 3);
	large = level_slot(0x40000000, 2);
	assert_found(slot, *slot & ~PTE_ADDRESS, "a shadow table is not of the domain's pool");
	assert_found(slot, (*slot & ~PTE_ADDRESS) | RAM_FRAMES << 12,
		     "a shadow table is no frame of RAM");
	assert_found(&slot[7], *slot, "a shadow table stands in two places");
	assert_found(slot, *slot | PTE_GLOBAL, bits);
	assert_found(slot, *slot & ~PTE_USER, bits);
	assert_found(&slot[7], leaf | PTE_LARGE | memory_lookup(domain, 512) << 12, bits);
	assert_found(large, *large + (1 << 12),
		     "a shadow entry maps a frame the domain does not own");
	assert_found(level_slot(0x200000, 2), *large, "a shadow entry outlives the guest's");
	assert_found(leaf_slot(USER_MAP_END), leaf | memory_lookup(domain, DATA) << 12,
		     "the last page of the user half is mapped");
	/* The guest has split a large page and not said so. */
	fake_guest_map(domain, ROOT, 0x40000000, 2, 0, &next_table);
	map(0x40000000, 512, USER_RW);
	assert_audit(true, "a shadow entry outlives the guest's");
	assert_audit(false, NULL);
}

static void test_audit_views(void **state)
{
	struct shadow_pool *pool = &domain->shadow.pool;
	struct frame *listed = list_entry(pool->free.next, struct frame, link);
	struct frame *used = frame_of(vcpu->arch.user_table);

	(void)state;
	map(0x1000, DATA, USER_RW);
	map(KERNEL_BASE, DATA, KERNEL_RW);
	touch(0x1000, FAULT_USER);
	touch(KERNEL_BASE, 0);
	assert_audit(true, NULL);
	listed = list_entry(pool->free.next, struct frame, link);
	assert_found(&view(true)[0], view(true)[0] | PTE_GLOBAL,
		     "the two views of a root differ in the user half");
	assert_found(&view(false)[0], 0, "the two views of a root differ in the user half");
	assert_found(&view(false)[0], view(false)[0] & ~PTE_NO_EXECUTE,
		     "a kernel view executes the user half");
	assert_found(&view(true)[511], 1, "a user view has an entry in the kernel half");
	assert_found(&view(false)[500], 1, "a kernel view has a stale entry in the kernel half");
	pool->available++;
	assert_audit(true, "the pool's count of available frames is wrong");
	pool->available--;
	listed->owner++;
	assert_audit(true, "a frame on the pool's list is not the pool's");
	listed->owner--;
	list_add_first(&pool->free, &used->link);
	pool->available++;
	assert_audit(true, "a shadow table in use is on the pool's list");
	list_remove(&used->link);
	pool->available--;
	assert_audit(true, NULL);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_window_growth),
		CASE(test_window_takes_only_used),
		CASE(test_window_has_both_sides),
		CASE(test_denied_without_walk),
		CASE(test_prefill),
		CASE(test_before_user),
		CASE(test_stack_before_user),
		CASE(test_large),
		CASE(test_resync_keeps),
		CASE(test_flush_forgets_empty_groups),
		CASE(test_budget),
		CASE(test_shootdown),
		CASE(test_shootdown_other_root),
		CASE(test_roots),
		cmocka_unit_test_setup_teardown(test_least_pool, setup_least, teardown),
		CASE(test_no_memory),
		CASE(test_audit_leaves),
		CASE(test_audit_tables),
		CASE(test_audit_views),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
