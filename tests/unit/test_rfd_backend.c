// SPDX-License-Identifier: BSD-2-Clause
/* Back ends that are gone: started again at once, later each time if they do not last, and never given up. */
#include "unit.h"

#include <string.h>

#include "toolstack/rfd/backend.h"

static const struct device_class class = { .name = "net", .program = "rf-net" };
static const struct device_class other = { .name = "block", .program = "rf-block" };
static struct backend_table table;
static uint64_t now;

static int setup(void **state)
{
	(void)state;
	memset(&table, 0, sizeof(table));
	now = 1000000;
	return 0;
}

static struct device_folders device(uint32_t domain, unsigned id)
{
	return (struct device_folders){ .class = &class, .domain = domain, .id = id };
}

/* How long it takes until it is to be started, which is done then; looked at as often as the daemon does. */
static uint64_t wait_for(const struct device_folders *f, uint64_t serial)
{
	uint64_t start = now;

	while (!backend_gone(&table, f, serial, now))
		now += 500;
	backend_started(&table, f, now);
	return now - start;
}

static void live(const struct device_folders *f, uint64_t milliseconds)
{
	uint64_t end = now + milliseconds;

	for (; now < end; now += 500)
		backend_seen(&table, f, now);
	backend_seen(&table, f, now);
}

static void one_that_does_not_last_waits_longer_each_time(void **state)
{
	static const uint64_t seconds[] = { 0, 2, 4, 8, 16, 32, 64, 64, 64 };
	const struct device_folders f = device(3, 0);

	(void)state;
	for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
		assert_int_equal(wait_for(&f, 7), seconds[i] * 1000);
		now += 2000;
	}
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(wait_for(&f, 7), 64000);
}

static void one_that_lasted_is_started_at_once(void **state)
{
	const struct device_folders f = device(3, 0);

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(wait_for(&f, 7), 0);
		live(&f, BACKEND_QUICK_MS);
	}
	/* It did not last, then it did. */
	wait_for(&f, 7);
	assert_int_equal(wait_for(&f, 7), 2000);
	assert_int_equal(wait_for(&f, 7), 4000);
	live(&f, BACKEND_QUICK_MS);
	assert_int_equal(wait_for(&f, 7), 0);
	assert_int_equal(wait_for(&f, 7), 2000);
}

static void others_are_others(void **state)
{
	const struct device_folders f = device(3, 0), g = device(3, 1), h = device(4, 0);
	struct device_folders i = device(3, 0);

	(void)state;
	i.class = &other;
	wait_for(&f, 7);
	assert_int_equal(wait_for(&f, 7), 2000);
	assert_int_equal(wait_for(&g, 7), 0);
	assert_int_equal(wait_for(&h, 7), 0);
	assert_int_equal(wait_for(&i, 7), 0);
	/* The number is another domain's now. */
	assert_int_equal(wait_for(&f, 8), 0);
	assert_int_equal(wait_for(&f, 8), 2000);
}

/* More than are remembered: each is started nevertheless. */
static void many_are_forgotten(void **state)
{
	const struct device_folders first = device(1, 0);

	(void)state;
	wait_for(&first, 1);
	for (unsigned i = 0; i < 10 * BACKENDS; i++) {
		const struct device_folders f = device(2, i);

		now++;
		assert_int_equal(wait_for(&f, 1), 0);
	}
	assert_int_equal(wait_for(&first, 1), 0);
}

static json_int_t field(const struct device_folders *f, bool runs, const char *name)
{
	json_t *row = backend_describe(&table, f, runs, now);
	json_t *value = json_object_get(row, name);
	json_int_t number = value ? json_integer_value(value) : -1;

	json_decref(row);
	return number;
}

static void it_is_told(void **state)
{
	const struct device_folders f = device(3, 0);
	json_t *row = backend_describe(&table, &f, true, now);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(row, "name")), "rf-net 3/0");
	assert_true(json_is_true(json_object_get(row, "running")));
	json_decref(row);
	assert_int_equal(field(&f, true, "starts"), 0);
	wait_for(&f, 7);
	wait_for(&f, 7);
	assert_int_equal(field(&f, true, "starts"), 2);
	assert_int_equal(field(&f, true, "wait"), -1);
	assert_false(backend_gone(&table, &f, 7, now));
	assert_int_equal(field(&f, false, "wait"), 4);
	now += 3500;
	assert_int_equal(field(&f, false, "wait"), 1);
	assert_int_equal(field(&f, false, "domain"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_that_does_not_last_waits_longer_each_time, setup),
		cmocka_unit_test_setup(one_that_lasted_is_started_at_once, setup),
		cmocka_unit_test_setup(others_are_others, setup),
		cmocka_unit_test_setup(many_are_forgotten, setup),
		cmocka_unit_test_setup(it_is_told, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
