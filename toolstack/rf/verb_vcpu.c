// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf vcpu-list` and `rf vcpu-pin`: virtual processors, and where they run.
 *
 * Interface: verbs.h. Locks: none.
 */
#include <string.h>

#include "toolstack/lib/change.h"
#include "toolstack/lib/domain.h"
#include "toolstack/lib/domain_json.h"
#include "toolstack/rf/output.h"
#include "toolstack/rf/target.h"
#include "toolstack/rf/verbs.h"

static const struct output_column columns[] = {
	{ "NAME", "name", OUTPUT_TEXT },
	{ "ID", "domain", OUTPUT_NUMBER },
	{ "VCPU", "vcpu", OUTPUT_NUMBER },
	{ "CPU", "cpu", OUTPUT_NUMBER },
	{ "STATE", "state", OUTPUT_TEXT },
	{ "TIME(s)", "run_ns", OUTPUT_SECONDS },
	{ "STEAL(s)", "steal_ns", OUTPUT_SECONDS },
	{ "MAY RUN ON", "affinity", OUTPUT_CPUS },
	{ NULL, NULL, OUTPUT_TEXT },
};

enum status verb_vcpu_list(struct command *command)
{
	const char *word = command->count ? command->words[0] : NULL;
	struct rf_domain_info info;
	struct target target;
	enum status status = target_open(command, &target, word);
	json_t *rows = json_array();

	if (status == STATUS_OK && word)
		domain_json_add_vcpus(&target.access, &target.info, rows);
	for (uint32_t n = 0; status == STATUS_OK && !word && domain_next(&target.access, n, &info);
	     n = info.domain + 1)
		domain_json_add_vcpus(&target.access, &info, rows);
	if (status == STATUS_OK)
		output_table(command, columns, rows);
	else
		json_decref(rows);
	target_close(&target);
	return status;
}

/* --- Pinning --- */

static enum status pin(const struct command *command, struct target *target)
{
	struct report report = { .warnings = 0 };
	json_t *cpus = json_string(command->words[2]);
	unsigned long long vcpu = RF_SET_EVERY_VCPU;
	enum status status = STATUS_USAGE;

	if (!strcmp(command->words[1], "all") ||
	    command_number(command, "vCPU", command->words[1], 0, target->info.vcpus - 1, &vcpu)) {
		status = change_cpus(&target->access, &target->info, (uint32_t)vcpu, cpus, &report);
		status = target_done(command, status, &report);
	}
	json_decref(cpus);
	return status;
}

enum status verb_vcpu_pin(struct command *command)
{
	struct target target;
	enum status status = target_open(command, &target, command->words[0]);

	if (status == STATUS_OK)
		status = pin(command, &target);
	target_close(&target);
	return status;
}
