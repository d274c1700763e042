// SPDX-License-Identifier: BSD-2-Clause
/*
 * Virtual vectors: order, the flag and the page's pending byte, who is woken or interrupted, the
 * arguments of send_ipi, and the timers that post them.
 */
#include "unit.h"

#include "machine.h"

#include "abi/errno.h"
#include "abi/time.h"

#define MS  1000000ULL
#define ANY (~0ULL)

static struct vcpu *a, *b, *c; /* on CPU 0, on CPU 1, down */

static int setup(void **state)
{
	(void)state;
	machine_init(2);
	a = machine_vcpu(256, 0, 1);
	b = machine_vcpu(256, 0, 2);
	c = machine_vcpu(256, 0, ANY);
	sched_up(a);
	sched_up(b);
	machine_settle();
	assert_ptr_equal(cpus[0].current, a);
	assert_ptr_equal(cpus[1].current, b);
	machine_enter(0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	machine_free();
	return 0;
}

static void test_highest_first(void **state)
{
	static const uint8_t vectors[] = { 32, 255, 64, 63, 128, 100, 127 };
	static const uint8_t sorted[] = { 255, 128, 127, 100, 64, 63, 32 };

	(void)state;
	for (size_t i = 0; i < 7; i++)
		interrupt_post(a, vectors[i]);
	interrupt_post(a, 100); /* a second time is the same as once */
	for (uint32_t i = 0; i < 7; i++) {
		a->page->interrupt_flag = RF_INTERRUPT_FLAG;
		vcpu_prepare_exit();
		tlb_enter_hypervisor();
		assert_int_equal(a->arch.delivered, i + 1);
		assert_int_equal(a->arch.vector_log[i], sorted[i]);
		assert_int_equal(a->page->interrupt_flag, 0);
		assert_int_equal(a->page->pending, i < 6);
		assert_int_equal(a->work & VCPU_WORK_EVENT, i < 6 ? VCPU_WORK_EVENT : 0);
	}
	a->page->interrupt_flag = RF_INTERRUPT_FLAG;
	vcpu_prepare_exit();
	assert_int_equal(a->arch.delivered, 7);
}

/* It comes first, whatever the flag; and it does not come back. */
static void test_nmi(void **state)
{
	(void)state;
	interrupt_post(a, 50);
	interrupt_post(a, INTERRUPT_NMI);
	a->page->interrupt_flag = 0;
	for (uint32_t i = 0; i < 2; i++) {
		vcpu_prepare_exit();
		tlb_enter_hypervisor();
		assert_int_equal(a->arch.delivered, 1);
		assert_int_equal(a->arch.vector_log[0], INTERRUPT_NMI);
		assert_int_equal(a->page->pending, 1);
	}
	a->page->interrupt_flag = RF_INTERRUPT_FLAG;
	vcpu_prepare_exit();
	assert_int_equal(a->arch.delivered, 2);
	assert_int_equal(a->arch.vector_log[1], 50);
}

static void test_flag_clear(void **state)
{
	(void)state;
	interrupt_post(a, 50);
	for (uint32_t i = 0; i < 3; i++) {
		vcpu_prepare_exit();
		tlb_enter_hypervisor();
		assert_int_equal(a->arch.delivered, 0);
		assert_int_equal(a->page->pending, 1);
	}
	/* The guest sets the flag and sees the byte. */
	a->page->interrupt_flag = RF_INTERRUPT_FLAG;
	assert_int_equal(do_irq_window(), 0);
	vcpu_prepare_exit();
	assert_int_equal(a->arch.delivered, 1);
	assert_int_equal(a->page->pending, 0);
}

static void test_user_mode_has_no_flag(void **state)
{
	(void)state;
	a->arch.user_mode = true;
	interrupt_post(a, 50);
	interrupt_post(a, 51);
	vcpu_prepare_exit();
	assert_int_equal(a->arch.delivered, 1);
	assert_false(a->arch.user_mode);
	assert_int_equal(a->page->pending, 1);
}

/* As a handler that leaves interrupts on. */
static void stay_on(struct vcpu *v)
{
	v->arch.user_mode = true;
}

/* Another CPU posts after each time that this one has given what waited. */
static void post_another(struct vcpu *v)
{
	assert_true(v->arch.delivered < 1000);
	interrupt_post(v, (uint8_t)(64 + v->arch.delivered % 64));
	vcpu_set_work(v, VCPU_WORK_FILL);
}

static void test_storm_ends(void **state)
{
	uint32_t before = cpus[0].arch.interrupts;

	(void)state;
	fake_deliver_hook = stay_on;
	machine_fill_hook = post_another;
	a->arch.user_mode = true;
	post_another(a);
	vcpu_prepare_exit();
	fake_deliver_hook = NULL;
	machine_fill_hook = NULL;
	/* The rest comes after the interrupts that wait by now. */
	assert_true(a->arch.delivered > 1 && a->arch.delivered < 100);
	assert_int_equal(a->work & VCPU_WORK_EVENT, VCPU_WORK_EVENT);
	assert_int_equal(cpus[0].arch.interrupts, before + 1);
	assert_true(cpus[0].in_guest);
}

static void test_interrupts_the_cpu_it_runs_on(void **state)
{
	uint32_t before = cpus[1].arch.interrupts;

	(void)state;
	b->page->interrupt_flag = RF_INTERRUPT_FLAG;
	interrupt_post(b, 50);
	assert_int_equal(cpus[1].arch.interrupts, before + 1);
	/* Its page is its CPU's to write. */
	assert_int_equal(b->page->pending, 0);
	machine_settle();
	assert_int_equal(b->arch.delivered, 1);
	/* In the hypervisor: it will look before it leaves. */
	machine_enter(1);
	fake_set_cpu(0);
	b->page->interrupt_flag = RF_INTERRUPT_FLAG;
	interrupt_post(b, 51);
	assert_int_equal(cpus[1].arch.interrupts, before + 1);
	machine_leave(1);
	assert_int_equal(b->arch.delivered, 2);
}

static void test_wakes(void **state)
{
	(void)state;
	machine_enter(1);
	do_block();
	machine_leave(1);
	assert_null(cpus[1].current);
	fake_set_cpu(0);
	interrupt_post(b, 200);
	machine_settle();
	assert_ptr_equal(cpus[1].current, b);
	assert_int_equal(b->arch.delivered, 1);
	assert_int_equal(b->arch.vector_log[0], 200);
	/* With one that waits it does not block. */
	machine_enter(1);
	interrupt_post(b, 201);
	do_block();
	machine_leave(1);
	assert_ptr_equal(cpus[1].current, b);
	assert_int_equal(b->arch.delivered, 2);
}

static void test_send_ipi(void **state)
{
	static const uint64_t bad_vectors[] = { 0, 14, 31, 256, 1 << 16, 1ULL << 32, ~0ULL };

	(void)state;
	for (size_t i = 0; i < 7; i++)
		assert_int_equal(do_send_ipi(bad_vectors[i], 1), -EINVAL);
	assert_int_equal(do_send_ipi(32, 8), -EINVAL);
	assert_int_equal(do_send_ipi(32, 1ULL << 63), -EINVAL);
	assert_int_equal(do_send_ipi(32, ANY), -EINVAL);
	assert_false(interrupt_pending(a) || interrupt_pending(b) || interrupt_pending(c));
	assert_int_equal(do_send_ipi(32, 0), 0);
	assert_int_equal(do_send_ipi(255, 7), 0);
	assert_true(interrupt_pending(a) && interrupt_pending(b));
	assert_false(interrupt_pending(c)); /* down */
	while (machine_domain.vcpu_count < 64)
		machine_vcpu(256, 0, ANY);
	assert_int_equal(do_send_ipi(32, ANY), 0);
}

/* --- What timers post -------------------------------------------------------------------- */

static bool timer_posted(const struct vcpu *v)
{
	return v->interrupt.vectors[RF_VECTOR_TIMER / 64] >> RF_VECTOR_TIMER % 64 & 1;
}

static void test_set_timer(void **state)
{
	uint64_t now = fake_clock_ns;

	(void)state;
	assert_int_equal(do_set_timer(now + MS), 0);
	machine_leave(0);
	machine_run_to(now + MS - 1);
	assert_false(timer_posted(a));
	machine_run_to(now + MS);
	assert_true(timer_posted(a));
	interrupt_reset(a);

	machine_enter(0);
	do_set_timer(now + 2 * MS);
	do_set_timer(RF_TIME_NEVER);
	machine_leave(0);
	machine_run(10 * MS);
	assert_false(timer_posted(a));

	machine_enter(0);
	do_set_timer(fake_clock_ns + MS);
	do_set_timer(fake_clock_ns + 3 * MS);
	machine_leave(0);
	machine_run(2 * MS);
	assert_false(timer_posted(a));
	machine_run(MS);
	assert_true(timer_posted(a));
}

static void test_absurd_deadlines(void **state)
{
	const uint64_t past[] = { 0, 1, fake_clock_ns - 1, fake_clock_ns };
	static const uint64_t far[] = { 1ULL << 63, (1ULL << 63) - 1, ~0ULL - 1, ~0ULL };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		do_set_timer(past[i]);
		assert_true(timer_posted(a));
		interrupt_reset(a);
	}
	for (size_t i = 0; i < 4; i++) {
		machine_enter(0);
		assert_int_equal(do_set_timer(far[i]), 0);
		machine_leave(0);
		machine_run(10 * MS);
		assert_false(timer_posted(a));
	}
}

