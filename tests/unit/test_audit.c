// SPDX-License-Identifier: BSD-2-Clause
/*
 * The audit: says nothing about what is right, names what is wrong, and holds the other CPUs
 * without hanging, even when two audit and others wait for each other.
 */
#include "unit.h"

#include <pthread.h>
#include <unistd.h>

#include "abi/errno.h"
#include "audit.h"
#include "cpu.h"
#include "domain.h"
#include "fake_arch.h"
#include "fake_domain.h"
#include "quiesce.h"
#include "tlb.h"
#include "vcpu.h"

#define RAM_FRAMES 8192
#define FRAMES	   1024

static struct domain *d;

static int setup(void **state)
{
	(void)state;
	fake_domain_init(RAM_FRAMES, 1);
	d = fake_domain_create(false, FRAMES);
	fake_domain_create(false, 600);
	fake_domain_map(d);
	fake_domain_run(d);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_domain_end_all();
	return 0;
}

static void expect(const char *rule)
{
	const char *wrong = audit_run();

	if (!wrong || strncmp(wrong, rule, strlen(rule)) != 0)
		fail_msg("\"%s\" instead of %s", wrong ? wrong : "nothing", rule);
}

static void expect_clean(void)
{
	const char *wrong = audit_run();

	if (wrong)
		fail_msg("audit: %s", wrong);
}

static void test_hypercall(void **state)
{
	(void)state;
	if (!CONFIG_DEBUG) {
		assert_int_equal(do_audit(0), -EOPNOTSUPP);
		return;
	}
	assert_int_equal(do_audit(0), 0);
	d->memory.frames++;
	assert_int_equal(do_audit(0), -ENODATA);
	assert_non_null(strstr(fake_serial_output, "audit: I1: a domain owns more or fewer"));
	d->memory.frames--;
	assert_int_equal(do_audit(0), 0);
}

static void test_frames(void **state)
{
	struct frame *own = frame_of(memory_lookup(d, 700));
	struct frame *hypervisor = frame_of(arch_pointer_frame(d));
	struct frame saved = *own;

	(void)state;
	own->references = 2;
	expect("I4: a frame has more");
	own->references = 0;
	expect("I2: a domain's frame");
	*own = saved;
	own->owner = 77;
	expect("I1: the counter of a 2 MiB chunk");
	*own = saved;
	own->state = FRAME_HYPERVISOR;
	expect("I");
	*own = saved;
	hypervisor->references = 2;
	expect("I2: a frame of the hypervisor");
	hypervisor->references = 1;
	hypervisor->state = FRAME_FREE;
	expect("I1: free frames");
	hypervisor->state = FRAME_HYPERVISOR;
	frame_total++;
	expect("I1: the sum");
	frame_total--;
	expect_clean();
}

static void test_maps(void **state)
{
	uint64_t *slot = &d->memory.slots[1], saved = *slot;

	(void)state;
	*slot = 0;
	expect("I1: a domain's map has not");
	*slot = d->memory.slots[0];
	expect("I4: a frame is at two places");
	*slot = frame_of(0)->state == FRAME_HYPERVISOR ? MEMORY_SLOT_CHUNK : 0;
	expect("I4: a domain's map leads");
	*slot = saved;
	expect_clean();
}

static void test_vcpus(void **state)
{
	struct vcpu *v = d->vcpus[0];

	(void)state;
	assert_int_equal(do_vcpu_register_page(900), 0);
	expect_clean();
	v->page = v->spare_page;
	expect("I4: a vCPU uses another page");
	v->page = arch_frame_pointer(v->page_mfn);
	v->page_mfn++;
	expect("I4");
	v->page_mfn--;
	v->root->loaded = 0;
	expect("I9: a root is loaded");
	v->root->loaded = 1;
	d->shadow.cpus = 0;
	expect("I9: a CPU runs a domain");
	d->shadow.cpus = 1;
	this_cpu()->queue.length++;
	expect("I9: the length");
	this_cpu()->queue.length--;
	spin_lock(&this_cpu()->queue.lock);
	expect("I9: the lock");
	spin_unlock(&this_cpu()->queue.lock);
	expect_clean();
}

static void test_shadow_pool(void **state)
{
	(void)state;
	d->shadow.pool.frames--;
	expect("I1: a shadow pool");
	d->shadow.pool.frames++;
	expect_clean();
}

/* --- Threads as CPUs --- */

#define CPUS   4
#define ROUNDS 300

static volatile bool over;

/* In and out of the hypervisor, as fast as it goes; waits for the others now and then, or sleeps. */
static void *enter_and_leave(void *id)
{
	uint64_t seed = (uint64_t)id + 1;

	fake_set_cpu((uint32_t)(uint64_t)id);
	quiesce_idle_end();
	while (!over) {
		tlb_enter_hypervisor();
		switch (unit_random(&seed) % 16) {
		case 0:
			quiesce_wait();
			break;
		case 1:
			quiesce_idle_begin();
			fake_relax();
			quiesce_idle_end();
			break;
		case 2:
			tlb_shootdown((1 << CPUS) - 1);
			break;
		}
		tlb_leave_hypervisor();
		/* The guest runs until it is interrupted, or leaves by itself. */
		for (unsigned i = 0; i < 50 && !this_cpu()->arch.interrupted; i++)
			fake_relax();
		this_cpu()->arch.interrupted = false;
	}
	tlb_enter_hypervisor();
	quiesce_idle_begin();
	return NULL;
}

