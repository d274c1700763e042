// SPDX-License-Identifier: BSD-2-Clause
/* Bitmaps of every size around a word's, against an array of booleans. */
#include "unit.h"

#include "bitmap.h"

enum { LARGEST = 200 };

static size_t model_search(const bool *model, size_t size, size_t from, bool wanted)
{
	for (size_t i = from; i < size; i++)
		if (model[i] == wanted)
			return i;
	return size;
}

static void check(const uint64_t *map, const bool *model, size_t size)
{
	size_t count = 0, seen = 0, bit;

	for (size_t i = 0; i < size; i++) {
		assert_int_equal(bitmap_test(map, i), model[i]);
		assert_int_equal(bitmap_atomic_test(map, i), model[i]);
		assert_int_equal(bitmap_find_next(map, size, i),
				 model_search(model, size, i, true));
		assert_int_equal(bitmap_find_next_clear(map, size, i),
				 model_search(model, size, i, false));
		count += model[i];
	}
	assert_int_equal(bitmap_find_next(map, size, size), size);
	assert_int_equal(bitmap_find_next(map, size, size + 65), size);
	assert_int_equal(bitmap_find_first(map, size), model_search(model, size, 0, true));
	assert_int_equal(bitmap_count(map, size), count);
	assert_int_equal(bitmap_empty(map, size), count == 0);
	bitmap_for_each(bit, map, size) {
		assert_true(model[bit]);
		seen++;
	}
	assert_int_equal(seen, count);
}

static void change(uint64_t *map, bool *model, size_t bit, unsigned int how)
{
	bool before = model[bit];

	switch (how) {
	case 0:
		bitmap_set(map, bit);
		break;
	case 1:
		bitmap_atomic_set(map, bit);
		break;
	case 2:
		assert_int_equal(bitmap_atomic_test_and_set(map, bit), before);
		break;
	case 3:
		bitmap_clear(map, bit);
		break;
	case 4:
		bitmap_atomic_clear(map, bit);
		break;
	case 5:
		assert_int_equal(bitmap_atomic_test_and_clear(map, bit), before);
		break;
	}
	model[bit] = how < 3;
}

static void test_random(void **state)
{
	uint64_t random = 11;

	(void)state;
	for (size_t size = 1; size <= LARGEST; size++) {
		bool model[LARGEST] = { false };
		uint64_t *map = malloc(BITMAP_WORDS(size) * sizeof(*map));

		memset(map, 0xff, BITMAP_WORDS(size) * sizeof(*map));
		bitmap_zero(map, size);
		for (int round = 0; round < 60; round++) {
			change(map, model, unit_random(&random) % size,
			       (unsigned int)(unit_random(&random) % 6));
			check(map, model, size);
		}
		free(map);
	}
}

static void test_whole(void **state)
{
	(void)state;
	for (size_t size = 1; size <= LARGEST; size++) {
		uint64_t *a = malloc(BITMAP_WORDS(size) * sizeof(*a));
		uint64_t *b = malloc(BITMAP_WORDS(size) * sizeof(*b));

		bitmap_fill(a, size);
		memset(b, 0xff, BITMAP_WORDS(size) * sizeof(*b));
		/* What lies past the end makes no difference. */
		assert_true(bitmap_equal(a, b, size));
		assert_int_equal(bitmap_count(a, size), size);
		assert_int_equal(bitmap_count(b, size), size);
		assert_int_equal(bitmap_find_next_clear(a, size, 0), size);
		bitmap_clear(b, size - 1);
		assert_false(bitmap_equal(a, b, size));
		assert_int_equal(bitmap_find_next_clear(b, size, 0), size - 1);
		bitmap_zero(a, size);
		assert_true(bitmap_empty(a, size));
		free(a);
		free(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
