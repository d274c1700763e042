// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf disk-attach`, `rf disk-detach`, `rf disk-list`, `rf disk-limit`, `rf disk-resize`.
 *
 * Interface: verbs.h. Locks: none.
 */
#include <stdlib.h>
#include <string.h>

#include "toolstack/lib/config.h"
#include "toolstack/lib/disk.h"
#include "toolstack/rf/output.h"
#include "toolstack/rf/target.h"
#include "toolstack/rf/verbs.h"

#define DETACH_SECONDS 30

/* A verb about one domain: what it does is `act`. */
static enum status with_domain(struct command *command,
			       enum status (*act)(struct command *command, uint32_t domain,
						  struct report *report))
{
	struct report report = { .warnings = 0 };
	struct target target;
	enum status status = target_open(command, &target, command->words[0]);

	if (status == STATUS_OK) {
		status = act(command, target.info.domain, &report);
		if (status != STATUS_OK && report.error[0])
			command_fail(command, status, "%s", report.error);
	}
	target_close(&target);
	return status;
}

/* --- Attaching --- */

/* The words after the domain: IMAGE, or KEY=VALUE of a disk. */
static json_t *disk_of_words(const struct command *command, struct report *report)
{
	const struct config_place place = { "command line", 0, "disk" };
	json_t *object = json_object(), *list = NULL;

	for (unsigned i = 1; i < command->count; i++) {
		char *word = command->words[i], *equals = strchr(word, '=');
		bool key = equals && word[0] != '/';

		if (key)
			*equals = 0;
		json_object_set_new(object, key ? word : "image",
				    json_string(key ? equals + 1 : word));
	}
	config_disks_set(&list, object, &place, report);
	json_decref(object);
	return list;
}

static void make_absolute(json_t *disk)
{
	char *path = realpath(json_string_value(json_object_get(disk, "image")), NULL);

	if (path)
		json_object_set_new(disk, "image", json_string(path));
	free(path);
}

static enum status attach(struct command *command, uint32_t domain, struct report *report)
{
	static const struct output_column columns[] = { { "Disk", "id", OUTPUT_NUMBER },
							{ NULL, NULL, OUTPUT_TEXT } };
	json_t *list = disk_of_words(command, report);
	enum status status = STATUS_FAILED;
	unsigned id;

	if (!list)
		return STATUS_USAGE;
	make_absolute(json_array_get(list, 0));
	if (disk_attach(domain, json_array_get(list, 0), &id, report))
		status = output_lines(command, columns, json_pack("{s:i}", "id", (int)id));
	json_decref(list);
	return status;
}

enum status verb_disk_attach(struct command *command)
{
	return with_domain(command, attach);
}

/* --- Detaching --- */

static enum status detach(struct command *command, uint32_t domain, struct report *report)
{
	const char *timeout = command_option(command, "timeout");
	unsigned long long seconds = DETACH_SECONDS;
	bool force = command_option(command, "force");
	unsigned id;

	if (timeout && !command_number(command, "--timeout", timeout, 0, 86400, &seconds))
		return STATUS_USAGE;
	if (!disk_find(domain, command->words[1], &id, report))
		return STATUS_NOT_FOUND;
	if (!disk_detach(domain, id, (unsigned)seconds, force, report))
		return STATUS_BUSY;
	return output_done(command);
}

enum status verb_disk_detach(struct command *command)
{
	return with_domain(command, detach);
}

/* --- Looking --- */

/* What the table shows of the counts. */
static void flatten(json_t *row)
{
	static const char *const names[] = { "reads", "writes", "errors" };
	json_t *counts = json_object_get(row, "statistics");

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		json_t *count = json_object_get(counts, names[i]);

		json_object_set_new(row, names[i], count ? json_incref(count) : json_integer(0));
	}
}

static enum status list(struct command *command, uint32_t domain, struct report *report)
{
	static const struct output_column columns[] = {
		{ "ID", "id", OUTPUT_NUMBER },	       { "NAME", "name", OUTPUT_TEXT },
		{ "STATE", "state", OUTPUT_TEXT },     { "MODE", "mode", OUTPUT_TEXT },
		{ "MIB", "size", OUTPUT_MIB },	       { "READS", "reads", OUTPUT_NUMBER },
		{ "WRITES", "writes", OUTPUT_NUMBER }, { "ERRORS", "errors", OUTPUT_NUMBER },
		{ "PAUSED", "paused", OUTPUT_TEXT },   { "IMAGE", "image", OUTPUT_TEXT },
		{ NULL, NULL, OUTPUT_TEXT },
	};
	json_t *rows = disk_list(domain, report), *row;
	size_t i;

	if (!rows)
		return STATUS_FAILED;
	json_array_foreach(rows, i, row)
		flatten(row);
	return output_table(command, columns, rows);
}

enum status verb_disk_list(struct command *command)
{
	return with_domain(command, list);
}

/* --- Changing --- */

static enum status limit(struct command *command, uint32_t domain, struct report *report)
{
	static const char *const names[][2] = { { "bytes", "limit-bytes" },
						{ "operations", "limit-operations" },
						{ "burst-bytes", "burst-bytes" },
						{ "burst-operations", "burst-operations" } };
	unsigned id;

	if (!disk_find(domain, command->words[1], &id, report))
		return STATUS_NOT_FOUND;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = command_option(command, names[i][0]);
		unsigned long long number;

		if (!value)
			continue;
		if (!command_number(command, names[i][0], value, 0, INT64_MAX, &number))
			return STATUS_USAGE;
		if (!disk_change(domain, id, names[i][1], value, report))
			return STATUS_FAILED;
	}
	return output_done(command);
}

enum status verb_disk_limit(struct command *command)
{
	return with_domain(command, limit);
}

static enum status resize(struct command *command, uint32_t domain, struct report *report)
{
	unsigned id;

	if (!disk_find(domain, command->words[1], &id, report))
		return STATUS_NOT_FOUND;
	if (!disk_change(domain, id, "resize", "1", report))
		return STATUS_FAILED;
	return output_done(command);
}

enum status verb_disk_resize(struct command *command)
{
	return with_domain(command, resize);
}
