// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf vcpu-list` and `rf vcpu-pin`: virtual processors, and where they run.
 *
 * Interface: verbs.h. Locks: none.
 */
#include <string.h>

#include "abi/vcpu.h"
#include "toolstack/lib/config.h"
#include "toolstack/lib/domain.h"
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

static const char *state_of(uint32_t status)
{
	static const char *const names[] = {
		[RF_VCPU_DOWN] = "down",
		[RF_VCPU_BLOCKED] = "blocked",
		[RF_VCPU_RUNNABLE] = "runnable",
		[RF_VCPU_RUNNING] = "running",
	};

	return status < sizeof(names) / sizeof(names[0]) ? names[status] : "unknown";
}

/* Null: all that the machine has. */
static json_t *cpus_of(uint64_t affinity, uint32_t machine_cpus)
{
	uint64_t all = machine_cpus < 64 ? (1ULL << machine_cpus) - 1 : ~0ULL;
	json_t *list;

	if ((affinity & all) == all)
		return json_null();
	list = json_array();
	for (json_int_t cpu = 0; cpu < 64; cpu++)
		if (affinity >> cpu & 1)
			json_array_append_new(list, json_integer(cpu));
	return list;
}

static void add_domain(struct access *access, json_t *rows, const struct rf_domain_info *info,
		       uint32_t machine_cpus)
{
	struct rf_counters c;

	for (uint32_t v = 0; v < info->vcpus; v++) {
		memset(&c, 0, sizeof(c));
		if (domain_counters(access, info->domain, v, &c))
			continue;
		json_array_append_new(
			rows, json_pack("{s:s, s:i, s:i, s:i, s:s, s:I, s:I, s:o}", "name",
					info->name, "domain", (int)info->domain, "vcpu", (int)v,
					"cpu", (int)c.cpu, "state", state_of(c.status), "run_ns",
					(json_int_t)c.run_ns, "steal_ns", (json_int_t)c.steal_ns,
					"affinity", cpus_of(c.affinity, machine_cpus)));
	}
}

enum status verb_vcpu_list(struct command *command)
{
	const char *word = command->count ? command->words[0] : NULL;
	struct rf_domain_info info;
	struct target target;
	enum status status = target_open(command, &target, word);
	json_t *rows = json_array();

	if (status == STATUS_OK && word)
		add_domain(&target.access, rows, &target.info, target.info.machine_cpus);
	for (uint32_t n = 0; status == STATUS_OK && !word && domain_next(&target.access, n, &info);
	     n = info.domain + 1)
		add_domain(&target.access, rows, &info, info.machine_cpus);
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
