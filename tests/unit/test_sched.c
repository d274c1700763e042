// SPDX-License-Identifier: BSD-2-Clause
/*
 * The scheduler on a simulated machine: shares, caps, affinity, stealing, who wakes, and random
 * lives of many vCPUs; then CPUs as real threads, for the races.
 */
#include "unit.h"

#include <pthread.h>

#include "machine.h"
#include "sched_place.h"

#define MS	    1000000ULL
#define SECOND	    1000000000ULL
#define ANY	    (~0ULL)
#define PINNED(cpu) (1ULL << (cpu))

static int teardown(void **state)
{
	(void)state;
	machine_free();
	return 0;
}

static void up(struct vcpu *v)
{
	fake_set_cpu(0);
	sched_up(v);
	machine_settle();
}

static void assert_share(struct vcpu *v, uint64_t ran, uint64_t expected)
{
	uint64_t slack = expected / 50;

	if (ran + slack < expected || ran > expected + slack)
		fail_msg("vCPU %u of weight %u ran %lu ms instead of %lu", v->id, v->sched.weight,
			 ran / MS, expected / MS);
}

/* Shares of busy vCPUs, after they have settled for a second. */
static void check_shares(uint32_t cpu_number, const uint32_t *weights, uint32_t count)
{
	uint64_t before[MACHINE_VCPUS], duration = 20 * SECOND, total = 0;

	machine_init(cpu_number);
	for (uint32_t i = 0; i < count; i++) {
		up(machine_vcpu(weights[i], 0, ANY));
		total += weights[i];
	}
	machine_run(SECOND);
	for (uint32_t i = 0; i < count; i++)
		before[i] = machine_run_ns(machine_domain.vcpus[i]);
	machine_run(duration);
	for (uint32_t i = 0; i < count; i++) {
		struct vcpu *v = machine_domain.vcpus[i];

		assert_share(v, machine_run_ns(v) - before[i],
			     duration * cpu_number * weights[i] / total);
	}
	machine_free();
}

static void test_weights(void **state)
{
	uint32_t weights[12];

	(void)state;
	for (uint32_t i = 0; i < 12; i++)
		weights[i] = 256U << i % 3;
	check_shares(1, weights, 3);
	check_shares(2, weights, 6);
	check_shares(4, weights, 12);
	for (uint32_t i = 0; i < 12; i++)
		weights[i] = 10U << i % 3;
	check_shares(4, weights, 12);
}

/* More than one CPU's worth, and not a whole number of them. */
static void test_odd_numbers(void **state)
{
	static const uint32_t equal[] = { 256, 256, 256, 256, 256, 256, 256 };
	static const uint32_t mixed[] = { 300, 200, 250, 250, 100 };

	(void)state;
	check_shares(2, equal, 3);
	check_shares(4, equal, 5);
	check_shares(4, equal, 7);
	check_shares(2, mixed, 4);
	check_shares(3, mixed, 5);
}

static void test_one_per_cpu_is_tickless(void **state)
{
	(void)state;
	machine_init(4);
	for (uint32_t i = 0; i < 4; i++)
		up(machine_vcpu(256, 0, ANY));
	machine_run(MS);
	for (uint32_t i = 0; i < 4; i++) {
		assert_non_null(cpus[i].current);
		assert_int_equal(cpus[i].arch.timer, ~0ULL);
	}
}

static void check_cap(uint32_t cpu_number, uint32_t others, uint32_t cap)
{
	struct vcpu *capped;
	uint64_t before;

	machine_init(cpu_number);
	capped = machine_vcpu(256 * 8, cap, ANY);
	up(capped);
	for (uint32_t i = 0; i < others; i++)
		up(machine_vcpu(256, 0, ANY));
	machine_run(SECOND);
	before = machine_run_ns(capped);
	machine_run(20 * SECOND);
	assert_share(capped, machine_run_ns(capped) - before, 20 * SECOND * cap / 100);
	machine_free();
}

static void test_caps(void **state)
{
	static const uint32_t caps[] = { 1, 10, 33, 50, 80, 99 };

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		check_cap(1, 0, caps[i]);
		check_cap(4, 3, caps[i]);
	}
	check_cap(1, 3, 30);
	check_cap(2, 5, 50);
}

/* One that has a share below its cap is not held back by it. */
static void test_cap_above_share(void **state)
{
	struct vcpu *v;

	(void)state;
	machine_init(1);
	v = machine_vcpu(256, 80, ANY);
	up(v);
	up(machine_vcpu(256, 0, ANY));
	machine_run(10 * SECOND);
	assert_share(v, machine_run_ns(v), 5 * SECOND);
}

