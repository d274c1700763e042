// SPDX-License-Identifier: BSD-2-Clause
/*
 * Lists of a guest's devices in a configuration. Whatever they were, objects or texts as in xl.cfg,
 * they become objects whose values are texts, checked by the table of their class.
 *
 * Interface: config_part.h. Locks: none.
 */
#include "toolstack/lib/config_part.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- One key --- */

static bool check_choice(const struct config_part *part, const struct config_part_key *key,
			 const char *text)
{
	char allowed[120] = "";

	for (const char *const *choice = key->choices; *choice; choice++) {
		if (!strcmp(*choice, text))
			return true;
		strncat(allowed, *choice, sizeof(allowed) - strlen(allowed) - 1);
		if (choice[1])
			strncat(allowed, ", ", sizeof(allowed) - strlen(allowed) - 1);
	}
	return config_fail(part->report, part->place, "%s: '%s': should be one of %s", key->name,
			   text, allowed);
}

static bool check_number(const struct config_part *part, const struct config_part_key *key,
			 const char *text)
{
	size_t length = strlen(text);
	uint64_t number;

	errno = 0;
	number = strtoull(text, NULL, 10);
	if (length && strspn(text, "0123456789") == length && !errno && number >= key->min &&
	    number <= key->max)
		return true;
	return config_fail(part->report, part->place,
			   "%s: '%s': should be a number from %llu to %llu", key->name, text,
			   (unsigned long long)key->min, (unsigned long long)key->max);
}

static bool check(const struct config_part *part, const struct config_part_key *key,
		  const char *text)
{
	const char *wrong = key->wrong ? key->wrong(text) : NULL;

	if (wrong)
		return config_fail(part->report, part->place, "%s: '%s': should be %s", key->name,
				   text, wrong);
	if (key->choices)
		return check_choice(part, key, text);
	return !key->max || check_number(part, key, text);
}

bool config_part_put(const struct config_part *part, json_t *object, const char *name,
		     const char *text)
{
	for (const struct config_part_key *key = part->class->keys; key->name; key++) {
		if (strcmp(key->name, name))
			continue;
		if (!check(part, key, text))
			return false;
		return !json_object_set_new(object, name, json_string(text)) ||
		       config_fail(part->report, part->place, "%s: is not UTF-8", name);
	}
	return config_fail(part->report, part->place, "%s: no such key of a %s", name,
			   part->class->what);
}

/* As a text, whichever kind of value it is. */
static bool put_value(const struct config_part *part, json_t *object, const char *name,
		      const json_t *value)
{
	char text[32];

	if (json_is_string(value))
		return config_part_put(part, object, name, json_string_value(value));
	if (json_is_boolean(value))
		return config_part_put(part, object, name, json_is_true(value) ? "1" : "0");
	if (!json_is_integer(value))
		return config_fail(part->report, part->place, "%s: should be a text or a number",
				   name);
	snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(value));
	return config_part_put(part, object, name, text);
}

/* --- One device --- */

static bool read_object(const struct config_part *part, const json_t *value, json_t *object)
{
	const char *name;
	json_t *one;

	json_object_foreach((json_t *)value, name, one) {
		if (!put_value(part, object, name, one))
			return false;
	}
	return true;
}

static bool read_text(const struct config_part *part, const char *text, json_t *object)
{
	char *copy = strdup(text);
	bool good = copy && part->class->read_text(part, copy, object);

	free(copy);
	return good;
}

char *config_part_word(char **rest)
{
	char *word = strsep(rest, ","), *end;

	if (!word)
		return NULL;
	while (isspace((unsigned char)*word))
		word++;
	end = word + strlen(word);
	while (end > word && isspace((unsigned char)end[-1]))
		*--end = 0;
	return word;
}

static bool read_one(const struct config_part *part, const json_t *value, size_t number,
		     json_t *list)
{
	json_t *object = json_object();
	bool good;

	if (json_is_object(value))
		good = read_object(part, value, object);
	else if (json_is_string(value))
		good = read_text(part, json_string_value(value), object);
	else
		good = config_fail(part->report, part->place,
				   "%s %zu: should be an object or a text", part->class->what,
				   number);
	good = good && part->class->complete(part, object, number);
	if (good)
		json_array_append(list, object);
	json_decref(object);
	return good;
}

/* --- The list --- */

/* `disks=` on a command line takes away what the file says. */
static bool is_empty(const json_t *value)
{
	return json_is_string(value) && !json_string_length(value);
}

bool config_part_set(const struct config_part_class *class, json_t **field, const json_t *value,
		     const struct config_place *place, struct report *report)
{
	const struct config_part part = { class, place, report };
	json_t *list = json_array(), *one;
	bool good = true;
	size_t i;

	if (is_empty(value)) {
		/* None. */
	} else if (!json_is_array(value)) {
		good = read_one(&part, value, 0, list);
	} else {
		json_array_foreach(value, i, one)
			good = good && read_one(&part, one, i, list);
	}
	if (json_array_size(list) > class->most)
		good = config_fail(report, place, "more than %zu of them", class->most);
	if (!good) {
		json_decref(list);
		return false;
	}
	json_decref(*field);
	*field = list;
	return true;
}
