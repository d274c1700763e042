// SPDX-License-Identifier: BSD-2-Clause
/*
 * Configurations in the grammar of xl.cfg: lines `key = value`, where a value is a quoted text, a number
 * or a list in brackets.
 *
 * Interface: config_parse_xl of config.h. Locks: none.
 * Odd: what has no meaning here is ignored with a warning, once for each key, so that files that were
 * written for Xen can be used as they are; a value that has a meaning is checked as in JSON.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "abi/start_info.h"
#include "toolstack/lib/config.h"

#define DEPTH_MAX 8 /* of lists in lists */

struct scanner {
	const char *at;
	const char *end;
	struct config_place place;
	struct report *report;
};

/* What becomes the command line, once all is read. */
struct texts {
	char *cmdline;
	char *root;
	char *extra;
};

static const struct {
	const char *xl;
	const char *ours;
} same[] = {
	{ "name", "name" },
	{ "uuid", "uuid" },
	{ "kernel", "kernel" },
	{ "ramdisk", "initrd" },
	{ "memory", "memory" },
	{ "maxmem", "memory_max" },
	{ "vcpus", "vcpus" },
	{ "cpus", "cpus" },
	{ "cpu", "cpus" },
	{ "cpu_weight", "weight" },
	{ "cap", "cap" },
	{ "cpu_cap", "cap" },
	{ "on_poweroff", "on_poweroff" },
	{ "on_reboot", "on_reboot" },
	{ "on_crash", "on_crash" },
	{ "disk", "disks" },
	{ "vif", "nets" },
};

/* What xl has for on_* beside ours, and what comes nearest. */
static const struct {
	const char *xl;
	const char *ours;
} actions[] = {
	{ "rename-restart", "restart" },
	{ "coredump-destroy", "destroy" },
	{ "coredump-restart", "restart" },
	{ "soft-reset", "restart" },
};

/* --- Scanning --- */

static bool more(const struct scanner *s)
{
	return s->at < s->end;
}

static bool syntax(struct scanner *s, const char *wanted)
{
	const char *file = s->place.file;

	if (!more(s))
		return report_fail(s->report, "%s:%u: the file ends where %s should be", file,
				   s->place.line, wanted);
	if (isgraph((unsigned char)*s->at))
		return report_fail(s->report, "%s:%u: '%c' where %s should be", file, s->place.line,
				   *s->at, wanted);
	return report_fail(s->report, "%s:%u: byte 0x%02x where %s should be", file, s->place.line,
			   (unsigned char)*s->at, wanted);
}

static void skip_comment(struct scanner *s)
{
	while (more(s) && *s->at != '\n')
		s->at++;
}

/* Blanks and comments; with `lines`, ends of lines too. */
static void skip(struct scanner *s, bool lines)
{
	for (; more(s); s->at++) {
		if (*s->at == '#')
			skip_comment(s);
		if (!more(s) || (*s->at == '\n' && !lines) || !isspace((unsigned char)*s->at))
			return;
		s->place.line += *s->at == '\n';
	}
}

static bool take(struct scanner *s, char c)
{
	if (!more(s) || *s->at != c)
		return false;
	s->at++;
	return true;
}

/* --- Values --- */

static int escaped(char c)
{
	static const char from[] = "nrt\\'\"", to[] = "\n\r\t\\'\"";
	const char *found = c ? strchr(from, c) : NULL;

	return found ? to[found - from] : -1;
}

static bool read_character(struct scanner *s, char *character)
{
	int special;

	if (!more(s) || *s->at == '\n')
		return syntax(s, "the end of a quoted text");
	*character = *s->at++;
	if (*character != '\\')
		return true;
	special = more(s) ? escaped(*s->at) : -1;
	if (special < 0)
		return syntax(s, "one of n r t \\ ' \" after a backslash");
	*character = (char)special;
	s->at++;
	return true;
}

static json_t *read_text(struct scanner *s)
{
	char quote = *s->at++, *text = malloc((size_t)(s->end - s->at) + 1);
	json_t *value = NULL;
	size_t length = 0;

	while (text && !take(s, quote))
		if (!read_character(s, &text[length++]))
			goto out;
	value = text ? json_stringn(text, length) : NULL;
	if (!value)
		report_fail(s->report, "%s:%u: a text is not UTF-8", s->place.file, s->place.line);
out:
	free(text);
	return value;
}

/* Kept as text; the key says what the number may be. */
static json_t *read_number(struct scanner *s)
{
	const char *start = s->at;

	while (more(s) && isalnum((unsigned char)*s->at))
		s->at++;
	return json_stringn(start, (size_t)(s->at - start));
}

static json_t *read_value(struct scanner *s, unsigned depth);

static json_t *read_list(struct scanner *s, unsigned depth)
{
	json_t *list = json_array(), *value;

	s->at++;
	for (;;) {
		skip(s, true);
		if (take(s, ']'))
			return list;
		value = read_value(s, depth + 1);
		if (!value)
			break;
		json_array_append_new(list, value);
		skip(s, true);
		if (!take(s, ',') && (!more(s) || *s->at != ']')) {
			syntax(s, "a comma or ]");
			break;
		}
	}
	json_decref(list);
	return NULL;
}

