// SPDX-License-Identifier: BSD-2-Clause
/*
 * Parses the hypervisor's command line by the table in command_line.def.
 *
 * Interface: command_line.h. Locks: none, runs once at boot.
 * Odd: there is no way to ask for help but to mistype, so a refusal of an unknown option lists
 * those there are, and one of a bad value says what would be a good one.
 */
#include "command_line.h"

#include <stddef.h>

#include "boot.h"
#include "log.h"
#include "parse.h"
#include "string.h"

enum option_type { OPTION_IS_FLAG, OPTION_IS_NUMBER, OPTION_IS_SIZE, OPTION_IS_CHOICE };

struct option {
	const char *name;
	enum option_type type;
	size_t offset; /* of the field in struct command_line */
	uint64_t min, max;
	const char *words;
	const char *help;
};

#define OPTION_FLAG(name, field, help)                                                             \
	{ name, OPTION_IS_FLAG, offsetof(struct command_line, field), 0, 0, NULL, help },
#define OPTION_NUMBER(name, field, initial, min, max, help)                                        \
	{ name, OPTION_IS_NUMBER, offsetof(struct command_line, field), min, max, NULL, help },
#define OPTION_SIZE(name, field, initial, help)                                                    \
	{ name, OPTION_IS_SIZE, offsetof(struct command_line, field), 0, 1ULL << 52, NULL, help },
#define OPTION_CHOICE(name, field, initial, words, help)                                           \
	{ name, OPTION_IS_CHOICE, offsetof(struct command_line, field), 0, 0, words, help },
static const struct option options[] = {
#include "command_line.def"
};
#undef OPTION_FLAG
#undef OPTION_NUMBER
#undef OPTION_SIZE
#undef OPTION_CHOICE

#define OPTION_COUNT (sizeof(options) / sizeof(options[0]))

#define OPTION_FLAG(name, field, help)
#define OPTION_NUMBER(name, field, initial, min, max, help) .field = initial,
#define OPTION_SIZE(name, field, initial, help)		    .field = initial,
#define OPTION_CHOICE(name, field, initial, words, help)    .field = initial,
struct command_line command_line = {
#include "command_line.def"
};

static void *field_of(const struct option *option)
{
	return (char *)&command_line + option->offset;
}

static const struct option *find_option(const struct parse_word *name)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (parse_equal(name, options[i].name))
			return &options[i];
	return NULL;
}

static _Noreturn void refuse_unknown(const struct parse_word *word)
{
	char known[160] = "";
	size_t used = 0;

	for (size_t i = 0; i < OPTION_COUNT; i++) {
		size_t length = strlen(options[i].name);

		if (used + length + 2 > sizeof(known))
			break;
		if (i > 0)
			known[used++] = ' ';
		memcpy(known + used, options[i].name, length);
		used += length;
		known[used] = '\0';
	}
	boot_refuse("unknown option '%.*s' (known: %s)", (int)word->length, word->text, known);
}

static _Noreturn void refuse_value(const struct option *option, const struct parse_word *word)
{
	switch (option->type) {
	case OPTION_IS_NUMBER:
		boot_refuse("option '%.*s': %s takes a number from %lu to %lu", (int)word->length,
			    word->text, option->name, option->min, option->max);
	case OPTION_IS_SIZE:
		boot_refuse("option '%.*s': %s takes a size like 512M or 2G", (int)word->length,
			    word->text, option->name);
	case OPTION_IS_CHOICE:
		boot_refuse("option '%.*s': %s takes one of %s", (int)word->length, word->text,
			    option->name, option->words);
	default:
		boot_refuse("option '%.*s': %s takes no value", (int)word->length, word->text,
			    option->name);
	}
}

static bool set_choice(const struct option *option, const struct parse_word *value)
{
	const char *at = option->words;

	for (uint32_t number = 0;; number++) {
		const char *end = strchr(at, '|');
		size_t length = end ? (size_t)(end - at) : strlen(at);

		if (length == value->length && memcmp(at, value->text, length) == 0) {
			*(uint32_t *)field_of(option) = number;
			return true;
		}
		if (!end)
			return false;
		at = end + 1;
	}
}

static bool set_value(const struct option *option, const struct parse_word *value)
{
	uint64_t number;

	switch (option->type) {
	case OPTION_IS_CHOICE:
		return set_choice(option, value);
	case OPTION_IS_SIZE:
		if (!parse_size(value, option->max, &number))
			return false;
		break;
	case OPTION_IS_NUMBER:
		if (!parse_number(value, option->max, &number) || number < option->min)
			return false;
		break;
	default:
		return false;
	}
	*(uint64_t *)field_of(option) = number;
	return true;
}

void command_line_parse(const char *text)
{
	struct parse_words words = parse_start(text, strlen(text));
	struct parse_word word, name, value;

	while (parse_next(&words, &word)) {
		bool has_value = parse_key(&word, &name, &value);
		const struct option *option = find_option(&name);

		if (!option)
			refuse_unknown(&word);
		if (!has_value && option->type == OPTION_IS_FLAG)
			*(bool *)field_of(option) = true;
		else if (!has_value || !set_value(option, &value))
			refuse_value(option, &word);
	}
	log_set_level(command_line.log_level);
}
