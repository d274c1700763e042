// SPDX-License-Identifier: BSD-2-Clause
/*
 * The least pool there can be: dropped tables below which others hang, and vCPUs that take each
 * other's level-4 tables, as real threads.
 */
#include "unit.h"

#include <pthread.h>

#include "cpu.h"
#include "domain.h"
#include "fake_arch.h"
#include "fake_guest.h"
#include "fake_memory.h"
#include "frame.h"
#include "memory.h"
#include "shadow.h"
#include "shadow_table.h"
#include "tlb.h"
#include "vcpu.h"
#include "walk.h"
#include "abi/errno.h"

#define RAM_FRAMES 8192
#define CHUNKS	   2
#define CPUS	   4
#define LOADS	   20000
#define ROOTS	   64 /* gfns from 0 on: roots */
#define FAULTS	   8  /* an access may take */
#define EVICTIONS  8  /* that room for one table may take, roots that are not loaded aside */
#define USER_RW	   (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED | PTE_DIRTY)

static struct domain *domain;

static void setup_vcpus(uint32_t vcpus)
{
	fake_memory_init(RAM_FRAMES, CPUS);
	walk_init(40);
	domain = fake_guest_create(&(struct fake_guest_config){ .chunks = CHUNKS, .vcpus = vcpus });
	shadow_set_kernel_root(domain, 0);
}

static void switch_on(uint32_t cpu, struct vcpu *next)
{
	fake_set_cpu(cpu);
	fake_guest_switch(next);
}

static void end(void)
{
	assert_null(shadow_audit(domain, false));
	for (uint32_t id = 0; id < CPUS; id++) {
		fake_set_cpu(id);
		if (this_cpu()->current)
			fake_guest_switch(NULL);
	}
	fake_guest_destroy(domain);
}

static bool reaches(const struct vcpu *v, uint64_t address)
{
	uint64_t entry = 0;
	const uint64_t *table = arch_frame_pointer(v->arch.user_table);

	for (unsigned level = 4; level; level--) {
		entry = table[pte_index(address, level)];
		if (!(entry & PTE_PRESENT))
			return false;
		table = arch_frame_pointer((entry & PTE_ADDRESS) >> 12);
	}
	return true;
}

static void touch(struct vcpu *v, uint64_t address)
{
	uint64_t before = v->counters.evictions;
	unsigned faults = 0;
	uint32_t error;

	while (!reaches(v, address)) {
		assert_int_equal(shadow_fault(v, address, FAULT_USER, &error), SHADOW_FILLED);
		assert_true(++faults < FAULTS);
	}
	assert_true(v->counters.evictions - before <= EVICTIONS);
}

/*
 * All tables hang below one, and so count as one when it is dropped; what is kept for level-4
 * tables is more than that, as there may be many vCPUs. Then another root is loaded.
 */
static void test_hidden(void **state)
{
	const uint64_t regions = 400;
	uint64_t next_table = ROOTS;

	(void)state;
	setup_vcpus(64);
	fake_guest_map(domain, 0, 0, 1, 100 << 12 | USER_RW, &next_table);
	for (uint64_t i = 1; i < 512; i++)
		fake_guest_frame(domain, ROOTS + 1)[i] = fake_guest_frame(domain, ROOTS + 1)[0];
	domain->vcpus[1]->root_gfn = 1;
	switch_on(0, domain->vcpus[0]);
	for (uint64_t i = 0; i < regions; i++)
		touch(domain->vcpus[0], i << 21);
	switch_on(1, domain->vcpus[1]);
	fake_set_cpu(0);
	for (uint64_t i = 0; i < regions; i++)
		touch(domain->vcpus[0], i << 21);
	end();
}

static void *load_roots(void *id)
{
	struct vcpu *v = domain->vcpus[(uint64_t)id];

	switch_on((uint32_t)(uint64_t)id, v);
	for (uint64_t i = 0; i < LOADS; i++) {
		tlb_enter_hypervisor();
		shadow_load_root(v, (i * (3 + 2 * (uint64_t)id) + (uint64_t)id) % ROOTS);
		tlb_leave_hypervisor();
	}
	tlb_enter_hypervisor();
	fake_guest_switch(NULL);
	return NULL;
}

/* Whatever the others take, each finds room for its root: nobody who could load it may wait. */
static void test_loads(void **state)
{
	pthread_t threads[CPUS];

	(void)state;
	setup_vcpus(CPUS);
	for (uint64_t i = 0; i < CPUS; i++)
		pthread_create(&threads[i], NULL, load_roots, (void *)i);
	for (unsigned i = 0; i < CPUS; i++)
		pthread_join(threads[i], NULL);
	for (uint64_t i = 0; i < CPUS; i++)
		assert_true(domain->vcpus[i]->counters.root_misses > LOADS / 4);
	end();
}

/* Every second frame of all is free. */
static uint64_t free_single_frames(void)
{
	uint64_t mfn, free = 0;

	while (frame_alloc(0) != FRAME_NONE)
		continue;
	for (mfn = RAM_FRAMES / 2; mfn < RAM_FRAMES; mfn += 2, free++)
		frame_free(mfn, 0);
	return free;
}

/* Blocks are taken where there are some, and single frames where there are none. */
static void test_scattered(void **state)
{
	struct domain *d = calloc(1, sizeof(*d));
	uint64_t before, single;

	(void)state;
	assert_non_null(d);
	fake_memory_init(RAM_FRAMES, CPUS);
	before = frame_free_count();
	assert_int_equal(shadow_pool_create(d, 1000), 0);
	assert_int_equal(d->shadow.pool.available, 1000);
	assert_int_equal(frame_free_count(), before - 1000);

	single = free_single_frames();
	memset(d, 0, sizeof(*d));
	assert_int_equal(shadow_pool_create(d, single), 0);
	assert_int_equal(d->shadow.pool.available, single);
	assert_int_equal(frame_free_count(), 0);

	memset(d, 0, sizeof(*d));
	assert_int_equal(shadow_pool_create(d, 1), -ENOMEM);
	free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scattered),
		cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_loads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
