// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf rename`.
 *
 * Interface: verbs.h. Locks: none.
 */
#include "toolstack/lib/change.h"
#include "toolstack/rf/output.h"
#include "toolstack/rf/target.h"
#include "toolstack/rf/verbs.h"

enum status verb_rename(struct command *command)
{
	struct report report = { .warnings = 0 };
	struct target target;
	enum status status = target_open(command, &target, command->words[0]);

	if (status == STATUS_OK) {
		status = change_name(&target.access, &target.info, command->words[1], &report);
		status = target_done(command, status, &report);
	}
	target_close(&target);
	return status;
}
