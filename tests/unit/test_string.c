// SPDX-License-Identifier: BSD-2-Clause
/*
 * Our memory and string functions against the host's C library, with heap buffers of exactly the
 * size in use so that the address sanitizer sees a byte too many.
 */
#include "unit.h"

#include "string.h"

void *lib_memcpy(void *restrict to, const void *restrict from, size_t size);
void *lib_memmove(void *to, const void *from, size_t size);
void *lib_memset(void *to, int value, size_t size);
int lib_memcmp(const void *a, const void *b, size_t size);
size_t lib_strlen(const char *s);
int lib_strcmp(const char *a, const char *b);
int lib_strncmp(const char *a, const char *b, size_t size);
char *lib_strchr(const char *s, int c);

enum { LARGEST = 70, MARGIN = 16 };

static void fill(uint8_t *buffer, size_t size, uint64_t *state)
{
	for (size_t i = 0; i < size; i++)
		buffer[i] = (uint8_t)unit_random(state);
}

static int sign(int value)
{
	return (value > 0) - (value < 0);
}

/* Every size, and every alignment of both ends; the bytes around stay as they were. */
static void test_memcpy(void **state)
{
	uint8_t from[LARGEST + MARGIN], to[LARGEST + MARGIN], expected[LARGEST + MARGIN];
	uint64_t random = 1;

	(void)state;
	for (size_t size = 0; size <= LARGEST; size++) {
		for (size_t shift = 0; shift < 64; shift++) {
			size_t a = shift % 8, b = shift / 8;

			fill(from, sizeof(from), &random);
			fill(to, sizeof(to), &random);
			memcpy(expected, to, sizeof(to));
			memcpy(expected + b, from + a, size);
			assert_ptr_equal(lib_memcpy(to + b, from + a, size), to + b);
			assert_memory_equal(to, expected, sizeof(to));
		}
	}
}

static void test_memmove(void **state)
{
	uint8_t ours[LARGEST + 2 * MARGIN], expected[sizeof(ours)];
	uint64_t random = 2;

	(void)state;
	for (size_t size = 0; size <= LARGEST; size++) {
		for (size_t to = 0; to < 2 * MARGIN; to++) {
			fill(ours, sizeof(ours), &random);
			memcpy(expected, ours, sizeof(ours));
			memmove(expected + to, expected + MARGIN, size);
			assert_ptr_equal(lib_memmove(ours + to, ours + MARGIN, size), ours + to);
			assert_memory_equal(ours, expected, sizeof(ours));
		}
	}
}

static void test_memset(void **state)
{
	uint8_t ours[LARGEST + MARGIN], expected[sizeof(ours)];
	uint64_t random = 3;

	(void)state;
	for (size_t size = 0; size <= LARGEST; size++) {
		for (size_t at = 0; at < 8; at++) {
			int value = (int)unit_random(&random);

			fill(ours, sizeof(ours), &random);
			memcpy(expected, ours, sizeof(ours));
			memset(expected + at, value, size);
			assert_ptr_equal(lib_memset(ours + at, value, size), ours + at);
			assert_memory_equal(ours, expected, sizeof(ours));
		}
	}
}

static void test_memcmp(void **state)
{
	uint64_t random = 4;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t size = unit_random(&random) % 20;
		uint8_t *a = malloc(size), *b = malloc(size);

		for (size_t i = 0; i < size; i++) {
			a[i] = (uint8_t)(unit_random(&random) % 2 ? 0x80 : 0x7f);
			b[i] = (uint8_t)(unit_random(&random) % 8 ? a[i] : 0);
		}
		assert_int_equal(sign(lib_memcmp(a, b, size)), sign(memcmp(a, b, size)));
		free(a);
		free(b);
	}
}

static char *random_string(uint64_t *random)
{
	size_t length = unit_random(random) % 6;
	char *s = calloc(1, length + 1);

	for (size_t i = 0; i < length; i++)
		s[i] = "ab\xff"[unit_random(random) % 3];
	return s;
}

static void test_strings(void **state)
{
	uint64_t random = 5;

	(void)state;
	for (int round = 0; round < 50000; round++) {
		char *a = random_string(&random), *b = random_string(&random);
		size_t size = unit_random(&random) % 8;

		assert_int_equal(lib_strlen(a), strlen(a));
		assert_int_equal(sign(lib_strcmp(a, b)), sign(strcmp(a, b)));
		assert_int_equal(sign(lib_strncmp(a, b, size)), sign(strncmp(a, b, size)));
		assert_ptr_equal(lib_strchr(a, 'b'), strchr(a, 'b'));
		assert_ptr_equal(lib_strchr(a, '\xff'), strchr(a, '\xff'));
		assert_ptr_equal(lib_strchr(a, 0), a + strlen(a));
		free(a);
		free(b);
	}
}

static void test_string_copy(void **state)
{
	char buffer[4] = "xyz";

	(void)state;
	assert_false(string_copy(buffer, "a", 0));
	assert_string_equal(buffer, "xyz");
	assert_true(string_copy(buffer, "abc", sizeof(buffer)));
	assert_string_equal(buffer, "abc");
	assert_false(string_copy(buffer, "defg", sizeof(buffer)));
	assert_string_equal(buffer, "def");
	assert_false(string_copy(buffer, "h", 1));
	assert_string_equal(buffer, "");
	assert_true(string_copy(buffer, "", 1));
	assert_string_equal(buffer, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memcpy),	cmocka_unit_test(test_memmove),
		cmocka_unit_test(test_memset),	cmocka_unit_test(test_memcmp),
		cmocka_unit_test(test_strings), cmocka_unit_test(test_string_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
