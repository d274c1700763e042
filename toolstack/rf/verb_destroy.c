// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf destroy`: ends domains at once, and gives back what they had.
 *
 * Interface: verbs.h. Locks: none.
 */
#include "toolstack/lib/life.h"
#include "toolstack/rf/output.h"
#include "toolstack/rf/target.h"
#include "toolstack/rf/verbs.h"

static enum status destroy(struct command *command, struct target *target)
{
	int error = life_destroy(&target->access, &target->info);

	return error ? target_fail(command, target, "cannot be destroyed", error) : STATUS_OK;
}

enum status verb_destroy(struct command *command)
{
	enum status status = target_each(command, destroy);

	return status == STATUS_OK ? output_done(command) : status;
}
