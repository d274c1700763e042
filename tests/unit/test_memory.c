// SPDX-License-Identifier: BSD-2-Clause
/*
 * A domain's map and the two hypercalls that change it, against a model; what waits for what when
 * frames leave.
 */
#include "unit.h"

#include "abi/errno.h"
#include "abi/memory.h"
#include "audit.h"
#include "cpu.h"
#include "domain.h"
#include "fake_arch.h"
#include "fake_domain.h"
#include "fake_memory.h"
#include "memory.h"
#include "vcpu.h"

#define RAM_FRAMES  32768
#define FRAMES	    (8 * 512)
/* Guest-virtual: the array of extents. */
#define EXTENTS	    0x1000UL
#define KEPT_FRAMES 512 /* below: page tables, extents */

static struct domain *d;

static int setup(void **state)
{
	(void)state;
	fake_domain_init(RAM_FRAMES, 1);
	d = fake_domain_create(false, FRAMES);
	fake_domain_map(d);
	fake_domain_run(d);
	return 0;
}

static int teardown(void **state)
{
	const char *wrong = audit_run();

	(void)state;
	if (wrong)
		fail_msg("audit: %s", wrong);
	fake_domain_end_all();
	return 0;
}

static struct rf_memory_extent *extents(void)
{
	return fake_domain_pointer(d, EXTENTS);
}

static int64_t release(uint64_t gfn, uint32_t order)
{
	*extents() = (struct rf_memory_extent){ gfn, order, 0 };
	return do_memory_release(RF_DOMAIN_SELF, EXTENTS, 1);
}

static int64_t populate(uint64_t gfn, uint32_t order)
{
	*extents() = (struct rf_memory_extent){ gfn, order, 0 };
	return do_memory_populate(RF_DOMAIN_SELF, EXTENTS, 1);
}

static void test_lookup(void **state)
{
	uint64_t mfn = memory_lookup(d, 1024);

	(void)state;
	assert_int_equal(d->memory.frames, FRAMES);
	assert_int_equal(mfn % 512, 0);
	assert_int_equal(memory_lookup_2m(d, 1024), mfn);
	for (unsigned i = 0; i < 512; i++)
		assert_int_equal(memory_lookup(d, 1024 + i), mfn + i);
	assert_int_equal(memory_lookup(d, FRAMES), FRAME_NONE);
	assert_int_equal(memory_lookup(d, FRAME_NONE), FRAME_NONE);
	assert_int_equal(memory_lookup(d, 1ULL << 52), FRAME_NONE);
	assert_int_equal(memory_lookup_2m(d, FRAMES), FRAME_NONE);
	assert_true(frame_chunk_owned_by(mfn, d->id));
}

static void test_release_splits(void **state)
{
	uint64_t free = frame_free_count(), generation = d->memory.generation;
	uint64_t chunk = memory_lookup(d, 1024);

	(void)state;
	assert_int_equal(release(1030, 0), 1);
	assert_int_equal(memory_lookup(d, 1030), FRAME_NONE);
	assert_int_equal(memory_lookup(d, 1031), chunk + 7);
	assert_int_equal(memory_lookup_2m(d, 1024), FRAME_NONE);
	assert_int_equal(d->memory.frames, FRAMES - 1);
	assert_true(d->memory.generation > generation);
	/* One frame came, one went: the table. */
	assert_int_equal(frame_free_count(), free);
	assert_int_equal(release(1030, 0), -ENOENT);
	assert_int_equal(release(1024, 9), -ENOENT);
	assert_int_equal(populate(1031, 0), -EEXIST);
	assert_int_equal(populate(1030, 0), 1);
	assert_int_equal(populate(1030, 0), -ENOSPC);
	assert_int_equal(d->memory.frames, FRAMES);
	/* All there again, though not in one piece. */
	assert_int_equal(release(1024, 9), 1);
	assert_int_equal(d->memory.frames, FRAMES - 512);
	assert_int_equal(frame_free_count(), free + 512);
	assert_int_equal(populate(1024, 9), 1);
	assert_int_not_equal(memory_lookup_2m(d, 1024), FRAME_NONE);
}