static void test_affinity(void **state)
{
	struct vcpu *a, *b, *c;

	(void)state;
	machine_init(2);
	a = machine_vcpu(256, 0, PINNED(1));
	b = machine_vcpu(256, 0, PINNED(1));
	up(a);
	up(b);
	machine_run(10 * SECOND);
	assert_null(cpus[0].current);
	assert_share(a, machine_run_ns(a), 5 * SECOND);
	/* A third that may run anywhere has the other CPU for itself. */
	c = machine_vcpu(256, 0, ANY);
	up(c);
	machine_run(10 * SECOND);
	assert_share(c, machine_run_ns(c), 10 * SECOND);
	assert_share(b, machine_run_ns(b), 10 * SECOND);
	/* They change places. */
	sched_set_affinity(a, PINNED(0));
	sched_set_affinity(b, PINNED(0));
	sched_set_affinity(c, PINNED(1));
	machine_run(MS);
	assert_ptr_equal(c->sched.cpu, &cpus[1]);
	assert_ptr_equal(a->sched.cpu, &cpus[0]);
	assert_ptr_equal(b->sched.cpu, &cpus[0]);
	assert_ptr_equal(cpus[1].current, c);
	assert_non_null(cpus[0].current);
}

/* Ten pinned to one CPU, which falls behind for good; the rest of the machine stays fair. */
static void test_pinned_crowd(void **state)
{
	struct vcpu *free_ones[3];
	uint64_t before[3];

	(void)state;
	machine_init(3);
	for (uint32_t i = 0; i < 10; i++)
		up(machine_vcpu(256, 0, PINNED(0)));
	for (uint32_t i = 0; i < 3; i++)
		up(free_ones[i] = machine_vcpu(256, 0, ANY));
	machine_run(5 * SECOND);
	for (uint32_t i = 0; i < 3; i++)
		before[i] = machine_run_ns(free_ones[i]);
	machine_run(20 * SECOND);
	for (uint32_t i = 0; i < 3; i++)
		assert_share(free_ones[i], machine_run_ns(free_ones[i]) - before[i],
			     20 * SECOND * 2 / 3);
	for (uint32_t i = 0; i < 10; i++)
		assert_true(machine_run_ns(machine_domain.vcpus[i]) > 2 * SECOND);
	/* All but one of the crowd stop: the CPU is soon shared by all. */
	for (uint32_t i = 1; i < 10; i++)
		sched_pause(machine_domain.vcpus[i]);
	machine_run(3 * SECOND);
	for (uint32_t i = 0; i < 3; i++)
		before[i] = machine_run_ns(free_ones[i]);
	machine_run(20 * SECOND);
	for (uint32_t i = 0; i < 3; i++)
		assert_share(free_ones[i], machine_run_ns(free_ones[i]) - before[i],
			     20 * SECOND * 3 / 4);
}

/* One had a CPU for itself for long: it owes nobody for that. */
static void test_no_debt_from_a_lone_run(void **state)
{
	struct vcpu *a, *b;

	(void)state;
	machine_init(1);
	a = machine_vcpu(256, 0, ANY);
	b = machine_vcpu(256, 0, ANY);
	up(a);
	machine_run(100 * SECOND);
	up(b);
	machine_run(SECOND);
	assert_in_range(machine_run_ns(a) - 100 * SECOND, 450 * MS, 550 * MS);
	assert_in_range(machine_run_ns(b), 450 * MS, 550 * MS);
}

/* The current vCPU acts on its CPU. */
static void block(struct vcpu *v)
{
	machine_enter_vcpu(v);
	assert_int_equal(do_block(), 0);
	machine_leave(fake_this_cpu->id);
	machine_settle();
}

