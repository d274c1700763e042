// SPDX-License-Identifier: BSD-2-Clause
/*
 * One value of a configuration: checks it against its key, whatever form it was written in, and puts
 * it into the configuration.
 *
 * Interface: config_set of config.h. Locks: none.
 * Odd: a size is a number of MiB, or a text with a unit; numbers may come as texts, because
 * assignments on a command line and some xl.cfg files write them so.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/lib/config.h"

#define UNITS "KMGT"

struct setting {
	const struct config_key *key;
	const json_t *value;
	const struct config_place *place;
	struct report *report;
};

static const char *kind_of(const json_t *value)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "an object",	 [JSON_ARRAY] = "a list",
		[JSON_STRING] = "a text",	 [JSON_INTEGER] = "a number",
		[JSON_REAL] = "a broken number", [JSON_TRUE] = "true",
		[JSON_FALSE] = "false",		 [JSON_NULL] = "null",
	};

	return names[json_typeof(value)];
}

static bool wrong_kind(const struct setting *s, const char *wanted)
{
	return config_fail(s->report, s->place, "is %s, should be %s", kind_of(s->value), wanted);
}

/* A whole text is a number: decimal, or hexadecimal after 0x. */
static bool read_number(const char *text, uint64_t *number, const char **end)
{
	char *after;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	*number = strtoull(text, &after, strncmp(text, "0x", 2) ? 10 : 16);
	*end = after;
	return !errno;
}

/* --- Texts --- */

static bool is_name(const char *text)
{
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("-_.", *text))
			return false;
	return true;
}

static bool is_uuid(const char *text)
{
	for (size_t i = 0; i < SETTING_UUID_LENGTH; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return false;
	}
	return true;
}

static bool check_characters(const struct setting *s, const char *text)
{
	if (s->key->kind == KIND_NAME && !is_name(text))
		return config_fail(s->report, s->place,
				   "'%s': should be letters, digits, dots, dashes, underscores",
				   text);
	if (s->key->kind == KIND_NAME && strspn(text, "0123456789") == strlen(text))
		return config_fail(s->report, s->place,
				   "'%s': only digits would be taken for a domain's number", text);
	if (s->key->kind == KIND_UUID && !is_uuid(text))
		return config_fail(s->report, s->place,
				   "'%s': should be hexadecimal digits, 8-4-4-4-12", text);
	return true;
}

/* A file's name is relative to the configuration's. */
static char *resolved(const struct setting *s, const char *path)
{
	const char *slash = s->place->line ? strrchr(s->place->file, '/') : NULL;
	char *result;

	if (s->key->kind != KIND_FILE || path[0] == '/' || !slash)
		return strdup(path);
	if (asprintf(&result, "%.*s/%s", (int)(slash - s->place->file), s->place->file, path) < 0)
		return NULL;
	return result;
}

static bool set_text(const struct setting *s, char **field)
{
	const char *text = json_string_value(s->value);
	size_t length = json_string_length(s->value);
	char *copy;

	if (!text)
		return wrong_kind(s, "a text");
	if (strlen(text) != length)
		return config_fail(s->report, s->place, "has a zero byte");
	if (length < s->key->min || length > s->key->max)
		return config_fail(s->report, s->place, "has %zu bytes, should have %llu to %llu",
				   length, (unsigned long long)s->key->min,
				   (unsigned long long)s->key->max);
	if (!check_characters(s, text))
		return false;
	copy = resolved(s, text);
	if (!copy)
		return config_fail(s->report, s->place, "out of memory");
	free(*field);
	*field = copy;
	return true;
}

/* --- Numbers --- */

/* What is written, be it a number or the text of one; `end` is what follows in the text. */
static bool get_number(const struct setting *s, uint64_t *number, const char **end)
{
	*end = "";
	if (json_is_integer(s->value)) {
		if (json_integer_value(s->value) < 0)
			return false;
		*number = (uint64_t)json_integer_value(s->value);
		return true;
	}
	return read_number(json_string_value(s->value), number, end);
}

static bool is_number_or_text(const json_t *value)
{
	return json_is_integer(value) || json_is_string(value);
}

/* As it was written, for a message. */
static const char *written(const json_t *value, char *buffer, size_t size)
{
	if (json_is_string(value))
		snprintf(buffer, size, "'%s'", json_string_value(value));
	else
		snprintf(buffer, size, "%lld", (long long)json_integer_value(value));
	return buffer;
}

static bool set_number(const struct setting *s, uint64_t *field)
{
	unsigned long long min = s->key->min, max = s->key->max;
	const char *end;
	uint64_t number;
	char text[80];

	if (!is_number_or_text(s->value))
		return wrong_kind(s, "a number");
	if (!get_number(s, &number, &end) || *end || number < min || number > max)
		return config_fail(s->report, s->place, "%s: should be a number from %llu to %llu",
				   written(s->value, text, sizeof(text)), min, max);
	*field = number;
	return true;
}

/* Bytes in a unit, MiB without one; 0: there is no such unit. */
static uint64_t unit_of(const char *text)
{
	const char *found;

	if (!*text)
		return 1ULL << 20;
	found = strchr(UNITS, toupper((unsigned char)*text));
	if (!found || text[1])
		return 0;
	return 1024ULL << 10 * (found - UNITS);
}

