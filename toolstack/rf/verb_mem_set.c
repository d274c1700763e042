// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf mem-set` and `rf vcpu-set`: what a running guest is asked to do with, by the store.
 *
 * Interface: verbs.h. Locks: none.
 */
#include "toolstack/lib/change.h"
#include "toolstack/rf/output.h"
#include "toolstack/rf/target.h"
#include "toolstack/rf/verbs.h"

enum status verb_mem_set(struct command *command)
{
	struct report report = { .warnings = 0 };
	json_t *size = json_string(command->words[1]);
	struct target target;
	enum status status = target_open(command, &target, command->words[0]);

	if (status == STATUS_OK) {
		status = change_memory(&target.info, size, &report);
		status = target_done(command, status, &report);
	}
	json_decref(size);
	target_close(&target);
	return status;
}

enum status verb_vcpu_set(struct command *command)
{
	struct report report = { .warnings = 0 };
	struct target target;
	enum status status = target_open(command, &target, command->words[0]);
	unsigned long long count;

	if (status == STATUS_OK &&
	    !command_number(command, "COUNT", command->words[1], 1, target.info.vcpus, &count))
		status = STATUS_USAGE;
	if (status == STATUS_OK) {
		status = change_vcpus(&target.info, (uint32_t)count, &report);
		status = target_done(command, status, &report);
	}
	target_close(&target);
	return status;
}
