// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is the same for disks and networks of guests: attaching, detaching, listing, limits.
 *
 * Interface: verb_device.h. Locks: none.
 */
#include "toolstack/rf/verb_device.h"

#include "toolstack/rf/target.h"

#define DETACH_SECONDS 30

enum status verb_device_do(struct command *command, const struct verb_device *device,
			   enum status (*act)(struct command *command,
					      const struct verb_device *device, uint32_t domain,
					      struct report *report))
{
	struct report report = { .warnings = 0 };
	struct target target;
	enum status status = target_open(command, &target, command->words[0]);

	if (status == STATUS_OK) {
		status = act(command, device, target.info.domain, &report);
		if (status != STATUS_OK && report.error[0])
			command_fail(command, status, "%s", report.error);
	}
	target_close(&target);
	return status;
}

/* --- Attaching --- */

static enum status attach(struct command *command, const struct verb_device *device,
			  uint32_t domain, struct report *report)
{
	const struct output_column columns[] = { { device->title, "id", OUTPUT_NUMBER },
						 { NULL, NULL, OUTPUT_TEXT } };
	unsigned id;
	enum status status = device->attach(command, domain, &id, report);

	if (status != STATUS_OK)
		return status;
	return output_lines(command, columns, json_pack("{s:i}", "id", (int)id));
}

enum status verb_device_attach(struct command *command, const struct verb_device *device)
{
	return verb_device_do(command, device, attach);
}

/* --- Detaching --- */

static enum status detach(struct command *command, const struct verb_device *device,
			  uint32_t domain, struct report *report)
{
	const char *timeout = command_option(command, "timeout");
	unsigned long long seconds = DETACH_SECONDS;
	bool force = command_option(command, "force");
	unsigned id;

	if (timeout && !command_number(command, "--timeout", timeout, 0, 86400, &seconds))
		return STATUS_USAGE;
	if (!device_find(device->class, domain, command->words[1], &id, report))
		return STATUS_NOT_FOUND;
	if (!device_detach(device->class, domain, id, (unsigned)seconds, force, report))
		return STATUS_BUSY;
	return output_done(command);
}

enum status verb_device_detach(struct command *command, const struct verb_device *device)
{
	return verb_device_do(command, device, detach);
}

/* --- Looking --- */

/* What the table shows of the counts. */
static void flatten(json_t *row, const char *const *names)
{
	json_t *counts = json_object_get(row, "statistics");

	for (; *names; names++) {
		json_t *count = json_object_get(counts, *names);

		json_object_set_new(row, *names, count ? json_incref(count) : json_integer(0));
	}
}

static enum status print_list(struct command *command, const struct verb_device *device,
			      json_t *rows)
{
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
		flatten(row, device->counts);
	return output_table(command, device->columns, rows);
}

enum status verb_device_list(struct command *command, const struct verb_device *device)
{
	const char *word = command->count ? command->words[0] : NULL;
	struct report report = { .warnings = 0 };
	struct target target;
	enum status status = target_open(command, &target, word);
	json_t *rows = NULL;

	if (status == STATUS_OK) {
		rows = word ? device_list(device->class, target.info.domain, &report)
			    : device_list_all(device->class, &report);
		status = rows ? print_list(command, device, rows)
			      : command_fail(command, STATUS_FAILED, "%s", report.error);
	}
	target_close(&target);
	return status;
}

/* --- Limits --- */

static bool are_numbers(struct command *command, const struct verb_device_limit *limits)
{
	unsigned long long number;

	for (; limits->option; limits++) {
		const char *value = command_option(command, limits->option);

		if (value && !command_number(command, limits->option, value, 0, INT64_MAX, &number))
			return false;
	}
	return true;
}

static bool change(struct command *command, const struct verb_device *device,
		   const struct verb_device_limit *limits, uint32_t domain, unsigned id,
		   struct report *report)
{
	for (; limits->option; limits++) {
		const char *value = command_option(command, limits->option);

		if (value && !device_change(device->class, domain, id, limits->key, value, report))
			return false;
	}
	return true;
}

enum status verb_device_limit(struct command *command, const struct verb_device *device,
			      const struct verb_device_limit *limits)
{
	struct report report = { .warnings = 0 };
	enum status status = STATUS_USAGE;
	struct target target;
	unsigned id;

	if (!are_numbers(command, limits))
		return status;
	status = target_open(command, &target, command->words[0]);
	if (status == STATUS_OK &&
	    !device_find(device->class, target.info.domain, command->words[1], &id, &report))
		status = command_fail(command, STATUS_NOT_FOUND, "%s", report.error);
	else if (status == STATUS_OK &&
		 !change(command, device, limits, target.info.domain, id, &report))
		status = command_fail(command, STATUS_FAILED, "%s", report.error);
	target_close(&target);
	return status == STATUS_OK ? output_done(command) : status;
}