static void test_arguments(void **state)
{
	static const struct rf_memory_extent bad[] = {
		{ 1024, 1, 0 },
		{ 1024, 8, 0 },
		{ 1024, 10, 0 },
		{ 1024, 64, 0 },
		{ 1024, UINT32_MAX, 0 },
		{ 1024, 0, 1 },
		{ 1025, 9, 0 },
		{ FRAMES, 0, 0 },
		{ FRAMES, 9, 0 },
		{ UINT64_MAX, 0, 0 },
		{ UINT64_MAX - 511, 9, 0 },
		{ 1ULL << 52, 0, 0 },
		{ 1ULL << 63, 9, 0 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		*extents() = bad[i];
		assert_int_equal(do_memory_release(RF_DOMAIN_SELF, EXTENTS, 1), -EINVAL);
		assert_int_equal(do_memory_populate(RF_DOMAIN_SELF, EXTENTS, 1), -EINVAL);
	}
	assert_int_equal(do_memory_release(RF_DOMAIN_SELF, EXTENTS, 0), 0);
	assert_int_equal(do_memory_release(RF_DOMAIN_SELF, EXTENTS, RF_MEMORY_BATCH_MAX + 1),
			 -E2BIG);
	assert_int_equal(do_memory_release(RF_DOMAIN_SELF, EXTENTS, UINT64_MAX), -E2BIG);
	assert_int_equal(do_memory_release(RF_DOMAIN_SELF, 0xffff800000000000, 1), -EFAULT);
	assert_int_equal(do_memory_release(RF_DOMAIN_SELF, 0x0000800000000000, 1), -EFAULT);
	assert_int_equal(do_memory_release(RF_DOMAIN_SELF, UINT64_MAX - 7, 1), -EFAULT);
	assert_int_equal(do_memory_release(RF_DOMAIN_SELF, UINT64_MAX - 15, 2), -EFAULT);
	assert_int_equal(do_memory_release(RF_DOMAIN_SELF, 0x40000000, 1), -EFAULT);
	assert_int_equal(d->memory.frames, FRAMES);
}

static void test_batch(void **state)
{
	(void)state;
	/* The third fails: two are done. */
	for (unsigned i = 0; i < 4; i++)
		extents()[i] = (struct rf_memory_extent){ 2000 + i, 0, 0 };
	extents()[2].gfn = 2000;
	assert_int_equal(do_memory_release(RF_DOMAIN_SELF, EXTENTS, 4), 2);
	assert_int_equal(memory_lookup(d, 2001), FRAME_NONE);
	assert_int_not_equal(memory_lookup(d, 2003), FRAME_NONE);
	/* A long one stops after its share, and can be continued. */
	for (unsigned i = 0; i < 7; i++)
		extents()[i] = (struct rf_memory_extent){ 512 + i * 512, 9, 0 };
	extents()[2].gfn = 512 * 7;
	assert_int_equal(do_memory_release(RF_DOMAIN_SELF, EXTENTS, 7),
			 RF_MEMORY_BATCH_FRAMES / 512);
	assert_int_equal(d->memory.frames, FRAMES - 2 - RF_MEMORY_BATCH_FRAMES);
	/* An array that crosses into a page that is not there any more: page 508 is frame 512. */
	assert_int_equal(memory_lookup(d, 512), FRAME_NONE);
	assert_int_equal(do_memory_populate(RF_DOMAIN_SELF, (508 << 12) - 16, 2), -EFAULT);
}

/* What one domain wrote, the next does not read. */
static void test_contents(void **state)
{
	uint64_t *words = arch_frame_pointer(memory_lookup(d, 3000));

	(void)state;
	words[5] = 0x5ec4e7;
	assert_int_equal(release(3000, 0), 1);
	for (unsigned i = 0; i < 600; i++) {
		uint64_t *fresh = frame_alloc_pointer(4096);

		for (unsigned j = 0; j < 512; j++)
			assert_int_equal(fresh[j], 0);
	}
	assert_int_equal(populate(3000, 0), 1);
	words = arch_frame_pointer(memory_lookup(d, 3000));
	for (unsigned j = 0; j < 512; j++)
		assert_int_equal(words[j], 0);
}

/* A frame that a vCPU uses as its page stays until that lets go. */
static void test_held(void **state)
{
	uint64_t mfn = memory_lookup(d, 3000), free = frame_free_count();

	(void)state;
	assert_int_equal(do_vcpu_register_page(3000), 0);
	assert_int_equal(release(3000, 0), 1);
	assert_int_equal(frame_of(mfn)->state, FRAME_LIMBO);
	assert_int_equal(frame_free_count(), free - 1);
	assert_int_equal(do_vcpu_register_page(3000), -EINVAL);
	assert_null(audit_run());
	assert_int_equal(do_vcpu_register_page(3001), 0);
	assert_int_equal(frame_of(mfn)->state, FRAME_FREE);
	/* Held in a chunk that goes as a whole. */
	assert_int_equal(do_vcpu_register_page(3600), 0);
	mfn = memory_lookup(d, 3600);
	assert_int_equal(release(3584, 9), 1);
	assert_int_equal(frame_of(mfn)->state, FRAME_LIMBO);
	assert_int_equal(frame_of(mfn + 1)->state, FRAME_FREE);
}

static void test_no_memory(void **state)
{
	(void)state;
	assert_int_equal(release(3584, 9), 1);
	fake_memory_starve(0);
	assert_int_equal(populate(3584, 9), -ENOMEM);
	assert_int_equal(populate(3584, 0), -ENOMEM);
	/* To release one frame of a chunk, a table is needed. */
	assert_int_equal(release(3000, 0), -ENOMEM);
	assert_int_equal(d->memory.frames, FRAMES - 512);
	assert_null(audit_run());
	fake_memory_feed();
	/* With one frame: the table may be had, or the page, not both. */
	fake_memory_starve(1);
	assert_int_equal(populate(3584, 0), -ENOMEM);
	assert_int_equal(frame_free_count(), 1);
	assert_null(audit_run());
	fake_memory_feed();
	/* No 2 MiB in one piece. */
	fake_memory_starve(600);
	assert_int_equal(populate(3584, 0), 1);
	fake_memory_feed();
}

/* The other CPU enters the hypervisor, and leaves it. */
static void enter_and_leave(uint32_t id)
{
	cpus[id].flush_request = 0;
	cpus[id].exits++;
}

/* What leaves a domain is waited for on the CPUs that run it, and nobody else hears of it. */
static void test_who_is_told(void **state)
{
	struct domain *other = fake_domain_create(false, 512);

	(void)state;
	fake_domain_map(other);
	cpu_count = 3;
	sched_init_cpu(&cpus[1]);
	sched_init_cpu(&cpus[2]);
	for (uint32_t id = 1; id < 3; id++) {
		cpus[id].self = &cpus[id];
		cpus[id].id = id;
		cpus[id].online = true;
		cpus[id].in_guest = 1;
	}
	fake_interrupt_hook = enter_and_leave;
	fake_set_cpu(1);
	fake_domain_run(other);
	fake_set_cpu(0);
	d->shadow.cpus |= 1 << 2;
	assert_int_equal(release(1024, 0), 1);
	assert_int_equal(cpus[1].arch.interrupts, 0);
	assert_true(cpus[2].arch.interrupts > 0);
	d->shadow.cpus &= ~(1ULL << 2);
	fake_set_cpu(1);
	fake_domain_run(NULL);
	fake_set_cpu(0);
	cpus[1].idle = cpus[2].idle = true;
	cpu_count = 1;
}

static void test_fill_unwinds(void **state)
{
	struct domain_config config = { .vcpus = 1, .frames = RAM_FRAMES };
	const char *error;
	struct domain *large = domain_create(&config, &error);
	uint64_t free = frame_free_count();

	(void)state;
	assert_non_null(large);
	assert_int_equal(memory_fill(large, 0, RAM_FRAMES), -ENOMEM);
	assert_int_equal(frame_free_count(), free);
	assert_int_equal(large->memory.frames, 0);
	assert_null(audit_run());
	assert_int_equal(memory_fill(large, 100, 1000), 0);
	assert_int_equal(large->memory.frames, 1000);
	assert_int_equal(memory_fill(large, 50, 100), -EEXIST);
	assert_int_equal(large->memory.frames, 1000);
	assert_null(audit_run());
}

static void test_identity(void **state)
{
	struct domain *control = fake_domain_create(true, 4096);
	uint64_t base = 20480;

	(void)state;
	assert_int_equal(memory_fill(control, base, 2048), 0);
	assert_int_equal(memory_lookup(control, base + 5), base + 5);
	assert_int_equal(memory_lookup(control, base - 1), FRAME_NONE);
	assert_int_equal(memory_lookup_2m(control, base), base);
	/* Page tables by hand, in its own addresses. */
	for (unsigned i = 0; i < 4; i++)
		((uint64_t *)arch_frame_pointer(base + i))[0] = (base + i + 1) << 12 | 0x67;
	control->vcpus[0]->root_gfn = base;
	fake_domain_run(control);
	struct rf_memory_extent *e = arch_frame_pointer(base + 4);

	e[0] = (struct rf_memory_extent){ base + 700, 0, 0 };
	assert_int_equal(do_memory_populate(RF_DOMAIN_SELF, 0, 1), -EEXIST);
	assert_int_equal(do_memory_release(RF_DOMAIN_SELF, 0, 1), 1);
	assert_int_equal(do_memory_release(RF_DOMAIN_SELF, 0, 1), -ENOENT);
	assert_int_equal(memory_lookup(control, base + 700), FRAME_NONE);
	assert_int_equal(memory_lookup_2m(control, base + 512), FRAME_NONE);
	assert_int_equal(do_memory_populate(RF_DOMAIN_SELF, 0, 1), 1);
	assert_int_equal(memory_lookup_2m(control, base + 512), base + 512);
	/* Another domain's, the hypervisor's, and what is no RAM. */
	e[0].gfn = memory_lookup(d, 1000);
	assert_int_equal(do_memory_populate(RF_DOMAIN_SELF, 0, 1), -ENOMEM);
	assert_int_equal(do_memory_release(RF_DOMAIN_SELF, 0, 1), -ENOENT);
	e[0].gfn = arch_pointer_frame(control);
	assert_int_equal(do_memory_populate(RF_DOMAIN_SELF, 0, 1), -ENOMEM);
	e[0].gfn = frame_limit;
	assert_int_equal(do_memory_populate(RF_DOMAIN_SELF, 0, 1), -EINVAL);
	/* Somebody took a part of it meanwhile: nothing of the rest is kept. */
	e[0] = (struct rf_memory_extent){ base + 1024, 9, 0 };
	assert_int_equal(do_memory_release(RF_DOMAIN_SELF, 0, 1), 1);
	assert_true(frame_alloc_at(base + 1500));
	assert_int_equal(do_memory_populate(RF_DOMAIN_SELF, 0, 1), -ENOMEM);
	assert_int_equal(control->memory.frames, 1536);
	assert_null(audit_run());
	frame_free(base + 1500, 0);
	assert_int_equal(do_memory_populate(RF_DOMAIN_SELF, 0, 1), 1);
	/* The limit. */
	control->memory.frames_max = control->memory.frames;
	e[0] = (struct rf_memory_extent){ base + 2048, 0, 0 };
	assert_int_equal(do_memory_populate(RF_DOMAIN_SELF, 0, 1), -ENOSPC);
}

/* Random extents, right and wrong, against an array of what must be there. */
static void test_random(void **state)
{
	static bool there[FRAMES];
	uint64_t seed = 7, frames = FRAMES;

	(void)state;
	memset(there, 1, sizeof(there));
	for (unsigned step = 0; step < 20000; step++) {
		uint64_t r = unit_random(&seed);
		uint32_t order = (r & 7) ? 0 : 9;
		uint64_t gfn = KEPT_FRAMES + (r >> 8) % (FRAMES - KEPT_FRAMES);
		uint64_t count = 1UL << order, have = 0;
		bool add = (r >> 4) & 1;
		int64_t result;

		gfn &= ~(count - 1);
		for (uint64_t i = 0; i < count; i++)
			have += there[gfn + i];
		result = add ? populate(gfn, order) : release(gfn, order);
		if (add)
			assert_int_equal(result, frames + count > FRAMES ? -ENOSPC
						 : have			 ? -EEXIST
									 : 1);
		else
			assert_int_equal(result, have == count ? 1 : -ENOENT);
		if (result == 1) {
			memset(there + gfn, add, count);
			frames += add ? count : -count;
		}
		assert_int_equal(d->memory.frames, frames);
		if (step % 1000 == 0)
			assert_null(audit_run());
	}
	for (uint64_t i = 0; i < FRAMES; i++)
		assert_int_equal(memory_lookup(d, i) != FRAME_NONE, there[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lookup, setup, teardown),
		cmocka_unit_test_setup_teardown(test_release_splits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_arguments, setup, teardown),
		cmocka_unit_test_setup_teardown(test_batch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_contents, setup, teardown),
		cmocka_unit_test_setup_teardown(test_held, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fill_unwinds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_identity, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
