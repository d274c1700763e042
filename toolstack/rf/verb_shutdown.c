// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf shutdown` and `rf reboot`: a guest is asked to end; when it has, what its configuration says is done.
 *
 * Interface: verbs.h. Locks: those of life.c.
 * Odd: there may be no daemon that sees the end, so these wait for it, unless told not to.
 */
#include <errno.h>
#include <string.h>

#include "toolstack/lib/daemon.h"
#include "toolstack/lib/domain.h"
#include "toolstack/rf/output.h"
#include "toolstack/rf/target.h"
#include "toolstack/rf/verbs.h"

#define TIMEOUT_DEFAULT 60ULL
#define TIMEOUT_MAX	86400ULL

static enum status see_end(struct command *command, struct target *target, unsigned milliseconds)
{
	struct report report = { .warnings = 0 };
	int error = domain_wait(&target->access, &target->info, milliseconds);

	if (error == -ETIMEDOUT)
		return command_fail(command, STATUS_BUSY, "%s: has not ended after %u seconds",
				    target->info.name, milliseconds / 1000);
	if (error)
		return target_fail(command, target, "cannot be watched", error);
	if (daemon_end(&target->access, &target->info, &report) == LIFE_FAILED)
		return command_fail(command, STATUS_FAILED, "%s", report.error);
	return STATUS_OK;
}

static enum status ask(struct command *command, struct target *target, uint32_t what)
{
	const char *word = command_option(command, "timeout");
	unsigned long long seconds = TIMEOUT_DEFAULT;
	int error;

	if (word && !command_number(command, "--timeout", word, 0, TIMEOUT_MAX, &seconds))
		return STATUS_USAGE;
	error = domain_trigger(&target->access, target->info.domain, what, 0);
	/* One that has ended already only needs to be seen to. */
	if (error && !(error == -EBUSY && domain_ended(&target->info)))
		return target_fail(command, target, "cannot be asked", error);
	if (command_option(command, "no-wait"))
		return STATUS_OK;
	return see_end(command, target, (unsigned)seconds * 1000);
}

static enum status shut_down(struct command *command, struct target *target)
{
	return ask(command, target, RF_TRIGGER_POWEROFF);
}

static enum status reboot(struct command *command, struct target *target)
{
	return ask(command, target, RF_TRIGGER_REBOOT);
}

enum status verb_shutdown(struct command *command)
{
	enum status status = target_each(command, shut_down);

	return status == STATUS_OK ? output_done(command) : status;
}

enum status verb_reboot(struct command *command)
{
	enum status status = target_each(command, reboot);

	return status == STATUS_OK ? output_done(command) : status;
}
