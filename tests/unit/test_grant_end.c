// SPDX-License-Identifier: BSD-2-Clause
/*
 * The end of grants: what is left when somebody revokes, releases, unmaps or dies, in every order; what
 * an audit sees of it; and everything at once from several CPUs.
 */
#include "grant_unit.h"

#include <pthread.h>

#include "abi/memory.h"
#include "quiesce.h"
#include "shadow_table.h"

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
	domain_last_number = 0;
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