const char *config_size_max(const struct config_key *key, char *text, size_t size)
{
	bool gib = key->max % (1ULL << 30) == 0;

	snprintf(text, size, "%llu%c", (unsigned long long)key->max >> (gib ? 30 : 20),
		 gib ? 'G' : 'M');
	return text;
}

static bool set_size(const struct setting *s, uint64_t *field)
{
	uint64_t number, unit;
	const char *end;
	char text[80], max[32];

	if (!is_number_or_text(s->value))
		return wrong_kind(s, "a size: a number of MiB, or a text with a unit as \"512M\"");
	written(s->value, text, sizeof(text));
	if (!get_number(s, &number, &end))
		return config_fail(s->report, s->place,
				   "%s: should be a number of MiB, or one with a unit as 512M",
				   text);
	unit = unit_of(end);
	if (!unit)
		return config_fail(s->report, s->place, "%s: the unit should be one of K, M, G, T",
				   text);
	if (number > s->key->max / unit || number * unit < s->key->min)
		return config_fail(s->report, s->place, "%s: should be from %lluK to %s", text,
				   (unsigned long long)s->key->min >> 10,
				   config_size_max(s->key, max, sizeof(max)));
	if (number * unit % SETTING_PAGE)
		return config_fail(s->report, s->place, "%s: should be whole pages of 4K", text);
	*field = number * unit;
	return true;
}

/* --- Lists of processors --- */

static bool read_range(const char **text, uint64_t *first, uint64_t *last)
{
	if (!read_number(*text, first, text))
		return false;
	*last = *first;
	if (**text != '-')
		return true;
	return read_number(*text + 1, last, text) && *first <= *last;
}

static bool read_cpus(const char *text, uint64_t *mask)
{
	uint64_t first, last;

	*mask = 0;
	if (!strcmp(text, "all"))
		return true;
	for (;; text++) {
		if (!read_range(&text, &first, &last) || last >= SETTING_CPUS)
			return false;
		for (uint64_t cpu = first; cpu <= last; cpu++)
			*mask |= 1ULL << cpu;
		if (*text != ',')
			return !*text;
	}
}

static bool add_cpus(const struct setting *s, const json_t *value, uint64_t *mask)
{
	char text[80];
	bool good;

	if (!is_number_or_text(value))
		return wrong_kind(s, "a number or a list as \"0-3,5\"");
	if (json_is_string(value)) {
		good = read_cpus(json_string_value(value), mask);
	} else {
		good = json_integer_value(value) >= 0 && json_integer_value(value) < SETTING_CPUS;
		*mask = good ? 1ULL << json_integer_value(value) : 0;
	}
	if (!good)
		return config_fail(s->report, s->place,
				   "%s: should be a list as 0-3,5 of numbers below %u",
				   written(value, text, sizeof(text)), SETTING_CPUS);
	return true;
}

static bool set_cpus(const struct setting *s, uint64_t *field)
{
	uint64_t mask = 0, one;
	size_t i;
	json_t *entry;

	if (!json_is_array(s->value))
		return add_cpus(s, s->value, field);
	if (!json_array_size(s->value))
		return config_fail(s->report, s->place, "is empty: it could run nowhere");
	json_array_foreach(s->value, i, entry) {
		if (!add_cpus(s, entry, &one))
			return false;
		mask |= one;
	}
	*field = mask;
	return true;
}

/* --- Choices --- */

static bool refuse_choice(const struct setting *s, const char *text)
{
	char allowed[120] = "";

	for (const char *const *choice = s->key->choices; *choice; choice++) {
		strncat(allowed, *choice, sizeof(allowed) - strlen(allowed) - 1);
		if (choice[1])
			strncat(allowed, ", ", sizeof(allowed) - strlen(allowed) - 1);
	}
	return config_fail(s->report, s->place, "'%s': should be one of %s", text, allowed);
}

static bool set_choice(const struct setting *s, uint64_t *field)
{
	const char *text = json_string_value(s->value);

	if (!text)
		return wrong_kind(s, "a text");
	for (size_t i = 0; s->key->choices[i]; i++) {
		if (strcmp(text, s->key->choices[i]))
			continue;
		*field = i;
		return true;
	}
	return refuse_choice(s, text);
}

/* --- All of them --- */

bool config_set(struct config *config, const struct config_key *key, const json_t *value,
		const struct config_place *place, struct report *report)
{
	struct setting s = { key, value, place, report };
	void *field = (char *)config + key->offset;

	switch (key->kind) {
	case KIND_NAME:
	case KIND_UUID:
	case KIND_TEXT:
	case KIND_FILE:
		return set_text(&s, field);
	case KIND_SIZE:
		return set_size(&s, field);
	case KIND_NUMBER:
		return set_number(&s, field);
	case KIND_CPU_LIST:
		return set_cpus(&s, field);
	case KIND_CHOICE:
		return set_choice(&s, field);
	case KIND_DISKS:
		return config_disks_set(field, value, place, report);
	case KIND_NETS:
		return config_nets_set(field, value, place, report);
	}
	return config_fail(report, place, "has no kind");
}
