// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf create`: a guest from its configuration.
 *
 * Interface: verbs.h. Locks: those of life.c.
 */
#include <errno.h>

#include "toolstack/lib/config.h"
#include "toolstack/lib/daemon.h"
#include "toolstack/lib/domain.h"
#include "toolstack/lib/life.h"
#include "toolstack/rf/console.h"
#include "toolstack/rf/output.h"
#include "toolstack/rf/target.h"
#include "toolstack/rf/verbs.h"

#define FOREVER (24 * 3600 * 1000U)

static const char *name_of(enum life_result result)
{
	switch (result) {
	case LIFE_REMOVED:
		return "removed";
	case LIFE_RESTARTED:
		return "restarted";
	case LIFE_PRESERVED:
		return "preserved";
	default:
		return "gone";
	}
}

/* Does what the on_* keys say, until it is not started again. */
static enum status watch(struct command *command, struct target *target)
{
	struct report report = { .warnings = 0 };
	enum life_result result;
	int error;

	do {
		do
			error = domain_wait(&target->access, &target->info, FOREVER);
		while (error == -ETIMEDOUT);
		if (error)
			return target_fail(command, target, "cannot be watched", error);
		fprintf(stderr, "rf create: %s: %s\n", target->info.name,
			domain_state(&target->info));
		result = daemon_end(&target->access, &target->info, &report);
		/* The daemon may have made it again. */
		if (result == LIFE_OTHERS &&
		    !domain_find(&target->access, target->info.name, &target->info))
			result = LIFE_RESTARTED;
		if (result == LIFE_FAILED)
			return command_fail(command, STATUS_FAILED, "%s", report.error);
		fprintf(stderr, "rf create: %s: %s\n", target->info.name, name_of(result));
	} while (result == LIFE_RESTARTED);
	return STATUS_OK;
}

static enum status print(const struct command *command, const struct target *target)
{
	static const struct output_column columns[] = {
		{ "name", "name", OUTPUT_TEXT },
		{ "domain", "domain", OUTPUT_NUMBER },
		{ NULL, NULL, OUTPUT_TEXT },
	};

	return output_lines(command, columns,
			    json_pack("{s:s, s:i}", "name", target->info.name, "domain",
				      (int)target->info.domain));
}

static enum status create(struct command *command, struct config *config, struct target *target)
{
	struct report report = { .warnings = 0 };
	bool paused = command_option(command, "paused");
	enum status status;

	if (!life_create(&target->access, config, paused, &target->info, &report))
		return command_fail(command, STATUS_FAILED, "%s", report.error);
	command_warn(command, &report);
	status = print(command, target);
	if (status == STATUS_OK && command_option(command, "console"))
		status = console_attach(command, target);
	if (status == STATUS_OK && command_option(command, "wait"))
		status = watch(command, target);
	return status;
}

enum status verb_create(struct command *command)
{
	struct config config;
	struct target target;
	enum status status;

	status = target_read_config(command, &config);
	if (status == STATUS_OK) {
		status = target_open(command, &target, NULL);
		if (status == STATUS_OK)
			status = create(command, &config, &target);
		target_close(&target);
	}
	config_free(&config);
	return status;
}