static void test_sleeper_is_served(void **state)
{
	uint64_t worst = 0, sum = 0;
	struct vcpu *sleeper;

	(void)state;
	for (uint32_t cpu_number = 1; cpu_number <= 4; cpu_number *= 2) {
		machine_init(cpu_number);
		for (uint32_t i = 0; i < 3 * cpu_number; i++)
			up(machine_vcpu(256, 0, ANY));
		sleeper = machine_vcpu(256, 0, ANY);
		up(sleeper);
		for (uint32_t i = 0; i < 500; i++) {
			uint64_t woken;

			while (!machine_is_running(sleeper))
				machine_run(MS / 10);
			machine_run(MS / 5);
			if (!machine_is_running(sleeper))
				continue;
			block(sleeper);
			machine_run(20 * MS);
			assert_int_equal(sleeper->sched.state, SCHED_BLOCKED);
			woken = fake_clock_ns;
			fake_set_cpu(i % cpu_number);
			sched_wake(sleeper, false);
			machine_settle();
			while (!machine_is_running(sleeper))
				machine_run(MS / 10);
			sum += fake_clock_ns - woken;
			if (fake_clock_ns - woken > worst)
				worst = fake_clock_ns - woken;
		}
		machine_free();
	}
	/* Unless those who run have waited longer. */
	assert_true(worst <= 4 * SCHED_SLICE_NS);
	assert_true(sum / 1500 < MS / 2);
}

/* Runs until it runs, and blocks it. */
static void put_to_sleep(struct vcpu *v)
{
	while (!machine_is_running(v))
		machine_run(MS / 10);
	block(v);
}

/* One has just got the only CPU, another one sleeps. */
static void begin_beside_sleeper(struct vcpu **busy, struct vcpu **sleeper)
{
	machine_init(1);
	*busy = machine_vcpu(256, 0, ANY);
	*sleeper = machine_vcpu(256, 0, ANY);
	up(*sleeper);
	block(*sleeper);
	up(*busy);
	machine_run(SCHED_RUN_LEAST_NS / 2);
}

/* Who has just got the CPU keeps it for a moment from one that is patient; who had it for longer gives it up. */
static void test_just_begun(void **state)
{
	struct vcpu *busy, *sleeper;

	(void)state;
	begin_beside_sleeper(&busy, &sleeper);
	sched_wake(sleeper, true);
	machine_settle();
	assert_true(machine_is_running(busy));
	machine_run(SCHED_RUN_LEAST_NS * 3 / 4);
	assert_true(machine_is_running(sleeper));
	block(sleeper);
	machine_run(2 * SCHED_RUN_LEAST_NS);
	sched_wake(sleeper, true);
	machine_settle();
	assert_true(machine_is_running(sleeper));
}

/* One that is not patient, or not any more, takes it. */
static void test_just_begun_but_late(void **state)
{
	struct vcpu *busy, *sleeper;

	(void)state;
	begin_beside_sleeper(&busy, &sleeper);
	sched_wake(sleeper, false);
	machine_settle();
	assert_true(machine_is_running(sleeper));
	block(sleeper);
	machine_run(SCHED_RUN_LEAST_NS / 2);
	sched_wake(sleeper, true);
	machine_settle();
	sched_wake(sleeper, true);
	machine_settle();
	assert_true(machine_is_running(busy));
	sched_wake(sleeper, false);
	machine_settle();
	assert_true(machine_is_running(sleeper));
}

/* Of two that woke the later one waits until the first has run for longer, not for the end of its slice. */
static void test_two_that_woke(void **state)
{
	struct vcpu *sleepers[2];

	(void)state;
	machine_init(1);
	up(machine_vcpu(256, 0, ANY));
	for (uint32_t i = 0; i < 2; i++)
		up(sleepers[i] = machine_vcpu(256, 0, ANY));
	for (uint32_t i = 0; i < 2; i++)
		put_to_sleep(sleepers[i]);
	machine_run(20 * MS);
	sched_wake(sleepers[0], false);
	machine_settle();
	assert_true(machine_is_running(sleepers[0]));
	machine_run(SCHED_GRANULARITY_NS / 2);
	sched_wake(sleepers[1], false);
	machine_settle();
	assert_true(machine_is_running(sleepers[0]));
	machine_run(SCHED_GRANULARITY_NS * 3 / 4);
	assert_true(machine_is_running(sleepers[1]));
}

/* Nor does one that wants less than its share wait for the slices of those that want more than theirs. */
static void test_light_among_busy(void **state)
{
	uint64_t worst = 0;
	struct vcpu *light;

	(void)state;
	machine_init(1);
	up(machine_vcpu(256, 0, ANY));
	up(machine_vcpu(256, 0, ANY));
	up(light = machine_vcpu(256, 0, ANY));
	for (uint32_t round = 0; round < 500; round++) {
		uint64_t woken;

		put_to_sleep(light);
		machine_run(MS * (round % 7 + 4));
		woken = fake_clock_ns;
		sched_wake(light, false);
		machine_settle();
		while (!machine_is_running(light))
			machine_run(MS / 20);
		if (fake_clock_ns - woken > worst)
			worst = fake_clock_ns - woken;
		machine_run(MS * (round % 3 + 1));
	}
	assert_true(worst <= SCHED_SLICE_NS / 2);
}

