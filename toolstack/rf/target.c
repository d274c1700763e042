// SPDX-License-Identifier: BSD-2-Clause
/*
 * Finding the domain that a verb is about, and saying what the hypervisor refused.
 *
 * Interface: target.h. Locks: none.
 */
#include "toolstack/rf/target.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#include "toolstack/lib/domain.h"
#include "toolstack/lib/places.h"
#include "toolstack/rf/output.h"

enum status target_find(const struct command *command, struct target *target, const char *word)
{
	int error = domain_find(&target->access, word, &target->info);

	if (error == -ESRCH)
		return command_fail(command, STATUS_NOT_FOUND, "%s: no such domain", word);
	if (error == -EEXIST)
		return command_fail(command, STATUS_FAILED,
				    "%s: several domains have this name: say its number", word);
	if (error)
		return command_fail(command, STATUS_FAILED, "%s: %s", word, strerror(-error));
	return STATUS_OK;
}

enum status target_open(const struct command *command, struct target *target, const char *word)
{
	struct report report = { .warnings = 0 };

	memset(target, 0, sizeof(*target));
	target->access.device = -1;
	if (!access_open(&target->access, &report))
		return command_fail(command, STATUS_FAILED, "%s", report.error);
	return word ? target_find(command, target, word) : STATUS_OK;
}

void target_close(struct target *target)
{
	access_close(&target->access);
}

enum status target_fail(const struct command *command, const struct target *target,
			const char *what, int64_t error)
{
	return command_fail(command, status_of(error), "%s: %s: %s", target->info.name, what,
			    strerror((int)-error));
}

static bool read_config(const struct command *command, const char *path, struct config *config,
			struct report *report)
{
	if (!config_read(path, config, report))
		return false;
	for (unsigned i = 1; i < command->count; i++)
		if (!config_override(config, command->words[i], report))
			return false;
	return config_check(path, config, report);
}

enum status target_read_config(const struct command *command, struct config *config)
{
	struct report report = { .warnings = 0 };
	char path[PATH_MAX];
	bool good;

	config_init(config);
	if (!places_find_config(command->words[0], path, sizeof(path)))
		return command_fail(command, STATUS_NOT_FOUND, "%s: no such configuration in %s",
				    command->words[0], places_config());
	good = read_config(command, path, config, &report);
	command_warn(command, &report);
	return good ? STATUS_OK : command_fail(command, STATUS_FAILED, "%s", report.error);
}

enum status target_done(const struct command *command, enum status status,
			const struct report *report)
{
	/* What the verb has said itself is not said again. */
	if (status != STATUS_OK)
		return report->error[0] ? command_fail(command, status, "%s", report->error)
					: status;
	return output_done(command);
}

enum status target_each(struct command *command,
			enum status (*act)(struct command *command, struct target *target))
{
	enum status status = STATUS_OK, one;
	struct target target;

	one = target_open(command, &target, NULL);
	if (one != STATUS_OK)
		return one;
	for (unsigned i = 0; i < command->count; i++) {
		one = target_find(command, &target, command->words[i]);
		if (one == STATUS_OK)
			one = act(command, &target);
		if (status == STATUS_OK)
			status = one;
	}
	target_close(&target);
	return status;
}

void target_sleep(double seconds)
{
	struct timespec time = { .tv_sec = (time_t)seconds };

	time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
	nanosleep(&time, NULL);
}
