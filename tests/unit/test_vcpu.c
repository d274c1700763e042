// SPDX-License-Identifier: BSD-2-Clause
/*
 * The life of a vCPU: making it, every field of its context, up and down, blocking and kicking,
 * its page, and its counters.
 */
#include "unit.h"

#include "machine.h"

#include "abi/errno.h"
#include "counters.h"
#include "frame.h"
#include "guest_access.h"
#include "quiesce.h"

#define MS	      1000000ULL
#define OWN_FRAMES    8 /* gfns below this are the domain's, at the same mfns */
#define GUEST_CONTEXT 0x1000ULL
#define GUEST_OUT     0x2000ULL

/* --- In place of the core's memory ------------------------------------------------------- */

static struct rf_vcpu_context guest_context;
static struct rf_counters guest_out;
static struct frame frames[OWN_FRAMES + 2];
static uint32_t holders[OWN_FRAMES], allocations;
static bool no_memory;

bool frame_get(uint64_t mfn, uint16_t owner)
{
	assert_true(mfn < OWN_FRAMES && owner == 1);
	holders[mfn]++;
	return true;
}

void frame_put(uint64_t mfn)
{
	assert_true(holders[mfn] > 0);
	holders[mfn]--;
}

void *frame_alloc_pointer(size_t bytes)
{
	if (no_memory && allocations)
		return NULL;
	allocations++;
	return calloc(1, bytes);
}

void frame_free_pointer(void *pointer, size_t bytes)
{
	(void)bytes;
	allocations--;
	free(pointer);
}

int copy_from_guest(void *to, uint64_t from, size_t size)
{
	if (from != GUEST_CONTEXT)
		return -EFAULT;
	memcpy(to, &guest_context, size);
	return 0;
}

int copy_to_guest(uint64_t to, const void *from, size_t size)
{
	if (to != GUEST_OUT)
		return -EFAULT;
	memcpy(&guest_out, from, size);
	return 0;
}

struct domain *domain_find(uint64_t id)
{
	return id == RF_DOMAIN_SELF || id == 1 ? &machine_domain : NULL;
}

void domain_put(struct domain *d)
{
	(void)d;
}

/* ----------------------------------------------------------------------------------------- */

static struct vcpu *a, *b; /* a runs, b is down */

static int setup(void **state)
{
	(void)state;
	machine_init(2);
	a = machine_vcpu(256, 0, ~0ULL);
	b = machine_vcpu(256, 0, ~0ULL);
	b->initialized = false;
	sched_up(a);
	machine_settle();
	machine_enter_vcpu(a);
	guest_context = (struct rf_vcpu_context){
		.rip = 0xffffffff81000000,
		.rsp = 0x1234,
		.rdi = 7,
		.root = 0x3000,
		.kernel_gs = 0xffff888000000000,
		.page = 5,
	};
	memset(holders, 0, sizeof(holders));
	/* No map of its own: what it has is what it owns. */
	frame_table = frames;
	frame_limit = OWN_FRAMES + 2;
	for (uint32_t i = 0; i < OWN_FRAMES + 2; i++)
		frames[i] =
			(struct frame){ .state = FRAME_DOMAIN, .owner = i < OWN_FRAMES ? 1 : 2 };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	machine_free();
	return 0;
}

static int64_t init(uint64_t id)
{
	return do_vcpu_init(id, GUEST_CONTEXT);
}

static void test_create(void **state)
{
	struct domain d = { .id = 1 };
	struct vcpu *v;

	(void)state;
	allocations = 0;
	v = vcpu_create(&d, 3);
	assert_non_null(v);
	assert_int_equal(v->id, 3);
	assert_true(v->arch.created);
	assert_int_equal(v->sched.state, SCHED_DOWN);
	assert_true(sched_is_off_cpu(v));
	assert_ptr_equal(v->page, v->spare_page);
	timer_start(&v->time.timer, fake_clock_ns + 10);
	vcpu_stop(v);
	vcpu_destroy(v);
	assert_int_equal(allocations, 0);
	assert_true(list_empty(&cpus[0].timers.head) && list_empty(&cpus[1].timers.head));
	no_memory = true;
	assert_null(vcpu_create(&d, 0));
	assert_int_equal(allocations, 0);
	no_memory = false;
}

static void test_init(void **state)
{
	(void)state;
	interrupt_post(b, 99);
	assert_int_equal(init(1), 0);
	assert_int_equal(b->arch.context.rip, guest_context.rip);
	assert_int_equal(b->arch.context.rdi, 7);
	assert_int_equal(b->root_gfn, 3);
	assert_ptr_equal(b->page, arch_frame_pointer(5));
	assert_int_equal(holders[5], 1);
	assert_false(interrupt_pending(b));
	/* Again, with another page: the first one is let go. */
	guest_context.page = 6;
	assert_int_equal(init(1), 0);
	assert_int_equal(holders[5], 0);
	assert_int_equal(holders[6], 1);
	assert_int_equal(b->arch.resets, 2);
}