/* Many that sleep and wake cannot take more than their share from one that never sleeps. */
static void test_sleepers_do_not_starve(void **state)
{
	struct vcpu *busy, *sleepers[8];

	(void)state;
	machine_init(1);
	busy = machine_vcpu(256, 0, ANY);
	up(busy);
	for (uint32_t i = 0; i < 8; i++)
		up(sleepers[i] = machine_vcpu(256, 0, ANY));
	for (uint32_t round = 0; round < 20000; round++) {
		struct vcpu *v = cpus[0].current;

		machine_run(MS);
		if (v != busy && machine_is_running(v)) {
			block(v);
			machine_run(MS / 100);
		}
		for (uint32_t i = 0; i < 8; i++)
			if (round % 8 == i)
				sched_wake(sleepers[i], false);
		machine_settle();
	}
	assert_true(machine_run_ns(busy) > (fake_clock_ns - SECOND) / 9 * 95 / 100);
}

static void test_pass(void **state)
{
	struct vcpu *a, *b;

	(void)state;
	machine_init(1);
	a = machine_vcpu(256, 0, ANY);
	b = machine_vcpu(256, 0, ANY);
	up(a);
	up(b);
	machine_run(MS);
	for (uint32_t i = 0; i < 100; i++) {
		struct vcpu *v = cpus[0].current;

		machine_run(MS / 100);
		if (cpus[0].current != v)
			continue;
		machine_enter(0);
		assert_int_equal(do_yield(), 0);
		machine_leave(0);
		assert_ptr_not_equal(cpus[0].current, v);
	}
	machine_run(SECOND);
	assert_in_range(machine_run_ns(a), machine_run_ns(b) - 20 * MS,
			machine_run_ns(b) + 20 * MS);
}

static uint32_t calls;

static void called(uint32_t id)
{
	assert_false(spin_is_locked(&cpus[id].queue.lock));
	calls++;
}

/* Who is called takes the lock at once, and what it is called for is not taken from it. */
static void test_woken_runs_where_it_was(void **state)
{
	struct vcpu *v;

	(void)state;
	machine_init(2);
	v = machine_vcpu(256, 0, ANY);
	up(v);
	machine_run(MS);
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t id = v->sched.cpu->id;

		assert_ptr_equal(cpus[id].current, v);
		machine_enter(id);
		assert_true(sched_block());
		machine_leave(id);
		assert_null(cpus[id].current);

		fake_set_cpu(1 - id);
		fake_interrupt_hook = called;
		calls = 0;
		sched_wake(v, false);
		fake_interrupt_hook = NULL;
		assert_int_equal(calls, 1);
		assert_false(sched_steal(&cpus[1 - id]));
		machine_settle();
		assert_int_equal(v->sched.cpu->id, id);
	}
}

static void test_pause(void **state)
{
	struct vcpu *a, *b;

	(void)state;
	machine_init(2);
	a = machine_vcpu(256, 0, ANY);
	b = machine_vcpu(256, 0, ANY);
	up(a);
	up(b);
	machine_run(MS);
	assert_true(machine_is_running(a) && machine_is_running(b));
	/* They pause each other at once: neither waits for the other. */
	machine_enter_vcpu(a);
	machine_enter_vcpu(b);
	machine_enter_vcpu(a);
	sched_pause(b);
	fake_set_cpu(b->sched.cpu->id);
	sched_pause(a);
	assert_false(sched_is_off_cpu(a));
	assert_false(sched_is_off_cpu(b));
	machine_settle();
	assert_true(sched_is_off_cpu(a) && sched_is_off_cpu(b));
	assert_null(cpus[0].current);
	assert_null(cpus[1].current);
	sched_wake(a, false);
	sched_up(b);
	machine_run(SECOND);
	assert_true(sched_is_off_cpu(a) && sched_is_off_cpu(b));
	sched_unpause(a);
	sched_unpause(b);
	machine_settle();
	assert_true(machine_is_running(a) && machine_is_running(b));
}

/* --- Random lives ------------------------------------------------------------------------ */

static uint64_t seed;

