// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf vcpu-list` and `rf vcpu-pin`: virtual processors, and where they run.
 *
 * Interface: verbs.h. Locks: none.
 */
#include <string.h>

#include "toolstack/lib/config.h"
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

static bool read_cpus(const struct command *command, const char *word, uint64_t *mask)
{
	struct report report = { .warnings = 0 };
	struct config_place place = { "command line", 0, "cpus" };
	json_t *value = json_string(word);
	struct config config;
	bool good;

	config_init(&config);
	good = value && config_set(&config, config_find("cpus"), value, &place, &report);
	/* "all" */
	*mask = config.cpus ? config.cpus : ~0ULL;
	json_decref(value);
	if (!good)
		command_fail(command, STATUS_USAGE, "%s", report.error);
	config_free(&config);
	return good;
}

static enum status pin(const struct command *command, struct target *target)
{
	struct rf_domain_set set = { .mask = RF_SET_AFFINITY, .vcpu = RF_SET_EVERY_VCPU };
	unsigned long long vcpu;
	int error;

	if (strcmp(command->words[1], "all")) {
		if (!command_number(command, "vCPU", command->words[1], 0, target->info.vcpus - 1,
				    &vcpu))
			return STATUS_USAGE;
		set.vcpu = (uint32_t)vcpu;
	}
	if (!read_cpus(command, command->words[2], &set.affinity))
		return STATUS_USAGE;
	error = domain_set(&target->access, target->info.domain, &set);
	if (error)
		return target_fail(command, target, "cannot run there", error);
	return output_done(command);
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
