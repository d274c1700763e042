// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf domid`: the number of a domain.
 *
 * Interface: verbs.h. Locks: none.
 */
#include "toolstack/rf/target.h"
#include "toolstack/rf/verbs.h"

enum status verb_domid(struct command *command)
{
	struct target target;
	enum status status = target_open(command, &target, command->words[0]);

	/* A number is JSON, too. */
	if (status == STATUS_OK)
		printf("%u\n", target.info.domain);
	target_close(&target);
	return status;
}
