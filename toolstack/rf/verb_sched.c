// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf sched`: shares of the processors.
 *
 * Interface: verbs.h. Locks: none.
 */
#include "toolstack/lib/config.h"
#include "toolstack/lib/domain.h"
#include "toolstack/lib/domain_json.h"
#include "toolstack/rf/output.h"
#include "toolstack/rf/target.h"
#include "toolstack/rf/verbs.h"

static const struct output_column columns[] = {
	{ "NAME", "name", OUTPUT_TEXT },       { "ID", "domain", OUTPUT_NUMBER },
	{ "WEIGHT", "weight", OUTPUT_NUMBER }, { "CAP(%)", "cap", OUTPUT_NUMBER },
	{ NULL, NULL, OUTPUT_TEXT },
};

static bool read_options(const struct command *command, struct rf_domain_set *set)
{
	const char *weight = command_option(command, "weight"),
		   *cap = command_option(command, "cap");
	unsigned long long number;

	if (weight) {
		if (!command_number(command, "--weight", weight, 1, SETTING_WEIGHT_MAX, &number))
			return false;
		set->mask |= RF_SET_WEIGHT;
		set->weight = (uint32_t)number;
	}
	if (cap) {
		if (!command_number(command, "--cap", cap, 0, SETTING_CAP_MAX, &number))
			return false;
		set->mask |= RF_SET_CAP;
		set->cap = (uint32_t)number;
	}
	return true;
}

static enum status show(const struct command *command, struct target *target)
{
	json_t *rows;

	if (!command->count)
		return output_table(command, columns, domain_json_all(&target->access));
	rows = json_array();
	json_array_append_new(rows, domain_json_make(&target->info));
	return output_table(command, columns, rows);
}

static enum status change(const struct command *command, struct target *target,
			  const struct rf_domain_set *set)
{
	int error;

	if (!command->count)
		return command_fail(command, STATUS_USAGE, "of which domain? (rf help sched)");
	error = domain_set(&target->access, target->info.domain, set);
	if (error)
		return target_fail(command, target, "cannot be changed", error);
	return output_done(command);
}

enum status verb_sched(struct command *command)
{
	struct rf_domain_set set = { .mask = 0 };
	struct target target;
	enum status status;

	if (!read_options(command, &set))
		return STATUS_USAGE;
	status = target_open(command, &target, command->count ? command->words[0] : NULL);
	if (status == STATUS_OK)
		status = set.mask ? change(command, &target, &set) : show(command, &target);
	target_close(&target);
	return status;
}
