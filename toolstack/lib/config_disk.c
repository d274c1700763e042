// SPDX-License-Identifier: BSD-2-Clause
/*
 * The disks of a configuration: objects as in docs/config.md, or texts as in xl.cfg. Whatever they were, they become
 * a list of objects with the keys of `config_disk_keys`, all of them texts, and the image's path.
 *
 * Interface: config_disks_set of config.h. Locks: none.
 * Odd: of xl's texts there are three forms: `file:IMAGE,NAME,MODE`, `IMAGE,FORMAT,NAME,ACCESS`, and words with `=`.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/lib/config.h"

#define WORDS 8

struct parsing {
	const struct config_place *place;
	struct report *report;
};

static const char *const formats[] = { "raw", "qcow2", "vpc", "vhdx", "vmdk", "nbd", NULL };
static const char *const modes[] = { "w", "r", NULL };
static const char *const full[] = { "pause", "report", NULL };

/* NULL choices and no number: any text. */
static const struct {
	const char *name;
	const char *const *choices;
	bool number;
} keys[] = {
	{ "image", NULL, false },
	{ "format", formats, false },
	{ "mode", modes, false },
	{ "name", NULL, false },
	{ "full", full, false },
	{ "limit_bytes", NULL, true },
	{ "limit_operations", NULL, true },
	{ "burst_bytes", NULL, true },
	{ "burst_operations", NULL, true },
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

static bool is_choice(const char *const *choices, const char *text)
{
	for (; *choices; choices++)
		if (!strcmp(*choices, text))
			return true;
	return false;
}

static bool is_number(const char *text)
{
	size_t length = strlen(text);

	return length && length < 20 && strspn(text, "0123456789") == length;
}

/* As a text, whichever kind of value it is. */
static bool put(const struct parsing *p, json_t *disk, const char *name, const char *text)
{
	for (size_t i = 0; i < KEYS; i++) {
		if (strcmp(keys[i].name, name))
			continue;
		if (keys[i].choices && !is_choice(keys[i].choices, text))
			return config_fail(p->report, p->place, "%s: '%s' is none", name, text);
		if (keys[i].number && !is_number(text))
			return config_fail(p->report, p->place, "%s: '%s' is no number", name,
					   text);
		return !json_object_set_new(disk, name, json_string(text)) ||
		       config_fail(p->report, p->place, "%s: is not UTF-8", name);
	}
	return config_fail(p->report, p->place, "%s: no such key of a disk", name);
}

static bool put_value(const struct parsing *p, json_t *disk, const char *name, const json_t *value)
{
	char text[32];

	if (json_is_string(value))
		return put(p, disk, name, json_string_value(value));
	if (!json_is_integer(value))
		return config_fail(p->report, p->place, "%s: should be a text or a number", name);
	snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(value));
	return put(p, disk, name, text);
}

static bool read_object(const struct parsing *p, const json_t *object, json_t *disk)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)object, name, value) {
		if (!put_value(p, disk, name, value))
			return false;
	}
	return true;
}

/* --- xl's texts --- */

static char *trimmed(char *word)
{
	char *end;

	while (isspace((unsigned char)*word))
		word++;
	end = word + strlen(word);
	while (end > word && isspace((unsigned char)end[-1]))
		*--end = 0;
	return word;
}

static bool put_access(const struct parsing *p, json_t *disk, const char *access)
{
	if (!strcmp(access, "w") || !strcmp(access, "rw"))
		return put(p, disk, "mode", "w");
	if (!strcmp(access, "r") || !strcmp(access, "ro"))
		return put(p, disk, "mode", "r");
	return config_fail(p->report, p->place, "'%s': should be r, ro, w or rw", access);
}

static bool put_named(const struct parsing *p, json_t *disk, char *word)
{
	static const char *const same[][2] = { { "target", "image" },
					       { "format", "format" },
					       { "vdev", "name" } };
	char *value = strchr(word, '=') + 1;

	value[-1] = 0;
	if (!strcmp(word, "access"))
		return put_access(p, disk, value);
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		if (!strcmp(word, same[i][0]))
			return put(p, disk, same[i][1], value);
	return config_fail(p->report, p->place, "'%s': not known of disks here", word);
}

/* What the word at a position is; the old form has no format. */
static bool put_position(const struct parsing *p, json_t *disk, char *word, unsigned position,
			 bool old)
{
	static const char *const names[] = { "image", "format", "name" };

	if (old && position)
		position++;
	if (!*word)
		return true;
	if (position == 3)
		return put_access(p, disk, word);
	if (position > 3)
		return config_fail(p->report, p->place, "'%s': one word too many", word);
	return put(p, disk, names[position], word);
}

static bool read_words(const struct parsing *p, char *text, json_t *disk)
{
	static const char *const prefixes[] = { "file:", "phy:" };
	unsigned position = 0;
	bool old = false, good = true;

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		if (strncmp(text, prefixes[i], strlen(prefixes[i])))
			continue;
		text += strlen(prefixes[i]);
		old = true;
	}
	for (char *word; good && (word = strsep(&text, ","));) {
		word = trimmed(word);
		if (strchr(word, '='))
			good = put_named(p, disk, word);
		else
			good = put_position(p, disk, word, position++, old);
	}
	return good;
}

static bool read_text(const struct parsing *p, const char *text, json_t *disk)
{
	char *copy = strdup(text);
	bool good = copy && read_words(p, copy, disk);

	free(copy);
	return good;
}

/* --- The list --- */

static bool complete(const struct parsing *p, json_t *disk, size_t number)
{
	const char *image = json_string_value(json_object_get(disk, "image"));
	const char *slash = p->place->line ? strrchr(p->place->file, '/') : NULL;
	const char *format = json_string_value(json_object_get(disk, "format"));

	if (!image || !*image)
		return config_fail(p->report, p->place, "disk %zu: has no image", number);
	if (image[0] != '/' && slash && (!format || strcmp(format, "nbd")))
		json_object_set_new(disk, "image",
				    json_sprintf("%.*s/%s", (int)(slash - p->place->file),
						 p->place->file, image));
	return true;
}

static bool read_one(const struct parsing *p, const json_t *value, size_t number, json_t *list)
{
	json_t *disk = json_object();
	bool good;

	if (json_is_object(value))
		good = read_object(p, value, disk);
	else if (json_is_string(value))
		good = read_text(p, json_string_value(value), disk);
	else
		good = config_fail(p->report, p->place, "disk %zu: should be an object or a text",
				   number);
	good = good && complete(p, disk, number);
	if (good)
		json_array_append(list, disk);
	json_decref(disk);
	return good;
}

bool config_disks_set(json_t **field, const json_t *value, const struct config_place *place,
		      struct report *report)
{
	const struct parsing p = { place, report };
	json_t *list = json_array(), *one;
	bool good = true;
	size_t i;

	if (!json_is_array(value)) {
		good = read_one(&p, value, 0, list);
	} else {
		json_array_foreach(value, i, one)
			good = good && read_one(&p, one, i, list);
	}
	if (json_array_size(list) > SETTING_DISKS)
		good = config_fail(report, place, "more than %u disks", SETTING_DISKS);
	if (!good) {
		json_decref(list);
		return false;
	}
	json_decref(*field);
	*field = list;
	return true;
}
