// SPDX-License-Identifier: BSD-2-Clause
/* Parsing: each form accepted, each refused, and random texts: never read past their end. */
#include "unit.h"

#include "bitmap.h"
#include "parse.h"

static struct parse_word word_of(const char *text)
{
	return (struct parse_word){ .text = text, .length = strlen(text) };
}

static void check_word(const struct parse_word *word, const char *text)
{
	assert_true(parse_equal(word, text));
	assert_int_equal(word->length, strlen(text));
}

static void test_words(void **state)
{
	static const char text[] = "  one\ttwo=2 \n -- rest of it ";
	struct parse_words words = parse_start(text, sizeof(text));
	struct parse_word word;

	(void)state;
	assert_true(parse_next(&words, &word));
	check_word(&word, "one");
	assert_false(parse_equal(&word, "on"));
	assert_false(parse_equal(&word, "ones"));
	assert_true(parse_next(&words, &word));
	check_word(&word, "two=2");
	assert_true(parse_next(&words, &word));
	check_word(&word, "--");
	word = parse_rest(&words);
	check_word(&word, "rest of it ");
	assert_true(parse_next(&words, &word));
	assert_true(parse_next(&words, &word));
	assert_true(parse_next(&words, &word));
	check_word(&word, "it");
	assert_false(parse_next(&words, &word));
	assert_false(parse_next(&words, &word));
	word = parse_rest(&words);
	assert_int_equal(word.length, 0);
	/* A length shorter than the string, and an empty text. */
	words = parse_start("abcdef", 3);
	assert_true(parse_next(&words, &word));
	check_word(&word, "abc");
	words = parse_start("", 0);
	assert_false(parse_next(&words, &word));
}

static void test_keys(void **state)
{
	struct parse_word word, key, value;

	(void)state;
	word = word_of("name=a=b");
	assert_true(parse_key(&word, &key, &value));
	check_word(&key, "name");
	check_word(&value, "a=b");
	word = word_of("name=");
	assert_true(parse_key(&word, &key, &value));
	check_word(&value, "");
	word = word_of("name");
	assert_false(parse_key(&word, &key, &value));
	check_word(&key, "name");
	check_word(&value, "");
}

static void test_numbers(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
		bool valid;
		uint64_t number;
	} cases[] = {
		{ "0", 0, true, 0 },
		{ "12", 12, true, 12 },
		{ "13", 12, false, 0 },
		{ "0x1F", 31, true, 31 },
		{ "18446744073709551615", UINT64_MAX, true, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, false, 0 },
		{ "99999999999999999999", UINT64_MAX, false, 0 },
		{ "0xffffffffffffffff", UINT64_MAX, true, UINT64_MAX },
		{ "0x10000000000000000", UINT64_MAX, false, 0 },
		{ "", UINT64_MAX, false, 0 },
		{ "0x", UINT64_MAX, false, 0 },
		{ "-1", UINT64_MAX, false, 0 },
		{ "+1", UINT64_MAX, false, 0 },
		{ "1a", UINT64_MAX, false, 0 },
		{ "0x1g", UINT64_MAX, false, 0 },
		{ "1 ", UINT64_MAX, false, 0 },
		{ "1k", UINT64_MAX, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct parse_word word = word_of(cases[i].text);
		uint64_t number = 77;

		assert_int_equal(parse_number(&word, cases[i].max, &number), cases[i].valid);
		assert_int_equal(number, cases[i].valid ? cases[i].number : 77);
	}
}

static void test_sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
		bool valid;
		uint64_t number;
	} cases[] = {
		{ "5", UINT64_MAX, true, 5 },
		{ "5k", UINT64_MAX, true, 5 << 10 },
		{ "5K", UINT64_MAX, true, 5 << 10 },
		{ "64M", 64 << 20, true, 64 << 20 },
		{ "64m", (64 << 20) - 1, false, 0 },
		{ "0x10G", UINT64_MAX, true, 16UL << 30 },
		{ "17179869183G", UINT64_MAX, true, 17179869183UL << 30 },
		{ "17179869184G", UINT64_MAX, false, 0 },
		{ "G", UINT64_MAX, false, 0 },
		{ "", UINT64_MAX, false, 0 },
		{ "1T", UINT64_MAX, false, 0 },
		{ "1kk", UINT64_MAX, false, 0 },
		{ "1 k", UINT64_MAX, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct parse_word word = word_of(cases[i].text);
		uint64_t number = 77;

		assert_int_equal(parse_size(&word, cases[i].max, &number), cases[i].valid);
		assert_int_equal(number, cases[i].valid ? cases[i].number : 77);
	}
}

static void test_lists(void **state)
{
	static const char *const bad[] = { "",	 ",",  "1,", ",1", "8",	   "3-8",   "3-2",
					   "1-", "-1", "-",  "a",  "1,,2", "1-2-3", "1;2" };
	struct parse_word word = word_of("0-2,5,7-7");
	uint64_t map;

	(void)state;
	assert_true(parse_list(&word, &map, 8));
	assert_int_equal(map, 0xa7);
	word = word_of("3");
	assert_true(parse_list(&word, &map, 8));
	assert_int_equal(map, 8);
	assert_false(parse_list(&word, &map, 0));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		word = word_of(bad[i]);
		if (parse_list(&word, &map, 8))
			fail_msg("list '%s' was accepted", bad[i]);
	}
}

static void test_copy(void **state)
{
	struct parse_word word = { .text = "abcdef", .length = 3 };
	char buffer[4];

	(void)state;
	assert_true(parse_copy(&word, buffer, sizeof(buffer)));
	assert_string_equal(buffer, "abc");
	assert_false(parse_copy(&word, buffer, 3));
	assert_string_equal(buffer, "");
	assert_false(parse_copy(&word, buffer, 0));
}

static void use_word(const struct parse_word *word)
{
	struct parse_word key, value;
	uint64_t number, map[2];
	char buffer[8];

	parse_key(word, &key, &value);
	if (parse_number(&value, 100, &number))
		assert_in_range(number, 0, 100);
	if (parse_size(&value, 5000, &number))
		assert_in_range(number, 0, 5000);
	if (parse_list(&value, map, 100))
		assert_false(bitmap_empty(map, 128));
	parse_copy(&value, buffer, sizeof(buffer));
}

static void test_random(void **state)
{
	uint64_t random = 13;

	(void)state;
	for (int round = 0; round < 100000; round++) {
		size_t length = unit_random(&random) % 24;
		char *text = malloc(length);
		struct parse_words words;
		struct parse_word word;

		for (size_t i = 0; i < length; i++)
			text[i] = "a0x19,-= kMg\t"[unit_random(&random) % 14];
		words = parse_start(text, length);
		while (parse_next(&words, &word)) {
			assert_true(word.text >= text && word.text + word.length <= text + length);
			use_word(&word);
		}
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),	cmocka_unit_test(test_keys),
		cmocka_unit_test(test_numbers), cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_lists),	cmocka_unit_test(test_copy),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
