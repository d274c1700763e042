// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf mem-max`: how much memory a domain may have.
 *
 * Interface: verbs.h. Locks: none.
 */
#include "toolstack/lib/config.h"
#include "toolstack/lib/domain.h"
#include "toolstack/rf/output.h"
#include "toolstack/rf/target.h"
#include "toolstack/rf/verbs.h"

#define PAGE 4096

/* As it is written in configurations. */
static bool read_size(const struct command *command, const char *word, uint64_t *bytes)
{
	struct report report = { .warnings = 0 };
	struct config_place place = { "command line", 0, "size" };
	json_t *value = json_string(word);
	struct config config;
	bool good;

	config_init(&config);
	good = value && config_set(&config, config_find("memory"), value, &place, &report);
	*bytes = config.memory;
	json_decref(value);
	if (!good)
		command_fail(command, STATUS_USAGE, "%s", report.error);
	config_free(&config);
	return good;
}

enum status verb_mem_max(struct command *command)
{
	struct rf_domain_set set = { .mask = RF_SET_FRAMES_MAX };
	struct target target;
	enum status status;
	uint64_t bytes;
	int error;

	if (!read_size(command, command->words[1], &bytes))
		return STATUS_USAGE;
	set.frames_max = bytes / PAGE;
	status = target_open(command, &target, command->words[0]);
	if (status == STATUS_OK) {
		error = domain_set(&target.access, target.info.domain, &set);
		status = error ? target_fail(command, &target, "cannot have that limit", error)
			       : output_done(command);
	}
	target_close(&target);
	return status;
}
