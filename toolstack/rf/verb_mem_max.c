// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf mem-max`: how much memory a domain may have.
 *
 * Interface: verbs.h. Locks: none.
 */
#include "toolstack/lib/change.h"
#include "toolstack/rf/output.h"
#include "toolstack/rf/target.h"
#include "toolstack/rf/verbs.h"

enum status verb_mem_max(struct command *command)
{
	struct report report = { .warnings = 0 };
	json_t *size = json_string(command->words[1]);
	struct target target;
	enum status status = target_open(command, &target, command->words[0]);

	if (status == STATUS_OK) {
		status = change_memory_max(&target.access, &target.info, size, &report);
		status = target_done(command, status, &report);
	}
	json_decref(size);
	target_close(&target);
	return status;
}