static json_t *read_value(struct scanner *s, unsigned depth)
{
	if (depth > DEPTH_MAX) {
		report_fail(s->report, "%s:%u: lists in lists, more than %u deep", s->place.file,
			    s->place.line, DEPTH_MAX);
		return NULL;
	}
	if (more(s) && (*s->at == '"' || *s->at == '\''))
		return read_text(s);
	if (more(s) && *s->at == '[')
		return read_list(s, depth);
	if (more(s) && isdigit((unsigned char)*s->at))
		return read_number(s);
	syntax(s, "a quoted text, a number or [");
	return NULL;
}

/* --- Keys --- */

static bool keep_text(const struct scanner *s, const json_t *value, char **text)
{
	if (!json_is_string(value))
		return config_fail(s->report, &s->place, "should be a text");
	free(*text);
	*text = strdup(json_string_value(value));
	return *text || config_fail(s->report, &s->place, "out of memory");
}

static bool check_type(const struct scanner *s, const json_t *value)
{
	const char *type = json_string_value(value);

	if (type && !strcmp(type, "pv"))
		return true;
	return config_fail(s->report, &s->place, "%s: only \"pv\" guests can run",
			   type ? type : "no text");
}

static bool set_same(const struct scanner *s, const char *ours, const json_t *value,
		     struct config *config)
{
	const struct config_key *key = config_find(ours);
	const char *text = json_string_value(value);
	json_t *other = NULL;
	bool good;

	for (size_t i = 0;
	     text && key->kind == KIND_CHOICE && i < sizeof(actions) / sizeof(*actions); i++) {
		if (strcmp(text, actions[i].xl))
			continue;
		report_warn(s->report, "%s:%u: %s: '%s' is taken for '%s'", s->place.file,
			    s->place.line, s->place.key, text, actions[i].ours);
		other = json_string(actions[i].ours);
	}
	good = config_set(config, key, other ? other : value, &s->place, s->report);
	json_decref(other);
	return good;
}

static bool set_key(const struct scanner *s, const json_t *value, struct config *config,
		    struct texts *texts)
{
	const char *name = s->place.key;

	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++)
		if (!strcmp(name, same[i].xl))
			return set_same(s, same[i].ours, value, config);
	if (!strcmp(name, "type"))
		return check_type(s, value);
	if (!strcmp(name, "cmdline"))
		return keep_text(s, value, &texts->cmdline);
	if (!strcmp(name, "root"))
		return keep_text(s, value, &texts->root);
	if (!strcmp(name, "extra"))
		return keep_text(s, value, &texts->extra);
	report_warn(s->report, "%s:%u: %s: ignored: it has no meaning here", s->place.file,
		    s->place.line, name);
	return true;
}

/* One `key = value`. */
static bool read_assignment(struct scanner *s, struct config *config, struct texts *texts)
{
	const char *start = s->at;
	struct scanner key = *s; /* a value may end on a later line */
	char name[64];
	json_t *value;
	bool good;

	if (isdigit((unsigned char)*start))
		return syntax(s, "a key");
	while (more(s) && (isalnum((unsigned char)*s->at) || *s->at == '_'))
		s->at++;
	if (s->at == start)
		return syntax(s, "a key");
	if ((size_t)(s->at - start) >= sizeof(name))
		return report_fail(s->report, "%s:%u: a key of %zu bytes, at most %zu are possible",
				   s->place.file, s->place.line, (size_t)(s->at - start),
				   sizeof(name) - 1);
	snprintf(name, sizeof(name), "%.*s", (int)(s->at - start), start);
	key.place.key = name;
	skip(s, false);
	if (!take(s, '='))
		return syntax(s, "=");
	skip(s, false);
	value = read_value(s, 0);
	if (!value)
		return false;
	good = set_key(&key, value, config, texts);
	json_decref(value);
	skip(s, false);
	if (good && more(s) && !take(s, ';') && *s->at != '\n')
		return syntax(s, "the end of the line");
	return good;
}

/* --- The command line --- */

static bool set_command_line(const struct scanner *s, const struct texts *texts,
			     struct config *config)
{
	struct config_place place = { s->place.file, s->place.line, "cmdline" };
	const char *extra = texts->extra ? texts->extra : "";
	json_t *value;
	bool good;

	if (!texts->cmdline && !texts->root && !texts->extra)
		return true;
	if (texts->cmdline && (texts->root || texts->extra))
		report_warn(s->report, "%s: root, extra: ignored: there is a cmdline", place.file);
	if (texts->cmdline)
		value = json_string(texts->cmdline);
	else if (texts->root)
		value = json_sprintf("root=%s%s%s", texts->root, *extra ? " " : "", extra);
	else
		value = json_string(extra);
	good = config_set(config, config_find("command_line"), value, &place, s->report);
	json_decref(value);
	return good;
}

bool config_parse_xl(const char *file, const char *text, size_t size, struct config *config,
		     struct report *report)
{
	struct scanner s = { text, text + size, { file, 1, "" }, report };
	struct texts texts = { NULL, NULL, NULL };
	bool good = true;

	for (skip(&s, true); good && more(&s); skip(&s, true))
		good = take(&s, ';') || read_assignment(&s, config, &texts);
	good = good && set_command_line(&s, &texts, config);
	free(texts.cmdline);
	free(texts.root);
	free(texts.extra);
	return good;
}
