// SPDX-License-Identifier: BSD-2-Clause
/* Permissions of the store: every kind of domain on every kind of list, and how they are written. */
#include "unit.h"

#include "toolstack/store/permission.h"

#define R PERMISSION_READ
#define W PERMISSION_WRITE

static const struct permission list[] = { { 1, R }, { 2, 0 }, { 3, R | W }, { 4, W } };

static unsigned int access_of(uint32_t domain, uint32_t target)
{
	return permission_access(list, 4, domain, target);
}

static void test_access(void **state)
{
	(void)state;
	assert_int_equal(access_of(0, PERMISSION_NOBODY), PERMISSION_ALL);
	assert_int_equal(access_of(1, PERMISSION_NOBODY), PERMISSION_ALL);
	assert_int_equal(access_of(2, PERMISSION_NOBODY), 0);
	assert_int_equal(access_of(3, PERMISSION_NOBODY), R | W);
	assert_int_equal(access_of(4, PERMISSION_NOBODY), W);
	assert_int_equal(access_of(5, PERMISSION_NOBODY), R);
	assert_int_equal(permission_access(list, 0, 5, PERMISSION_NOBODY), 0);
}

static void test_target(void **state)
{
	(void)state;
	assert_int_equal(access_of(9, 1), PERMISSION_ALL);
	assert_int_equal(access_of(9, 3), R | W);
	assert_int_equal(access_of(9, 2), 0);
	/* The first entry that fits counts. */
	assert_int_equal(access_of(4, 3), R | W);
}

static void test_text(void **state)
{
	static const char text[] = "r1\0n2\0b3\0w4";
	struct permission parsed[4];
	char printed[64];

	(void)state;
	assert_int_equal(permission_parse(text, sizeof(text), parsed, 4), 4);
	assert_memory_equal(parsed, list, sizeof(list));
	assert_int_equal(permission_print(parsed, 4, printed), sizeof(text));
	assert_memory_equal(printed, text, sizeof(text));
}

static void assert_bad(const char *text, size_t length)
{
	struct permission parsed[4];

	assert_int_equal(permission_parse(text, length, parsed, 4), 0);
}

static void test_bad_text(void **state)
{
	static const char many[] = "r1\0r1\0r1\0r1\0r1";
	static const char gap[] = "r1\0\0r2";

	(void)state;
	assert_bad("", 0);
	assert_bad("", 1);
	assert_bad("r1", 2);
	assert_bad("x1", 3);
	assert_bad("r", 2);
	assert_bad("r-1", 4);
	assert_bad("r1 ", 4);
	assert_bad("r65536", 7);
	assert_bad("r000001", 8);
	assert_bad(many, sizeof(many));
	assert_bad(gap, sizeof(gap));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_access),
		cmocka_unit_test(test_target),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_bad_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