static void *audit_often(void *id)
{
	uint64_t wrong = 0;

	fake_set_cpu((uint32_t)(uint64_t)id);
	quiesce_idle_end();
	for (unsigned i = 0; i < ROUNDS; i++) {
		tlb_enter_hypervisor();
		wrong += audit_run() != NULL;
		if (i % 8 == 0)
			quiesce_wait();
		tlb_leave_hypervisor();
	}
	tlb_enter_hypervisor();
	quiesce_idle_begin();
	return (void *)wrong;
}

static void test_holds_all(void **state)
{
	pthread_t threads[CPUS];
	void *wrong[2];

	(void)state;
	fake_domain_run(NULL);
	fake_domain_end_all();
	fake_domain_init(1024, CPUS);
	over = false;
	for (uint64_t i = 0; i < CPUS; i++)
		pthread_create(&threads[i], NULL, i < 2 ? audit_often : enter_and_leave, (void *)i);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(threads[i], &wrong[i]);
	over = true;
	for (unsigned i = 2; i < CPUS; i++)
		pthread_join(threads[i], NULL);
	assert_null(wrong[0]);
	assert_null(wrong[1]);
	fake_set_cpu(0);
	quiesce_idle_end();
}

/*
 * A guest that is interrupted leaves as the entry code does: only when something is to be done it
 * goes the long way, through tlb_leave_hypervisor().
 */
static void *enter_and_leave_quickly(void *id)
{
	struct cpu *me = &cpus[(uint64_t)id];

	fake_set_cpu((uint32_t)(uint64_t)id);
	quiesce_idle_end();
	while (!over) {
		tlb_enter_hypervisor();
		me->arch.interrupted = false;
		__atomic_store_n(&me->exits, me->exits + 1, __ATOMIC_RELEASE);
		__atomic_store_n(&me->in_guest, 1, __ATOMIC_RELAXED);
		arch_memory_barrier();
		if (__atomic_load_n(&me->flush_request, __ATOMIC_RELAXED) || me->need_schedule) {
			tlb_enter_hypervisor();
			tlb_leave_hypervisor();
		}
		while (!over && !me->arch.interrupted)
			fake_relax();
	}
	tlb_enter_hypervisor();
	quiesce_idle_begin();
	return NULL;
}

/* It need not wait until a slice is over, as there may be none. */
static void test_holds_quick(void **state)
{
	pthread_t threads[CPUS];

	(void)state;
	fake_domain_run(NULL);
	fake_domain_end_all();
	fake_domain_init(1024, CPUS);
	over = false;
	for (uint64_t i = 1; i < CPUS; i++)
		pthread_create(&threads[i], NULL, enter_and_leave_quickly, (void *)i);
	alarm(60);
	for (unsigned i = 0; i < ROUNDS; i++)
		assert_null(audit_run());
	alarm(0);
	over = true;
	for (unsigned i = 1; i < CPUS; i++)
		pthread_join(threads[i], NULL);
}

/* What was unlinked before quiesce_wait() is used by nobody after it. */
static uint64_t *volatile shared;
static volatile uint64_t misses;

static void *use_shared(void *id)
{
	fake_set_cpu((uint32_t)(uint64_t)id);
	quiesce_idle_end();
	while (!over) {
		uint64_t *mine;

		tlb_enter_hypervisor();
		mine = shared;
		for (unsigned i = 0; i < 20; i++)
			misses += __atomic_load_n(mine, __ATOMIC_RELAXED) == 0;
		tlb_leave_hypervisor();
		this_cpu()->arch.interrupted = false;
		fake_relax();
	}
	tlb_enter_hypervisor();
	quiesce_idle_begin();
	return NULL;
}

static void test_quiesce(void **state)
{
	static uint64_t values[2];
	pthread_t threads[CPUS];

	(void)state;
	fake_domain_run(NULL);
	fake_domain_end_all();
	fake_domain_init(1024, CPUS);
	over = false;
	misses = 0;
	values[0] = values[1] = 1;
	shared = &values[0];
	for (uint64_t i = 1; i < CPUS; i++)
		pthread_create(&threads[i], NULL, use_shared, (void *)i);
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t *old = shared;

		shared = &values[!(old - values)];
		quiesce_wait();
		__atomic_store_n(old, 0, __ATOMIC_RELAXED);
		fake_relax();
		__atomic_store_n(old, 1, __ATOMIC_RELEASE);
	}
	over = true;
	for (unsigned i = 1; i < CPUS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(misses, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hypercall, setup, teardown),
		cmocka_unit_test_setup_teardown(test_frames, setup, teardown),
		cmocka_unit_test_setup_teardown(test_maps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vcpus, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shadow_pool, setup, teardown),
		cmocka_unit_test_setup_teardown(test_holds_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_holds_quick, setup, teardown),
		cmocka_unit_test_setup_teardown(test_quiesce, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
