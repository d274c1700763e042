/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LIB_PARSE_H
#define LIB_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of somebody else's text: not ended by a NUL. */
struct parse_word {
	const char *text;
	size_t length;
};

/* The words of a text, split at blanks; see parse_next(). */
struct parse_words {
	const char *at;
	const char *end;
};

struct parse_words parse_start(const char *text, size_t length);

/* The next word; false at the end. Quotes have no meaning. */
bool parse_next(struct parse_words *words, struct parse_word *word);

/* What parse_next() has not returned yet, without the blanks in front. */
struct parse_word parse_rest(const struct parse_words *words);

bool parse_equal(const struct parse_word *word, const char *text);

/* Split `key=value` at the first `=`. False when there is none; `key` is then the whole word. */
bool parse_key(const struct parse_word *word, struct parse_word *key, struct parse_word *value);

/*
 * A decimal number, or a hexadecimal one after 0x, that fills the word and is at most `max`.
 * parse_size() allows one of k, K, m, M, g, G (times 2^10, 2^20, 2^30) after it.
 */
bool parse_number(const struct parse_word *word, uint64_t max, uint64_t *number);
bool parse_size(const struct parse_word *word, uint64_t max, uint64_t *number);

/* A list of numbers and ranges below `size`, like `0-3,8`, as a bitmap (see bitmap.h). */
bool parse_list(const struct parse_word *word, uint64_t *map, size_t size);

/* Copy a word into a buffer as a string. False, and an empty string, when it does not fit. */
bool parse_copy(const struct parse_word *word, char *buffer, size_t size);

#endif
