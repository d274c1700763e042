// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf list`: a line for each domain.
 *
 * Interface: verbs.h. Locks: none.
 */
#include "toolstack/lib/domain.h"
#include "toolstack/lib/domain_json.h"
#include "toolstack/rf/output.h"
#include "toolstack/rf/target.h"
#include "toolstack/rf/verbs.h"

static const struct output_column columns[] = {
	{ "NAME", "name", OUTPUT_TEXT },      { "ID", "domain", OUTPUT_NUMBER },
	{ "MEM(MiB)", "memory", OUTPUT_MIB }, { "VCPUS", "vcpus", OUTPUT_NUMBER },
	{ "STATE", "state", OUTPUT_TEXT },    { "TIME(s)", "run_ns", OUTPUT_SECONDS },
	{ NULL, NULL, OUTPUT_TEXT },
};

/* For completion: nothing but names. */
static enum status print_names(struct access *access)
{
	struct rf_domain_info info;

	for (uint32_t n = 0; domain_next(access, n, &info); n = info.domain + 1)
		printf("%s\n", info.name);
	return STATUS_OK;
}

static enum status list(const struct command *command, struct target *target)
{
	json_t *rows;

	if (command_option(command, "names") && !command->json)
		return print_names(&target->access);
	if (command->count == 0)
		return output_table(command, columns, domain_json_all(&target->access));
	rows = json_array();
	json_array_append_new(rows, domain_json_make(&target->info));
	return output_table(command, columns, rows);
}

enum status verb_list(struct command *command)
{
	struct target target;
	enum status status =
		target_open(command, &target, command->count ? command->words[0] : NULL);

	if (status == STATUS_OK)
		status = list(command, &target);
	target_close(&target);
	return status;
}
