// SPDX-License-Identifier: BSD-2-Clause
/*
 * Timers: order, absurd deadlines, the bound of an interrupt, functions that start and stop
 * timers, and starting and stopping from many CPUs at once.
 */
#include "unit.h"

#include <pthread.h>

#include "cpu.h"
#include "fake_arch.h"
#include "timer.h"

#define TIMERS 200

struct shot {
	struct timer timer;
	uint32_t number;
	uint32_t fired;
};

static struct shot shots[TIMERS];
static uint32_t order[TIMERS * 2];
static uint32_t fired;

static void fire(struct timer *timer)
{
	struct shot *shot = list_entry(timer, struct shot, timer);

	assert_false(timer_active(timer));
	shot->fired++;
	if (fired < TIMERS * 2)
		order[fired] = shot->number;
	fired++;
}

static void start_over(uint32_t cpu_number)
{
	fake_arch_init(16, cpu_number);
	for (uint32_t i = 0; i < cpu_number; i++)
		timer_queue_init(&cpus[i].timers);
	for (uint32_t i = 0; i < TIMERS; i++) {
		timer_init(&shots[i].timer, fire);
		shots[i].number = i;
		shots[i].fired = 0;
	}
	fired = 0;
}

static int setup(void **state)
{
	(void)state;
	start_over(4);
	return 0;
}

static void at(uint64_t now)
{
	fake_clock_ns = now;
	timer_interrupt();
}

static void test_order(void **state)
{
	uint64_t seed = 5, last = 0, base = fake_clock_ns;

	(void)state;
	for (uint32_t i = 0; i < TIMERS; i++)
		timer_start(&shots[i].timer, base + 1 + unit_random(&seed) % 100);
	for (uint64_t now = base; fired < TIMERS; now++)
		at(now);
	for (uint32_t i = 0; i < TIMERS; i++) {
		const struct shot *shot = &shots[order[i]];

		assert_true(shot->timer.deadline >= last);
		/* Equal ones in the order they were started. */
		if (i && shot->timer.deadline == last)
			assert_true(order[i] > order[i - 1]);
		last = shot->timer.deadline;
		assert_int_equal(shot->fired, 1);
	}
	assert_int_equal(cpus[0].arch.timer, TIMER_NEVER);
}

static void test_programs_the_first(void **state)
{
	(void)state;
	timer_start(&shots[0].timer, fake_clock_ns + 500);
	assert_int_equal(cpus[0].arch.timer, fake_clock_ns + 500);
	timer_start(&shots[1].timer, fake_clock_ns + 900);
	assert_int_equal(cpus[0].arch.timer, fake_clock_ns + 500);
	timer_start(&shots[2].timer, fake_clock_ns + 100);
	assert_int_equal(cpus[0].arch.timer, fake_clock_ns + 100);
	at(fake_clock_ns + 100);
	assert_int_equal(fired, 1);
	assert_int_equal(cpus[0].arch.timer, fake_clock_ns + 400);
	/* An interrupt that comes too early, or for one that was stopped. */
	timer_stop(&shots[0].timer);
	at(fake_clock_ns + 400);
	assert_int_equal(fired, 1);
	assert_int_equal(cpus[0].arch.timer, fake_clock_ns + 400);
	at(fake_clock_ns + 400);
	assert_int_equal(order[1], 1);
}

static void test_absurd_deadlines(void **state)
{
	uint64_t now = fake_clock_ns;

	(void)state;
	timer_start(&shots[4].timer, TIMER_NEVER);
	assert_false(timer_active(&shots[4].timer));
	assert_int_equal(cpus[0].arch.timer, TIMER_NEVER);
	timer_start(&shots[0].timer, TIMER_NEVER - 1);
	timer_start(&shots[1].timer, 1ULL << 63);
	timer_start(&shots[2].timer, now - 1);
	timer_start(&shots[3].timer, 0);
	assert_true(cpus[0].arch.timer <= now);
	at(now);
	assert_int_equal(fired, 2);
	assert_int_equal(order[0], 3);
	assert_int_equal(order[1], 2);
	assert_int_equal(cpus[0].arch.timer, 1ULL << 63);
	at((1ULL << 63) - 1);
	assert_int_equal(fired, 2);
	at(1ULL << 63);
	assert_int_equal(fired, 3);
	at(TIMER_NEVER - 1);
	assert_int_equal(fired, 4);
	assert_int_equal(cpus[0].arch.timer, TIMER_NEVER);
	at(TIMER_NEVER);
	assert_int_equal(shots[4].fired, 0);
}

static void test_bound(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < TIMERS; i++)
		timer_start(&shots[i].timer, i);
	for (uint32_t done = 0; done < TIMERS; done = fired) {
		timer_interrupt();
		assert_true(fired - done <= TIMER_BUDGET);
		assert_int_equal(cpus[0].arch.timer, fired < TIMERS ? 0 : TIMER_NEVER);
	}
	assert_int_equal(fired, TIMERS);
}

static void test_restart_and_stop(void **state)
{
	uint64_t now = fake_clock_ns;

	(void)state;
	timer_start(&shots[0].timer, now + 10);
	timer_start(&shots[0].timer, now + 20);
	timer_start(&shots[1].timer, now + 15);
	timer_stop(&shots[1].timer);
	timer_stop(&shots[1].timer);
	timer_stop(&shots[2].timer);
	at(now + 19);
	assert_int_equal(fired, 0);
	at(now + 20);
	assert_int_equal(fired, 1);
	timer_start(&shots[1].timer, now + 30);
	timer_start(&shots[1].timer, TIMER_NEVER);
	at(now + 40);
	assert_int_equal(fired, 1);
}

