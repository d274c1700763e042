// SPDX-License-Identifier: BSD-2-Clause
/*
 * Finding how the machine is turned off: the forms that firmware writes, what only looks like them,
 * and code that ends anywhere.
 */
#include "unit.h"

#include "aml.h"

/* Behind some other code: the definition as QEMU, OVMF and others have it. */
static const uint8_t plain[] = {
	0x10, 0x20, 0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0, 1, 0, 0
};
static const uint8_t rooted[] = { 0x08, '\\', '_', 'S',	 '5', '_', 0x12, 0x0a,
				  0x04, 0x0a, 5,   0x0a, 7,   0,   0 };
static const uint8_t long_length[] = { 0x08, '_', 'S', '5', '_', 0x12, 0x47, 0x01, 2, 0x0a, 3, 1 };

static void expect_types(const uint8_t *code, size_t size, uint8_t first, uint8_t second)
{
	uint8_t types[2] = { 99, 99 };

	assert_true(aml_find_off(code, size, types));
	assert_int_equal(types[0], first);
	assert_int_equal(types[1], second);
}

static void test_forms(void **state)
{
	(void)state;
	expect_types(plain, sizeof(plain), 0, 1);
	expect_types(rooted, sizeof(rooted), 5, 7);
	expect_types(long_length, sizeof(long_length), 3, 1);
}

static void test_others(void **state)
{
	static const uint8_t reference[] = { 0x70, '_', 'S', '5', '_', 0x12, 6, 4, 0, 0, 0, 0 };
	static const uint8_t method[] = { 0x08, '_', 'S', '5', '_', 0x14, 6, 4, 0, 0, 0, 0 };
	static const uint8_t empty[] = { 0x08, '_', 'S', '5', '_', 0x12, 6, 1, 0, 0, 0, 0 };
	static const uint8_t named[] = { 0x08, '_', 'S', '5', '_', 0x12, 6, 4, 'A', 'B', 'C', 'D' };
	static const uint8_t big[] = { 0x08, '_', 'S', '5', '_', 0x12, 6, 4, 0x0a, 8, 0, 0 };
	uint8_t types[2];

	(void)state;
	assert_false(aml_find_off(reference, sizeof(reference), types));
	assert_false(aml_find_off(reference + 1, sizeof(reference) - 1, types));
	assert_false(aml_find_off(method, sizeof(method), types));
	assert_false(aml_find_off(empty, sizeof(empty), types));
	assert_false(aml_find_off(named, sizeof(named), types));
	assert_false(aml_find_off(big, sizeof(big), types));
	assert_false(aml_find_off(NULL, 0, types));
}

/* Each length in memory of its own, where reading beyond is seen. */
static void test_cut(void **state)
{
	uint8_t types[2];

	(void)state;
	for (size_t size = 1; size < sizeof(rooted); size++) {
		uint8_t *code = malloc(size);

		assert_non_null(code);
		memcpy(code, rooted, size);
		assert_int_equal(aml_find_off(code, size, types), size >= 13);
		free(code);
	}
}

/* A damaged one is passed over; a good one behind it counts. */
static void test_second(void **state)
{
	uint8_t code[sizeof(plain) + sizeof(rooted)];

	(void)state;
	memcpy(code, plain, sizeof(plain));
	memcpy(code + sizeof(plain), rooted, sizeof(rooted));
	expect_types(code, sizeof(code), 0, 1);
	code[9] = 0;
	expect_types(code, sizeof(code), 5, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
