// SPDX-License-Identifier: BSD-2-Clause
/* Paths of the store: which are refused, where a relative one is, the names and the folder of each. */
#include "unit.h"

#include "toolstack/store/path.h"

static int resolve(const char *given, unsigned int domain, bool special, const char *expected)
{
	char out[PATH_SIZE];
	size_t prefix = 99;
	int error = path_resolve(out, given, domain, special, &prefix);

	if (!error)
		assert_string_equal(out, expected);
	if (!error)
		assert_int_equal(prefix, strlen(out) - strlen(given));
	return error;
}

static void test_resolve(void **state)
{
	(void)state;
	assert_int_equal(resolve("/", 0, false, "/"), 0);
	assert_int_equal(resolve("/a/b-_@0Z", 0, false, "/a/b-_@0Z"), 0);
	assert_int_equal(resolve("x/y", 3, false, "/local/domain/3/x/y"), 0);
	assert_int_equal(resolve("x", 65535, false, "/local/domain/65535/x"), 0);
	assert_int_equal(resolve("@releaseDomain", 3, true, "@releaseDomain"), 0);
	assert_int_equal(resolve("@any", 3, true, "@any"), 0);
}

static void test_refused(void **state)
{
	static const char *const bad[] = { "",	  "//",	   "/a/",  "/a//b", "a/",  "/a b", "/a.b",
					   "/\n", "/\xff", "a//b", "/a*",   "//a", "/a:",  "/%s" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(resolve(bad[i], 1, true, ""), EINVAL);
	assert_int_equal(resolve("@releaseDomain", 0, false, ""), EINVAL);
	assert_int_equal(resolve("@releaseDomain/a", 0, true, ""), EINVAL);
	assert_int_equal(resolve("@a b", 0, true, ""), EINVAL);
}

static void test_lengths(void **state)
{
	char path[PATH_SIZE + 2];

	(void)state;
	memset(path, 'a', sizeof(path));
	path[WIRE_RELATIVE_MAX + 1] = 0;
	assert_int_equal(path_resolve((char[PATH_SIZE]){ 0 }, path, 1, false, NULL), EINVAL);
	path[WIRE_RELATIVE_MAX] = 0;
	assert_int_equal(path_resolve((char[PATH_SIZE]){ 0 }, path, 1, false, NULL), 0);
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[WIRE_PATH_MAX + 1] = 0;
	assert_int_equal(path_resolve((char[PATH_SIZE]){ 0 }, path, 1, false, NULL), EINVAL);
	path[WIRE_PATH_MAX] = 0;
	assert_int_equal(path_resolve((char[PATH_SIZE]){ 0 }, path, 1, false, NULL), 0);
}

static void test_parent(void **state)
{
	char out[PATH_SIZE];

	(void)state;
	assert_true(path_parent(out, "/a/b/c"));
	assert_string_equal(out, "/a/b");
	assert_true(path_parent(out, out));
	assert_string_equal(out, "/a");
	assert_true(path_parent(out, out));
	assert_string_equal(out, "/");
	assert_false(path_parent(out, out));
	assert_false(path_parent(out, "@releaseDomain"));
}

static void assert_next(const char **cursor, const char *expected)
{
	size_t length;
	const char *name = path_next(cursor, &length);

	assert_non_null(name);
	assert_int_equal(length, strlen(expected));
	assert_memory_equal(name, expected, length);
}

static void test_depth(void **state)
{
	(void)state;
	assert_int_equal(path_depth("/"), 0);
	assert_int_equal(path_depth("/a"), 1);
	assert_int_equal(path_depth("/a/bc/d"), 3);
	assert_int_equal(path_depth("@releaseDomain"), 0);
}

static void test_names(void **state)
{
	const char *cursor = "/a/bc";
	size_t length;

	(void)state;
	assert_next(&cursor, "");
	assert_next(&cursor, "a");
	assert_next(&cursor, "bc");
	assert_null(path_next(&cursor, &length));
	cursor = "@releaseDomain";
	assert_next(&cursor, "@releaseDomain");
	assert_null(path_next(&cursor, &length));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolve), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_lengths), cmocka_unit_test(test_parent),
		cmocka_unit_test(test_names),	cmocka_unit_test(test_depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
