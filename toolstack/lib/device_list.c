// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the store says of guests' devices.
 *
 * Interface: device.h. Locks: none. Odd: statistics are as old as the back end's last word, a second or two.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/lib/device.h"

#define PATH DEVICE_PATH

static const char *state_name(unsigned state)
{
	static const char *const names[] = { "gone",	  "starting", "waiting", "connecting",
					     "connected", "closing",  "closed" };

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

static void add_key(struct rfstore *store, json_t *row, const char *folder,
		    const struct device_key *key)
{
	char *text = device_read_key(store, folder, key->path);

	if (text && key->number)
		json_object_set_new(
			row, key->title,
			json_integer((json_int_t)(strtoull(text, NULL, 10) * key->number)));
	else if (text)
		json_object_set_new(row, key->title, json_string(text));
	free(text);
}

/* `reads=1 writes=2` as an object. */
static void add_counts(struct rfstore *store, json_t *row, const struct device_folders *f)
{
	char *text = device_read_key(store, f->back, "private/statistics"), *rest = text;
	json_t *counts = json_object();

	for (char *word; text && (word = strsep(&rest, " "));) {
		char *equals = strchr(word, '=');

		if (!equals)
			continue;
		*equals = 0;
		json_object_set_new(counts, word, json_integer(strtoll(equals + 1, NULL, 10)));
	}
	json_object_set_new(row, "statistics", counts);
	free(text);
}

struct rows {
	struct rfstore *store;
	json_t *list;
};

static void add_row(void *argument, const struct device_folders *f)
{
	json_t *row = json_pack("{s:i, s:i}", "domain", (int)f->domain, "id", (int)f->id);
	const struct rows *rows = argument;

	json_object_set_new(row, "state",
			    json_string(state_name(device_state(rows->store, f->back))));
	for (const struct device_key *key = f->class->keys; key->title; key++)
		add_key(rows->store, row, key->of_front ? f->front : f->back, key);
	add_counts(rows->store, row, f);
	json_array_append_new(rows->list, row);
}

json_t *device_list(const struct device_class *class, uint32_t domain, struct report *report)
{
	struct rows rows = { .list = NULL };

	if (!device_open_store(&rows.store, report))
		return NULL;
	rows.list = json_array();
	device_each(rows.store, class, domain, add_row, &rows);
	rfstore_close(rows.store);
	return rows.list;
}

json_t *device_list_all(const struct device_class *class, struct report *report)
{
	struct rows rows = { .list = NULL };

	if (!device_open_store(&rows.store, report))
		return NULL;
	rows.list = json_array();
	device_each_of_all(rows.store, class, add_row, &rows);
	rfstore_close(rows.store);
	return rows.list;
}

static bool is_called(const json_t *row, const char *word)
{
	const char *name = json_string_value(json_object_get(row, "name"));
	char id[32];

	snprintf(id, sizeof(id), "%lld", (long long)json_integer_value(json_object_get(row, "id")));
	return !strcmp(id, word) || (name && !strcmp(name, word));
}

bool device_find(const struct device_class *class, uint32_t domain, const char *word, unsigned *id,
		 struct report *report)
{
	json_t *list = device_list(class, domain, report), *row;
	bool found = false;
	size_t i;

	json_array_foreach(list, i, row) {
		if (found || !is_called(row, word))
			continue;
		*id = (unsigned)json_integer_value(json_object_get(row, "id"));
		found = true;
	}
	json_decref(list);
	return found || report_fail(report, "%s: there is no such %s", word, class->what);
}
