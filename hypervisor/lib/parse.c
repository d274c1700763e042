// SPDX-License-Identifier: BSD-2-Clause
/*
 * Parsing of command lines: words, key=value pairs, numbers with a size suffix, lists of CPUs.
 *
 * Interface: parse.h. Every function takes a text with its length and never reads past it, because
 * the text may come from a boot loader that forgot the NUL.
 * Locks: none; nothing here allocates or keeps state.
 * Odd: nothing.
 */
#include "parse.h"

#include "bitmap.h"
#include "string.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_blanks(const char *at, const char *end)
{
	while (at < end && is_blank(*at))
		at++;
	return at;
}

struct parse_words parse_start(const char *text, size_t length)
{
	size_t end = 0;

	while (end < length && text[end])
		end++;
	return (struct parse_words){ .at = text, .end = text + end };
}

bool parse_next(struct parse_words *words, struct parse_word *word)
{
	const char *at = skip_blanks(words->at, words->end);

	word->text = at;
	while (at < words->end && !is_blank(*at))
		at++;
	word->length = (size_t)(at - word->text);
	words->at = at;
	return word->length > 0;
}

struct parse_word parse_rest(const struct parse_words *words)
{
	const char *at = skip_blanks(words->at, words->end);

	return (struct parse_word){ .text = at, .length = (size_t)(words->end - at) };
}

bool parse_equal(const struct parse_word *word, const char *text)
{
	return strlen(text) == word->length && !memcmp(text, word->text, word->length);
}

bool parse_key(const struct parse_word *word, struct parse_word *key, struct parse_word *value)
{
	*key = *word;
	for (size_t i = 0; i < word->length; i++) {
		if (word->text[i] != '=')
			continue;
		key->length = i;
		value->text = word->text + i + 1;
		value->length = word->length - i - 1;
		return true;
	}
	*value = (struct parse_word){ .text = word->text + word->length };
	return false;
}

/* The value of a digit, or 16 for what is none. */
static unsigned int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A' + 10);
	return 16;
}

bool parse_number(const struct parse_word *word, uint64_t max, uint64_t *number)
{
	unsigned int base = 10;
	uint64_t value = 0;
	size_t i = 0;

	if (word->length > 2 && word->text[0] == '0' && (word->text[1] | 0x20) == 'x') {
		base = 16;
		i = 2;
	}
	if (i == word->length)
		return false;
	for (; i < word->length; i++) {
		unsigned int digit = digit_value(word->text[i]);

		if (digit >= base || __builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return false;
	}
	if (value > max)
		return false;
	*number = value;
	return true;
}

static unsigned int suffix_shift(char c)
{
	switch (c | 0x20) {
	case 'k':
		return 10;
	case 'm':
		return 20;
	case 'g':
		return 30;
	}
	return 0;
}

bool parse_size(const struct parse_word *word, uint64_t max, uint64_t *number)
{
	struct parse_word digits = *word;
	unsigned int shift = 0;
	uint64_t value;

	if (digits.length) {
		shift = suffix_shift(digits.text[digits.length - 1]);
		digits.length -= shift > 0;
	}
	if (!parse_number(&digits, max >> shift, &value))
		return false;
	*number = value << shift;
	return true;
}

/* The part of a word up to `separator`; what comes after it stays in `rest`. */
static struct parse_word take_until(struct parse_word *rest, char separator)
{
	struct parse_word part = { .text = rest->text };

	while (part.length < rest->length && rest->text[part.length] != separator)
		part.length++;
	rest->text += part.length;
	rest->length -= part.length;
	if (rest->length) {
		rest->text++;
		rest->length--;
	}
	return part;
}

static bool parse_range(struct parse_word range, uint64_t *map, size_t size)
{
	struct parse_word first = take_until(&range, '-');
	bool single = first.text + first.length == range.text;
	uint64_t from, to;

	if (!parse_number(&first, size - 1, &from))
		return false;
	to = from;
	if (!single && (!parse_number(&range, size - 1, &to) || to < from))
		return false;
	for (uint64_t i = from; i <= to; i++)
		bitmap_set(map, i);
	return true;
}

bool parse_list(const struct parse_word *word, uint64_t *map, size_t size)
{
	struct parse_word rest = *word;

	bitmap_zero(map, size);
	/* A comma at the end would be lost by take_until(). */
	if (!size || !word->length || word->text[word->length - 1] == ',')
		return false;
	while (rest.length)
		if (!parse_range(take_until(&rest, ','), map, size))
			return false;
	return true;
}

bool parse_copy(const struct parse_word *word, char *buffer, size_t size)
{
	if (!size)
		return false;
	buffer[0] = '\0';
	if (word->length >= size)
		return false;
	memcpy(buffer, word->text, word->length);
	buffer[word->length] = '\0';
	return true;
}
