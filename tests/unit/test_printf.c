// SPDX-License-Identifier: BSD-2-Clause
/* Our formatting against the host's, at every buffer size from nothing to enough. */
#include "unit.h"

#include "printf.h"

#pragma GCC diagnostic ignored "-Wformat-truncation"

static int ours(char *buffer, size_t size, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = format_string(buffer, size, format, arguments);
	va_end(arguments);
	return length;
}

static int theirs(char *buffer, size_t size, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(buffer, size, format, arguments);
	va_end(arguments);
	return length;
}

#define SAME(...)                                                                                  \
	do {                                                                                       \
		char expected[256];                                                                \
		int length = theirs(expected, sizeof(expected), __VA_ARGS__);                      \
                                                                                                   \
		for (size_t size = 0; size <= (size_t)length + 2; size++) {                        \
			char *buffer = malloc(size);                                               \
                                                                                                   \
			assert_int_equal(ours(buffer, size, __VA_ARGS__), length);                 \
			theirs(expected, size, __VA_ARGS__);                                       \
			if (size)                                                                  \
				assert_string_equal(buffer, expected);                             \
			free(buffer);                                                              \
		}                                                                                  \
	} while (0)

static void test_integers(void **state)
{
	static const int64_t values[] = { 0,	     1,		-1,	   9,	      10,
					  255,	     -128,	32768,	   INT32_MAX, INT32_MIN,
					  INT64_MAX, INT64_MIN, 0x1234567, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		int64_t v = values[i];

		SAME("%d %i %u %x %X %o", (int)v, (int)v, (int)v, (int)v, (int)v, (int)v);
		SAME("%ld %lu %lx %lld %llu %llx", v, v, v, (long long)v, (long long)v,
		     (long long)v);
		SAME("%hd %hu %hhd %hhu %hhx", (short)v, (short)v, (char)v, (char)v, (char)v);
		SAME("%zu %zd %jd %td %zx", (size_t)v, v, v, v, v);
		SAME("[%5d] [%-5d] [%05d] [%+d] [% d] [%+05d]", (int)v, (int)v, (int)v, (int)v,
		     (int)v, (int)v);
		SAME("[%#x] [%#lx] [%#010x] [%-#10x] [%02x] [%016lx]", (int)v, v, (int)v, (int)v,
		     (int)v, v);
		SAME("[%.3d] [%8.3d] [%-8.3d] [%.0d] [%.0x] [%.*d]", (int)v, (int)v, (int)v, (int)v,
		     (int)v, 4, (int)v);
		SAME("[%*d] [%*d] [%.*d]", 7, (int)v, -7, (int)v, -1, (int)v);
	}
}

static void test_texts(void **state)
{
	char open[3] = { 'a', 'b', 'c' };

	(void)state;
	SAME("plain");
	SAME("");
	SAME("100%% of %s", "it");
	SAME("[%s] [%10s] [%-10s] [%.2s] [%5.1s]", "text", "text", "text", "text", "text");
	SAME("[%c] [%3c] [%-3c]", 'x', 'y', 'z');
	/* A precision is also a promise not to look further. */
	SAME("%.3s", open);
	SAME("%.*s|%.*s", 2, open, 0, open);
}

/* What we do on purpose and C leaves open. */
static void test_own_rules(void **state)
{
	char buffer[64];
	char huge[1200];
	const char *volatile odd = "a%y%";
	const char *volatile null = NULL;

	(void)state;
	assert_int_equal(ours(buffer, sizeof(buffer), "%s", null), 6);
	assert_string_equal(buffer, "(null)");
	ours(buffer, sizeof(buffer), "%p", (void *)0xffff800000100000);
	assert_string_equal(buffer, "ffff800000100000");
	ours(buffer, sizeof(buffer), "%p", NULL);
	assert_string_equal(buffer, "0000000000000000");
	assert_int_equal(ours(huge, sizeof(huge), "%99999999999d", 1), 1000);
	assert_int_equal(ours(huge, sizeof(huge), "%.99999999999d", 1), 1000);
	assert_int_equal(ours(huge, sizeof(huge), "%*d", INT32_MIN, 1), 1000);
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	assert_int_equal(ours(buffer, sizeof(buffer), odd, 1), 4);
	assert_string_equal(buffer, "a%y%");
}

int lib_snprintf(char *buffer, size_t size, const char *format, ...);

static void test_snprintf(void **state)
{
	char buffer[8];

	(void)state;
	assert_int_equal(lib_snprintf(buffer, sizeof(buffer), "%s=%d", "number", 12), 9);
	assert_string_equal(buffer, "number=");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_own_rules),
		cmocka_unit_test(test_snprintf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