/* Each in turn, the rest being good. */
static void test_init_bad_fields(void **state)
{
	static const struct {
		size_t field;
		uint64_t value;
	} bad[] = {
		{ offsetof(struct rf_vcpu_context, rip), 0x0000800000000000 },
		{ offsetof(struct rf_vcpu_context, rip), 0xffff7fffffffffff },
		{ offsetof(struct rf_vcpu_context, rip), 0xffff800000000000 },
		{ offsetof(struct rf_vcpu_context, rip), 0xffff87ffffffffff },
		{ offsetof(struct rf_vcpu_context, root), 0x3001 },
		{ offsetof(struct rf_vcpu_context, root), 0x3800 },
		{ offsetof(struct rf_vcpu_context, root), OWN_FRAMES << 12 },
		{ offsetof(struct rf_vcpu_context, root), ~0xfffULL },
		{ offsetof(struct rf_vcpu_context, kernel_gs), 1ULL << 63 },
		{ offsetof(struct rf_vcpu_context, kernel_gs), 0x0000800000000000 },
		{ offsetof(struct rf_vcpu_context, page), OWN_FRAMES },
		{ offsetof(struct rf_vcpu_context, page), 1ULL << 52 },
		{ offsetof(struct rf_vcpu_context, page), ~0ULL },
	};
	const struct rf_vcpu_context good = guest_context;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		guest_context = good;
		memcpy((char *)&guest_context + bad[i].field, &bad[i].value, 8);
		assert_int_equal(init(1), -EINVAL);
		assert_int_equal(b->arch.resets, 0);
		assert_int_equal(do_vcpu_up(1), -EINVAL);
		assert_int_equal(holders[5], 0);
	}
}

static void test_errors(void **state)
{
	static const uint64_t no_ids[] = { 2, 64, 1ULL << 32, ~0ULL };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(init(no_ids[i]), -ENOENT);
		assert_int_equal(do_vcpu_up(no_ids[i]), -ENOENT);
		assert_int_equal(do_vcpu_status(no_ids[i]), -ENOENT);
		assert_int_equal(do_kick(no_ids[i]), -ENOENT);
	}
	assert_int_equal(do_vcpu_init(1, 0xbad), -EFAULT);
	assert_int_equal(init(0), -EBUSY);
	assert_int_equal(do_vcpu_up(0), -EBUSY);
	assert_int_equal(do_vcpu_up(1), -EINVAL);
	assert_int_equal(do_vcpu_down(), -EBUSY); /* the last */
	assert_int_equal(a->sched.state, SCHED_RUNNING);
	assert_int_equal(do_vcpu_register_page(OWN_FRAMES), -EINVAL);
	assert_ptr_equal(a->page, a->spare_page);
}

static void test_up_and_down(void **state)
{
	(void)state;
	assert_int_equal(do_vcpu_status(0), RF_VCPU_RUNNING);
	assert_int_equal(do_vcpu_status(1), RF_VCPU_DOWN);
	init(1);
	assert_int_equal(do_vcpu_up(1), 0);
	assert_int_equal(do_vcpu_status(1), RF_VCPU_RUNNABLE);
	assert_int_equal(do_vcpu_up(1), -EBUSY);
	assert_int_equal(init(1), -EBUSY);
	machine_leave(fake_this_cpu->id);
	machine_settle();
	assert_true(machine_is_running(a) && machine_is_running(b));

	machine_enter_vcpu(b);
	do_set_timer(fake_clock_ns + MS);
	assert_int_equal(do_vcpu_down(), 0);
	/* It is down only when it has left its CPU. */
	machine_enter_vcpu(a);
	assert_int_equal(do_vcpu_status(1), RF_VCPU_RUNNING);
	assert_int_equal(init(1), -EBUSY);
	assert_int_equal(do_vcpu_up(1), -EBUSY);
	assert_int_equal(do_vcpu_down(), -EBUSY);
	machine_leave(a->sched.cpu->id);
	machine_settle();
	machine_enter_vcpu(a);
	assert_int_equal(do_vcpu_status(1), RF_VCPU_DOWN);
	machine_run(10 * MS);
	assert_false(interrupt_pending(b));

	/* Up again without init: it goes on. */
	machine_enter_vcpu(a);
	assert_int_equal(do_vcpu_up(1), 0);
	machine_settle();
	assert_true(machine_is_running(b));
	assert_int_equal(b->arch.resets, 1);
}

