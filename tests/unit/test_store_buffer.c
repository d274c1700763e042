// SPDX-License-Identifier: BSD-2-Clause
/* Buffers of the store against a plain one: random additions and takings, and what an empty one keeps. */
#include "unit.h"

#include "toolstack/store/buffer.h"

#define LIMIT 20000

static void test_buffer(void **state)
{
	static char model[LIMIT], added[3000];
	struct buffer buffer = { .data = NULL };
	size_t length = 0, bytes;
	uint64_t seed = 1;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		bytes = unit_random(&seed) % sizeof(added);
		if (unit_random(&seed) % 2 && length + bytes <= LIMIT) {
			memset(added, i, bytes);
			memcpy(model + length, added, bytes);
			length += bytes;
			buffer_add(&buffer, added, bytes);
		} else {
			bytes = bytes < length ? bytes : length;
			assert_memory_equal(buffer_data(&buffer), model, bytes);
			memmove(model, model + bytes, length - bytes);
			length -= bytes;
			buffer_take(&buffer, bytes);
		}
		assert_int_equal(buffer_length(&buffer), length);
		assert_true(buffer.room <= 4 * LIMIT);
	}
	buffer_take(&buffer, length);
	assert_true(buffer.room <= 4096);
	buffer_free(&buffer);
}

static void test_reserve(void **state)
{
	struct buffer buffer = { .data = NULL };

	(void)state;
	memcpy(buffer_reserve(&buffer, 10), "0123456789", 10);
	assert_int_equal(buffer_length(&buffer), 0);
	buffer_added(&buffer, 4);
	assert_int_equal(buffer_length(&buffer), 4);
	assert_memory_equal(buffer_data(&buffer), "0123", 4);
	buffer_take(&buffer, 2);
	memcpy(buffer_reserve(&buffer, 100), "x", 1);
	buffer_added(&buffer, 1);
	assert_memory_equal(buffer_data(&buffer), "23x", 3);
	buffer_free(&buffer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buffer),
		cmocka_unit_test(test_reserve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