static void test_poll(void **state)
{
	uint64_t now = fake_clock_ns;

	(void)state;
	/* Nothing to wait for. */
	assert_int_equal(do_poll(0), 0);
	assert_int_equal(do_poll(now), 0);
	assert_int_equal(a->sched.state, SCHED_RUNNING);
	interrupt_post(a, 40);
	assert_int_equal(do_poll(now + MS), 0);
	assert_int_equal(a->sched.state, SCHED_RUNNING);
	interrupt_reset(a);
	/* The deadline, the flag being clear. */
	assert_int_equal(do_poll(now + MS), 0);
	machine_leave(0);
	assert_null(cpus[0].current);
	machine_run_to(now + MS - 1);
	assert_null(cpus[0].current);
	machine_run_to(now + MS);
	assert_ptr_equal(cpus[0].current, a);
	/* A vector, long before the deadline, which then disturbs no block. */
	machine_enter(0);
	do_poll(fake_clock_ns + 5 * MS);
	machine_leave(0);
	machine_run(MS);
	fake_set_cpu(1);
	interrupt_post(a, 40);
	machine_settle();
	assert_ptr_equal(cpus[0].current, a);
	assert_int_equal(a->page->pending, 1);
	interrupt_reset(a);
	machine_enter(0);
	do_block();
	machine_leave(0);
	machine_run(20 * MS);
	assert_int_equal(a->sched.state, SCHED_BLOCKED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_highest_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nmi, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flag_clear, setup, teardown),
		cmocka_unit_test_setup_teardown(test_user_mode_has_no_flag, setup, teardown),
		cmocka_unit_test_setup_teardown(test_storm_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_interrupts_the_cpu_it_runs_on, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_wakes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_send_ipi, setup, teardown),
		cmocka_unit_test_setup_teardown(test_set_timer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_absurd_deadlines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_poll, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
