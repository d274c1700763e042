// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf trigger` and `rf sysrq`: asks a guest for something and does not wait.
 *
 * Interface: verbs.h. Locks: none.
 */
#include <string.h>

#include "toolstack/lib/domain.h"
#include "toolstack/rf/output.h"
#include "toolstack/rf/target.h"
#include "toolstack/rf/verbs.h"

static const struct {
	const char *name;
	uint32_t what;
} triggers[] = {
	{ "poweroff", RF_TRIGGER_POWEROFF },
	{ "power", RF_TRIGGER_POWEROFF }, /* as xl has it */
	{ "reboot", RF_TRIGGER_REBOOT },
	{ "nmi", RF_TRIGGER_NMI },
};

static enum status trigger(struct command *command, uint32_t what, uint64_t argument)
{
	struct target target;
	enum status status = target_open(command, &target, command->words[0]);
	int error;

	if (status == STATUS_OK) {
		error = domain_trigger(&target.access, target.info.domain, what, argument);
		status = error ? target_fail(command, &target, "cannot be asked", error)
			       : output_done(command);
	}
	target_close(&target);
	return status;
}

enum status verb_trigger(struct command *command)
{
	const char *word = command->words[1];

	for (size_t i = 0; i < sizeof(triggers) / sizeof(triggers[0]); i++)
		if (!strcmp(word, triggers[i].name))
			return trigger(command, triggers[i].what, 0);
	return command_fail(command, STATUS_USAGE, "'%s': should be poweroff, reboot or nmi", word);
}

enum status verb_sysrq(struct command *command)
{
	const char *key = command->words[1];

	if (key[0] <= ' ' || key[0] > '~' || key[1])
		return command_fail(command, STATUS_USAGE, "'%s': should be one key, as h", key);
	return trigger(command, RF_TRIGGER_SYSRQ, (uint64_t)key[0]);
}
