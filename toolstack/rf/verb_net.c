// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf net-attach`, `rf net-detach`, `rf net-list`.
 *
 * Interface: verbs.h. Locks: none.
 */
#include <stdlib.h>
#include <string.h>

#include "toolstack/lib/net.h"
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

/* The words after the domain: KEY=VALUE. */
static json_t *net_of_words(const struct command *command, struct report *report)
{
	json_t *object = json_object();

	for (unsigned i = 1; i < command->count; i++) {
		char *word = command->words[i], *equals = strchr(word, '=');

		if (!equals) {
			report_fail(report, "%s: should be KEY=VALUE", word);
			json_decref(object);
			return NULL;
		}
		*equals = 0;
		json_object_set_new(object, word, json_string(equals + 1));
	}
	return object;
}

static enum status attach(struct command *command, uint32_t domain, struct report *report)
{
	static const struct output_column columns[] = { { "Network", "id", OUTPUT_NUMBER },
							{ NULL, NULL, OUTPUT_TEXT } };
	json_t *net = net_of_words(command, report);
	enum status status = STATUS_FAILED;
	unsigned id;

	if (!net)
		return STATUS_USAGE;
	if (net_attach(domain, net, &id, report))
		status = output_lines(command, columns, json_pack("{s:i}", "id", (int)id));
	json_decref(net);
	return status;
}

enum status verb_net_attach(struct command *command)
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
	if (!net_find(domain, command->words[1], &id, report))
		return STATUS_NOT_FOUND;
	if (!net_detach(domain, id, (unsigned)seconds, force, report))
		return STATUS_BUSY;
	return output_done(command);
}

enum status verb_net_detach(struct command *command)
{
	return with_domain(command, detach);
}

/* --- Looking --- */

/* What the table shows of the counts. */
static void flatten(json_t *row)
{
	static const char *const names[] = { "sent", "received", "no-buffer" };
	json_t *counts = json_object_get(row, "statistics");

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		json_t *count = json_object_get(counts, names[i]);

		json_object_set_new(row, names[i], count ? json_incref(count) : json_integer(0));
	}
}

static enum status list(struct command *command, uint32_t domain, struct report *report)
{
	static const struct output_column columns[] = {
		{ "ID", "id", OUTPUT_NUMBER },
		{ "STATE", "state", OUTPUT_TEXT },
		{ "MAC", "mac", OUTPUT_TEXT },
		{ "MTU", "mtu", OUTPUT_NUMBER },
		{ "LINK", "link", OUTPUT_NUMBER },
		{ "TAP", "tap", OUTPUT_TEXT },
		{ "BRIDGE", "bridge", OUTPUT_TEXT },
		{ "SENT", "sent", OUTPUT_NUMBER },
		{ "RECEIVED", "received", OUTPUT_NUMBER },
		{ "DROPPED", "no-buffer", OUTPUT_NUMBER },
		{ NULL, NULL, OUTPUT_TEXT },
	};
	json_t *rows = net_list(domain, report), *row;
	size_t i;

	if (!rows)
		return STATUS_FAILED;
	json_array_foreach(rows, i, row)
		flatten(row);
	return output_table(command, columns, rows);
}

enum status verb_net_list(struct command *command)
{
	return with_domain(command, list);
}