static void test_block_and_kick(void **state)
{
	(void)state;
	init(1);
	do_vcpu_up(1);
	machine_leave(fake_this_cpu->id);
	machine_settle();

	machine_enter_vcpu(b);
	b->page->interrupt_flag = 0;
	assert_int_equal(do_block(), 0);
	assert_int_equal(b->page->interrupt_flag, RF_INTERRUPT_FLAG);
	machine_leave(b->sched.cpu->id);
	machine_enter_vcpu(a);
	assert_int_equal(do_vcpu_status(1), RF_VCPU_BLOCKED);
	assert_int_equal(do_kick(1), 0);
	machine_settle();
	assert_true(machine_is_running(b));

	/* A kick while it runs counts for the next block or poll, once. */
	machine_enter_vcpu(a);
	do_kick(1);
	do_kick(1);
	machine_enter_vcpu(b);
	do_poll(~0ULL);
	machine_leave(b->sched.cpu->id);
	assert_true(machine_is_running(b));
	machine_enter_vcpu(b);
	do_block();
	machine_leave(b->sched.cpu->id);
	assert_int_equal(b->sched.state, SCHED_BLOCKED);

	/* A kick for one that is down is forgotten. */
	machine_enter_vcpu(a);
	do_kick(1);
	machine_settle();
	machine_enter_vcpu(b);
	do_vcpu_down();
	machine_leave(b->sched.cpu->id);
	machine_enter_vcpu(a);
	assert_int_equal(do_kick(1), 0);
	do_vcpu_up(1);
	machine_settle();
	machine_enter_vcpu(b);
	do_block();
	machine_leave(b->sched.cpu->id);
	assert_int_equal(b->sched.state, SCHED_BLOCKED);
}

static void test_register_page(void **state)
{
	struct rf_vcpu_page *page = arch_frame_pointer(2);
	struct rf_time_info *time = &page->time;

	(void)state;
	interrupt_post(a, 77);
	fake_clock_ns += 5 * MS;
	assert_int_equal(do_vcpu_register_page(2), 0);
	assert_ptr_equal(a->page, page);
	assert_int_equal(holders[2], 1);
	assert_int_equal(page->pending, 1);
	assert_int_equal(page->run_ns, 5 * MS);
	assert_int_equal(page->steal_ns, 0);
	assert_int_equal(time->version % 2, 0);
	assert_int_equal(time->system_time, fake_clock_ns);
	assert_int_equal(time->wall_clock, fake_wall_clock);
	assert_int_equal((__uint128_t)time->tsc_timestamp * time->multiplier >> 32,
			 time->system_time);
	/* The same one again, and another. */
	assert_int_equal(do_vcpu_register_page(2), 0);
	assert_int_equal(holders[2], 1);
	assert_int_equal(do_vcpu_register_page(3), 0);
	assert_int_equal(holders[2], 0);
	assert_int_equal(holders[3], 1);
}

/* What it lost to others, on one CPU. */
static void test_steal_time(void **state)
{
	uint32_t version;

	(void)state;
	sched_set_affinity(a, 1);
	sched_set_affinity(b, 1);
	init(1);
	do_vcpu_up(1);
	machine_leave(fake_this_cpu->id);
	machine_settle();
	version = a->page->time.version;
	machine_run(1000 * MS);
	assert_in_range(a->page->run_ns, 480 * MS, 520 * MS);
	assert_in_range(a->page->steal_ns, 480 * MS, 520 * MS);
	assert_in_range(b->page->steal_ns, 480 * MS, 520 * MS);
	assert_true(a->page->time.version > version);
	assert_int_equal(a->page->time.version % 2, 0);
}

static void test_counters(void **state)
{
	(void)state;
	b->counters.fills = 11;
	assert_int_equal(do_counters(RF_DOMAIN_SELF, 1, GUEST_OUT), 0);
	assert_int_equal(guest_out.fills, 11);
	assert_int_equal(do_counters(1, 0, GUEST_OUT), 0);
	assert_int_equal(guest_out.switches, a->counters.switches);
	assert_int_equal(do_counters(RF_DOMAIN_SELF, 2, GUEST_OUT), -ENOENT);
	assert_int_equal(do_counters(RF_DOMAIN_SELF, ~0ULL, GUEST_OUT), -ENOENT);
	assert_int_equal(do_counters(RF_DOMAIN_SELF, 0, 0xbad), -EFAULT);
	assert_int_equal(do_counters(2, 0, GUEST_OUT), -EPERM);
	machine_domain.control = true;
	assert_int_equal(do_counters(2, 0, GUEST_OUT), -ESRCH);
	assert_int_equal(do_counters(1ULL << 32 | 1, 0, GUEST_OUT), -ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_create, setup, teardown),
		cmocka_unit_test_setup_teardown(test_init, setup, teardown),
		cmocka_unit_test_setup_teardown(test_init_bad_fields, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_up_and_down, setup, teardown),
		cmocka_unit_test_setup_teardown(test_block_and_kick, setup, teardown),
		cmocka_unit_test_setup_teardown(test_register_page, setup, teardown),
		cmocka_unit_test_setup_teardown(test_steal_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_counters, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