static void check_everything(void)
{
	assert_true(machine_is_work_conserving());
	for (uint32_t i = 0; i < machine_domain.vcpu_count; i++) {
		const struct vcpu *v = machine_domain.vcpus[i];
		const struct sched_entity *s = &v->sched;
		bool current = s->cpu->current == v;

		assert_int_equal(current, s->on_cpu);
		assert_int_equal(current, s->state == SCHED_RUNNING);
		assert_int_equal(list_linked(&s->link),
				 s->state == SCHED_RUNNABLE && !s->pause && !s->parked);
		assert_false(s->state == SCHED_BLOCKED && (s->kicked || interrupt_pending(v)));
		assert_false(s->state == SCHED_RUNNING && s->pause);
		assert_true(!current || (s->affinity & bitmap_mask(s->cpu->id)));
	}
}

static void random_act(struct vcpu *v)
{
	struct vcpu *other = machine_domain.vcpus[unit_random(&seed) % machine_domain.vcpu_count];
	uint64_t mask = unit_random(&seed) & (bitmap_mask(cpu_count) - 1);

	switch (unit_random(&seed) % 12) {
	case 0:
	case 1:
	case 2:
		do_block();
		break;
	case 3:
		do_poll(fake_clock_ns + unit_random(&seed) % (20 * MS));
		break;
	case 4:
		do_set_timer(fake_clock_ns + unit_random(&seed) % (20 * MS));
		break;
	case 5:
		do_yield();
		break;
	case 6:
		do_kick(other->id);
		break;
	case 7:
		sched_set_affinity(other, mask ? mask : 1);
		break;
	case 8:
		sched_pause(other);
		break;
	case 9:
		sched_unpause(other);
		break;
	case 10:
		if (do_vcpu_up(other->id) && v->id)
			do_vcpu_down();
		break;
	default:
		do_send_ipi(32 + unit_random(&seed) % 224, 1ULL << other->id);
	}
}

static void random_lives(uint32_t cpu_number, uint32_t count)
{
	machine_init(cpu_number);
	for (uint32_t i = 0; i < count; i++)
		up(machine_vcpu(1 + (uint32_t)(unit_random(&seed) % 1000), i % 3 ? 0 : 40, ANY));
	for (uint32_t i = 0; i < 60000; i++) {
		uint32_t id = (uint32_t)(unit_random(&seed) % cpu_number);
		struct vcpu *v = cpus[id].current;

		/* Nobody is down or paused for long. */
		fake_set_cpu(id);
		sched_unpause(machine_domain.vcpus[i % count]);
		sched_up(machine_domain.vcpus[unit_random(&seed) % count]);
		if (v) {
			machine_enter(id);
			random_act(v);
			machine_leave(id);
		} else {
			machine_domain.vcpus[0]->page->interrupt_flag = RF_INTERRUPT_FLAG;
			fake_set_cpu(id);
			interrupt_post(machine_domain.vcpus[0], 200);
		}
		machine_settle();
		check_everything();
		machine_run(unit_random(&seed) % (3 * MS));
		check_everything();
	}
	machine_free();
}

static void test_random_lives(void **state)
{
	(void)state;
	seed = 0x1234567;
	random_lives(1, 5);
	random_lives(2, 7);
	random_lives(4, 3);
	random_lives(4, 20);
}

/* --- CPUs as threads --------------------------------------------------------------------- */

#define THREADS	      4
#define MOST_PARTNERS 10 /* vCPUs that pass a vector to and fro, in pairs */
#define ROUNDS	      4000

static uint32_t rounds[MOST_PARTNERS];
static uint32_t partners; /* how many: more than CPUs, or so few that some are idle */
static bool stop_threads;

static void thread_clock(void)
{
	__atomic_fetch_add(&fake_clock_ns, 3000, __ATOMIC_RELAXED);
}

static void thread_idle(void)
{
	struct cpu *cpu = fake_this_cpu;

	while (!__atomic_exchange_n(&cpu->arch.interrupted, false, __ATOMIC_SEQ_CST)) {
		if (__atomic_load_n(&stop_threads, __ATOMIC_RELAXED))
			pthread_exit(NULL);
		thread_clock();
		if (cpu->arch.timer <= arch_time_ns())
			break;
		arch_cpu_relax();
	}
	if (cpu->arch.timer <= arch_time_ns())
		timer_interrupt();
}

/* Switching takes long, now and then: others come in between. */
static void thread_switch(void)
{
	static _Thread_local uint64_t random = 99;

	for (uint64_t i = unit_random(&random) % 4; i > 0; i--)
		arch_cpu_relax();
}

