// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf console` and `rf dmesg`: what a domain, and what the hypervisor has printed.
 *
 * Interface: verbs.h. Locks: none.
 */
#include <stdlib.h>

#include "toolstack/rf/console.h"
#include "toolstack/rf/output.h"
#include "toolstack/rf/target.h"
#include "toolstack/rf/verbs.h"

enum status verb_console(struct command *command)
{
	struct target target;
	enum status status = target_open(command, &target, command->words[0]);

	if (status == STATUS_OK && target.info.control)
		status = command_fail(command, STATUS_FAILED,
				      "%s: the control domain's is the machine's own",
				      target.info.name);
	else if (status == STATUS_OK && command_option(command, "print"))
		status = console_print(command, &target, target.info.domain);
	else if (status == STATUS_OK)
		status = console_attach(command, &target);
	target_close(&target);
	return status;
}

enum status verb_dmesg(struct command *command)
{
	struct target target;
	enum status status = target_open(command, &target, NULL);

	if (status == STATUS_OK)
		status = console_print(command, &target, RF_DOMAIN_HYPERVISOR);
	target_close(&target);
	return status;
}
