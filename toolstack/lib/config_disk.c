// SPDX-License-Identifier: BSD-2-Clause
/*
 * The disks of a configuration: objects as in docs/config.md, or texts as in xl.cfg. Whatever they were, they become
 * a list of objects with the keys below, all of them texts, and the image's path.
 *
 * Interface: config_disks_set of config.h. Locks: none.
 * Odd: of xl's texts there are three forms: `file:IMAGE,NAME,MODE`, `IMAGE,FORMAT,NAME,ACCESS`, and words with `=`.
 */
#include <string.h>

#include "toolstack/lib/config_part.h"

static const char *const formats[] = { "raw", "qcow2", "vpc", "vhdx", "vmdk", "nbd", NULL };
static const char *const modes[] = { "w", "r", NULL };
static const char *const full[] = { "pause", "report", NULL };

static const struct config_part_key keys[] = {
	{ "image", NULL, 0, 0, NULL },
	{ "format", formats, 0, 0, NULL },
	{ "mode", modes, 0, 0, NULL },
	{ "name", NULL, 0, 0, NULL },
	{ "full", full, 0, 0, NULL },
	{ "limit_bytes", NULL, 0, INT64_MAX, NULL },
	{ "limit_operations", NULL, 0, INT64_MAX, NULL },
	{ "burst_bytes", NULL, 0, INT64_MAX, NULL },
	{ "burst_operations", NULL, 0, INT64_MAX, NULL },
	{ NULL, NULL, 0, 0, NULL },
};

/* --- xl's texts --- */

static bool put_access(const struct config_part *part, json_t *disk, const char *access)
{
	if (!strcmp(access, "w") || !strcmp(access, "rw"))
		return config_part_put(part, disk, "mode", "w");
	if (!strcmp(access, "r") || !strcmp(access, "ro"))
		return config_part_put(part, disk, "mode", "r");
	return config_fail(part->report, part->place, "'%s': should be r, ro, w or rw", access);
}

static bool put_named(const struct config_part *part, json_t *disk, char *word)
{
	static const char *const same[][2] = { { "target", "image" },
					       { "format", "format" },
					       { "vdev", "name" } };
	char *value = strchr(word, '=') + 1;

	value[-1] = 0;
	if (!strcmp(word, "access"))
		return put_access(part, disk, value);
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		if (!strcmp(word, same[i][0]))
			return config_part_put(part, disk, same[i][1], value);
	return config_fail(part->report, part->place, "'%s': not known of disks here", word);
}

/* What the word at a position is; the old form has no format. */
static bool put_position(const struct config_part *part, json_t *disk, char *word,
			 unsigned position, bool old)
{
	static const char *const names[] = { "image", "format", "name" };

	if (old && position)
		position++;
	if (!*word)
		return true;
	if (position == 3)
		return put_access(part, disk, word);
	if (position > 3)
		return config_fail(part->report, part->place, "'%s': one word too many", word);
	return config_part_put(part, disk, names[position], word);
}

static bool read_text(const struct config_part *part, char *text, json_t *disk)
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
	for (char *word; good && (word = config_part_word(&text));) {
		if (strchr(word, '='))
			good = put_named(part, disk, word);
		else
			good = put_position(part, disk, word, position++, old);
	}
	return good;
}

/* --- All of it --- */

static bool complete(const struct config_part *part, json_t *disk, size_t number)
{
	const struct config_place *place = part->place;
	const char *image = json_string_value(json_object_get(disk, "image"));
	const char *slash = place->line ? strrchr(place->file, '/') : NULL;
	const char *format = json_string_value(json_object_get(disk, "format"));

	if (!image || !*image)
		return config_fail(part->report, place, "disk %zu: has no image", number);
	if (image[0] != '/' && slash && (!format || strcmp(format, "nbd")))
		json_object_set_new(disk, "image",
				    json_sprintf("%.*s/%s", (int)(slash - place->file), place->file,
						 image));
	return true;
}

bool config_disks_set(json_t **field, const json_t *value, const struct config_place *place,
		      struct report *report)
{
	static const struct config_part_class class = {
		.what = "disk",
		.keys = keys,
		.most = SETTING_DISKS,
		.read_text = read_text,
		.complete = complete,
	};

	return config_part_set(&class, field, value, place, report);
}