/* What a guest does between two entries: hands the ball on if it has it, else waits for it. */
static void partner_act(struct vcpu *v, uint64_t *random)
{
	struct vcpu *other = machine_domain.vcpus[v->id ^ 1];

	if (v->arch.delivered > rounds[v->id]) {
		rounds[v->id]++;
		v->page->interrupt_flag = RF_INTERRUPT_FLAG;
		do_send_ipi(100, 1ULL << other->id);
	} else if (unit_random(random) % 4 == 0) {
		do_yield();
	} else if (unit_random(random) % 4 == 0) {
		do_poll(unit_random(random) % 2 ? ~0ULL : arch_time_ns() + 100000);
	} else {
		do_block();
	}
}

static void *thread_cpu(void *argument)
{
	uint32_t id = (uint32_t)(uintptr_t)argument;
	struct cpu *cpu = &cpus[id];
	uint64_t random = id + 77;

	fake_set_cpu(id);
	while (!__atomic_load_n(&stop_threads, __ATOMIC_RELAXED)) {
		thread_clock();
		vcpu_prepare_exit();
		tlb_enter_hypervisor();
		__atomic_store_n(&cpu->arch.interrupted, false, __ATOMIC_SEQ_CST);
		if (cpu->arch.timer <= arch_time_ns())
			timer_interrupt();
		if (cpu->current)
			partner_act(cpu->current, &random);
	}
	return NULL;
}

static uint32_t least_rounds(void)
{
	uint32_t least = ~0U;

	for (uint32_t i = 0; i < partners; i++) {
		uint32_t done = __atomic_load_n(&rounds[i], __ATOMIC_RELAXED);

		if (done < least)
			least = done;
	}
	return least;
}

/* A lost wake-up leaves a pair asleep for ever; two CPUs in one vCPU end in a panic. */
static void run_threads(void)
{
	pthread_t threads[THREADS];
	uint32_t last = 0;

	machine_init(THREADS);
	fake_idle_hook = thread_idle;
	machine_switch_hook = thread_switch;
	stop_threads = false;
	memset(rounds, 0, sizeof(rounds));
	for (uint32_t i = 0; i < partners; i++)
		sched_up(machine_vcpu(256, i == 3 ? 50 : 0, i == 4 ? 5 : ANY));
	for (uint32_t i = 0; i < partners; i += 2)
		interrupt_post(machine_domain.vcpus[i], 100);
	for (uint32_t i = 0; i < partners; i++)
		machine_domain.vcpus[i]->page->interrupt_flag = RF_INTERRUPT_FLAG;
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, thread_cpu, (void *)i);
	for (uint32_t stalled = 0; last < ROUNDS && stalled < 100; stalled++) {
		struct timespec wait = { 0, 100000000 };

		nanosleep(&wait, NULL);
		if (least_rounds() > last)
			stalled = 0;
		last = least_rounds();
	}
	__atomic_store_n(&stop_threads, true, __ATOMIC_RELAXED);
	for (uint32_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_true(last >= ROUNDS);
	machine_free();
}

static void test_threads(void **state)
{
	(void)state;
	partners = MOST_PARTNERS;
	run_threads();
	partners = THREADS;
	run_threads();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_weights, teardown),
		cmocka_unit_test_teardown(test_odd_numbers, teardown),
		cmocka_unit_test_teardown(test_one_per_cpu_is_tickless, teardown),
		cmocka_unit_test_teardown(test_caps, teardown),
		cmocka_unit_test_teardown(test_cap_above_share, teardown),
		cmocka_unit_test_teardown(test_affinity, teardown),
		cmocka_unit_test_teardown(test_pinned_crowd, teardown),
		cmocka_unit_test_teardown(test_no_debt_from_a_lone_run, teardown),
		cmocka_unit_test_teardown(test_sleeper_is_served, teardown),
		cmocka_unit_test_teardown(test_just_begun, teardown),
		cmocka_unit_test_teardown(test_just_begun_but_late, teardown),
		cmocka_unit_test_teardown(test_two_that_woke, teardown),
		cmocka_unit_test_teardown(test_light_among_busy, teardown),
		cmocka_unit_test_teardown(test_sleepers_do_not_starve, teardown),
		cmocka_unit_test_teardown(test_pass, teardown),
		cmocka_unit_test_teardown(test_woken_runs_where_it_was, teardown),
		cmocka_unit_test_teardown(test_pause, teardown),
		cmocka_unit_test_teardown(test_random_lives, teardown),
		cmocka_unit_test_teardown(test_threads, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
