// SPDX-License-Identifier: BSD-2-Clause
/*
 * Configurations in JSON: one object, whose members are the keys.
 *
 * Interface: config_parse_json of config.h. Locks: none.
 * Odd: the JSON library checks the syntax but does not say on which line a member stands, so that is
 * looked for in the text, which is known to be good JSON then.
 */
#include <string.h>

#include "toolstack/lib/config.h"

/* The closing quote of a string, from its opening one. */
static const char *string_end(const char *text)
{
	for (text++; *text != '"'; text++)
		if (*text == '\\')
			text++;
	return text;
}

static bool is_member(const char *start, const char *end, const char *name)
{
	if ((size_t)(end - start) != strlen(name) || memcmp(start, name, (size_t)(end - start)))
		return false;
	end += 1 + strspn(end + 1, " \t\r\n");
	return *end == ':';
}

/* The line of a member of the outermost object; 1 if its name is written with escapes. */
static unsigned line_of(const char *text, const char *name)
{
	unsigned line = 1, depth = 0;
	const char *end;

	for (; *text; text++) {
		depth += *text == '{' || *text == '[';
		depth -= *text == '}' || *text == ']';
		line += *text == '\n';
		if (*text != '"')
			continue;
		end = string_end(text);
		if (depth == 1 && is_member(text + 1, end, name))
			return line;
		text = end;
	}
	return 1;
}

static bool set_members(const char *file, const char *text, const json_t *root,
			struct config *config, struct report *report)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)root, name, value) {
		struct config_place place = { file, line_of(text, name), name };
		const struct config_key *key = config_find(name);

		if (!key)
			return config_fail(report, &place, "no such key (docs/config.md has them)");
		if (!config_set(config, key, value, &place, report))
			return false;
	}
	return true;
}

bool config_parse_json(const char *file, const char *text, size_t size, struct config *config,
		       struct report *report)
{
	json_error_t error;
	json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	bool good;

	if (!root)
		return report_fail(report, "%s:%d:%d: %s", file, error.line, error.column,
				   error.text);
	if (json_is_object(root))
		good = set_members(file, text, root, config, report);
	else
		good = report_fail(report, "%s:1: should be an object: { \"kernel\": ... }", file);
	json_decref(root);
	return good;
}
