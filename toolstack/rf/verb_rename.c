// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf rename`.
 *
 * Interface: verbs.h. Locks: none.
 */
#include <errno.h>
#include <string.h>

#include "toolstack/lib/config.h"
#include "toolstack/lib/domain.h"
#include "toolstack/lib/life.h"
#include "toolstack/rf/output.h"
#include "toolstack/rf/target.h"
#include "toolstack/rf/verbs.h"

/* By the rules of configurations. */
static bool is_name(const char *name, struct report *report)
{
	struct config_place place = { "command line", 0, "name" };
	json_t *value = json_string(name);
	struct config config;
	bool good;

	config_init(&config);
	good = value && config_set(&config, config_find("name"), value, &place, report);
	json_decref(value);
	config_free(&config);
	return good;
}

static enum status rename_domain(const struct command *command, struct target *target,
				 const char *name)
{
	struct rf_domain_set set = { .mask = RF_SET_NAME };
	struct report report = { .warnings = 0 };
	struct rf_domain_info other;
	int error;

	if (!is_name(name, &report))
		return command_fail(command, STATUS_USAGE, "%s", report.error);
	if (domain_find(&target->access, name, &other) != -ESRCH)
		return command_fail(command, STATUS_FAILED, "%s: there is a domain of this name",
				    name);
	memcpy(set.name, name, strlen(name));
	error = domain_set(&target->access, target->info.domain, &set);
	if (error)
		return target_fail(command, target, "cannot be renamed", error);
	if (!life_rename(&target->info, name, &report))
		return command_fail(command, STATUS_FAILED, "%s", report.error);
	return output_done(command);
}

enum status verb_rename(struct command *command)
{
	struct target target;
	enum status status = target_open(command, &target, command->words[0]);

	if (status == STATUS_OK)
		status = rename_domain(command, &target, command->words[1]);
	target_close(&target);
	return status;
}
