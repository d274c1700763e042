// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf pause` and `rf unpause`.
 *
 * Interface: verbs.h. Locks: none.
 */
#include "toolstack/lib/domain.h"
#include "toolstack/rf/output.h"
#include "toolstack/rf/target.h"
#include "toolstack/rf/verbs.h"

static enum status pause_domain(struct command *command, struct target *target)
{
	int error = domain_pause(&target->access, target->info.domain, true);

	return error ? target_fail(command, target, "cannot be paused", error) : STATUS_OK;
}

static enum status unpause_domain(struct command *command, struct target *target)
{
	int error = domain_pause(&target->access, target->info.domain, false);

	return error ? target_fail(command, target, "cannot be unpaused", error) : STATUS_OK;
}

enum status verb_pause(struct command *command)
{
	enum status status = target_each(command, pause_domain);

	return status == STATUS_OK ? output_done(command) : status;
}

enum status verb_unpause(struct command *command)
{
	enum status status = target_each(command, unpause_domain);

	return status == STATUS_OK ? output_done(command) : status;
}
