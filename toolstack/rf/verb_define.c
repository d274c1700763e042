// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf define`, `rf undefine`, `rf autostart` and `rf start`: guests whose configurations are kept.
 *
 * Interface: verbs.h. Locks: those of definition.c and life.c.
 */
#include <stdlib.h>
#include <string.h>

#include "toolstack/lib/definition.h"
#include "toolstack/lib/image.h"
#include "toolstack/lib/life.h"
#include "toolstack/rf/console.h"
#include "toolstack/rf/output.h"
#include "toolstack/rf/target.h"
#include "toolstack/rf/verbs.h"

/* What cannot be started is not kept. */
static enum status check_images(const struct config *config, struct report *report)
{
	struct image image;
	bool good = image_open(&image, config, report);

	image_close(&image);
	return good ? STATUS_OK : STATUS_FAILED;
}

enum status verb_define(struct command *command)
{
	struct report report = { .warnings = 0 };
	struct definition definition = { .autostart = command_option(command, "autostart") };
	enum status status = target_read_config(command, &definition.config);

	if (status == STATUS_OK) {
		life_make_absolute(&definition.config);
		status = check_images(&definition.config, &report);
		if (status == STATUS_OK)
			status = definition_write(&definition, &report);
		status = target_done(command, status, &report);
	}
	definition_free(&definition);
	return status;
}

enum status verb_undefine(struct command *command)
{
	struct report report = { .warnings = 0 };
	enum status status = definition_remove(command->words[0], &report);

	return target_done(command, status, &report);
}

enum status verb_autostart(struct command *command)
{
	struct report report = { .warnings = 0 };
	enum status status = definition_set_autostart(command->words[0],
						      !command_option(command, "off"), &report);

	return target_done(command, status, &report);
}

/* --- Starting --- */

static enum status start(struct command *command, struct target *target, struct config *config)
{
	struct report report = { .warnings = 0 };

	if (!life_create(&target->access, config, command_option(command, "paused"), &target->info,
			 &report))
		return command_fail(command, STATUS_FAILED, "%s", report.error);
	command_warn(command, &report);
	if (command_option(command, "console"))
		return console_attach(command, target);
	return output_done(command);
}

enum status verb_start(struct command *command)
{
	struct report report = { .warnings = 0 };
	struct definition definition;
	struct target target;
	enum status status = definition_read(command->words[0], &definition, &report);

	if (status != STATUS_OK) {
		command_fail(command, status, "%s", report.error);
	} else {
		status = target_open(command, &target, NULL);
		if (status == STATUS_OK)
			status = start(command, &target, &definition.config);
		target_close(&target);
	}
	definition_free(&definition);
	return status;
}

/* --- Listing --- */

static void add_row(json_t *rows, const char *name)
{
	struct report report = { .warnings = 0 };
	struct definition definition;
	json_t *row;

	if (definition_read(name, &definition, &report) == STATUS_OK)
		row = definition_json(&definition);
	else
		row = json_pack("{s:s, s:s}", "name", name, "error", report.error);
	definition_free(&definition);
	json_array_append_new(rows, row);
}

enum status verb_definitions(struct command *command)
{
	static const struct output_column columns[] = {
		{ "NAME", "name", OUTPUT_TEXT },
		{ "AUTOSTART", "autostart", OUTPUT_TEXT },
		{ NULL, NULL, OUTPUT_TEXT },
	};
	json_t *names = definition_names(), *rows = json_array(), *name;
	size_t i;

	json_array_foreach(names, i, name) {
		if (command_option(command, "names") && !command->json)
			printf("%s\n", json_string_value(name));
		else
			add_row(rows, json_string_value(name));
	}
	json_decref(names);
	if (!command_option(command, "names") || command->json)
		return output_table(command, columns, rows);
	json_decref(rows);
	return STATUS_OK;
}