static void test_moves_to_the_cpu_that_starts_it(void **state)
{
	uint64_t now = fake_clock_ns;

	(void)state;
	timer_start(&shots[0].timer, now + 10);
	fake_set_cpu(2);
	timer_start(&shots[0].timer, now + 20);
	assert_int_equal(cpus[2].arch.timer, now + 20);
	fake_set_cpu(0);
	at(now + 30);
	assert_int_equal(fired, 0);
	fake_set_cpu(2);
	at(now + 30);
	assert_int_equal(fired, 1);
	/* Stopped from afar. */
	timer_start(&shots[0].timer, now + 40);
	fake_set_cpu(1);
	timer_stop(&shots[0].timer);
	fake_set_cpu(2);
	at(now + 50);
	assert_int_equal(fired, 1);
}

static void fire_again(struct timer *timer)
{
	fire(timer);
	timer_start(timer, fake_clock_ns + 10);
}

static void fire_and_stop_others(struct timer *timer)
{
	fire(timer);
	timer_stop(timer);
	timer_stop(&shots[1].timer);
	timer_start(&shots[2].timer, 0);
}

static void test_functions_use_timers(void **state)
{
	uint64_t now = fake_clock_ns;

	(void)state;
	timer_init(&shots[3].timer, fire_again);
	timer_start(&shots[3].timer, now);
	for (uint32_t i = 0; i < 10; i++) {
		at(now + 10 * i);
		assert_int_equal(shots[3].fired, i + 1);
		assert_int_equal(cpus[0].arch.timer, now + 10 * i + 10);
	}
	timer_stop(&shots[3].timer);

	fired = 0;
	timer_init(&shots[0].timer, fire_and_stop_others);
	timer_start(&shots[0].timer, 1);
	timer_start(&shots[1].timer, 1);
	timer_interrupt();
	assert_int_equal(shots[0].fired, 1);
	assert_int_equal(shots[1].fired, 0);
	assert_int_equal(shots[2].fired, 1);
}

/* --- CPUs as threads --------------------------------------------------------------------- */

#define THREADS 4
#define SHARED	8
#define STEPS	40000

static struct {
	struct timer timer;
	uint32_t inside; /* CPUs in the function */
} shared[SHARED];

static bool stop_firing;

static void fire_shared(struct timer *timer)
{
	uint32_t i = (uint32_t)(((char *)timer - (char *)&shared[0]) / sizeof(shared[0]));

	__atomic_fetch_add(&shared[i].inside, 1, __ATOMIC_SEQ_CST);
	arch_cpu_relax();
	__atomic_fetch_sub(&shared[i].inside, 1, __ATOMIC_SEQ_CST);
}

/* All start, stop and expire the same few. */
static void *thread_cpu(void *argument)
{
	uint32_t id = (uint32_t)(uintptr_t)argument;
	uint64_t random = id + 1;

	fake_set_cpu(id);
	for (uint32_t step = 0; step < STEPS; step++) {
		uint64_t choice = unit_random(&random);
		uint32_t i = choice / 8 % SHARED;

		__atomic_fetch_add(&fake_clock_ns, 10, __ATOMIC_RELAXED);
		if (choice % 4 == 0) {
			timer_interrupt();
		} else if (choice % 4 == 1) {
			timer_stop(&shared[i].timer);
		} else {
			timer_start(&shared[i].timer, arch_time_ns() + choice % 100);
		}
	}
	return NULL;
}

static void test_threads(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	for (uint32_t i = 0; i < SHARED; i++)
		timer_init(&shared[i].timer, fire_shared);
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, thread_cpu, (void *)i);
	for (uint32_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	fake_clock_ns = 1ULL << 62;
	for (uint32_t i = 0; i < THREADS; i++) {
		fake_set_cpu(i);
		timer_interrupt();
		assert_true(list_empty(&cpus[i].timers.head));
	}
	for (uint32_t i = 0; i < SHARED; i++) {
		assert_false(timer_active(&shared[i].timer));
		assert_int_equal(shared[i].timer.running, 0);
	}
}

/* One CPU fires it over and over; the other stops it and then finds nobody in its function. */
static void *thread_fire(void *argument)
{
	(void)argument;
	fake_set_cpu(1);
	while (!__atomic_load_n(&stop_firing, __ATOMIC_RELAXED))
		timer_interrupt();
	return NULL;
}

static void test_stop_waits(void **state)
{
	uint32_t violations = 0;
	pthread_t thread;

	(void)state;
	timer_init(&shared[0].timer, fire_shared);
	stop_firing = false;
	fake_set_cpu(1);
	pthread_create(&thread, NULL, thread_fire, NULL);
	for (uint32_t i = 0; i < STEPS; i++) {
		/* As the other CPU would start it: this one only borrows its name. */
		fake_set_cpu(1);
		timer_start(&shared[0].timer, 0);
		fake_set_cpu(0);
		if (i % 3)
			arch_cpu_relax();
		timer_stop(&shared[0].timer);
		violations += __atomic_load_n(&shared[0].inside, __ATOMIC_SEQ_CST);
	}
	__atomic_store_n(&stop_firing, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	assert_int_equal(violations, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_order, setup),
		cmocka_unit_test_setup(test_programs_the_first, setup),
		cmocka_unit_test_setup(test_absurd_deadlines, setup),
		cmocka_unit_test_setup(test_bound, setup),
		cmocka_unit_test_setup(test_restart_and_stop, setup),
		cmocka_unit_test_setup(test_moves_to_the_cpu_that_starts_it, setup),
		cmocka_unit_test_setup(test_functions_use_timers, setup),
		cmocka_unit_test_setup(test_threads, setup),
		cmocka_unit_test_setup(test_stop_waits, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
