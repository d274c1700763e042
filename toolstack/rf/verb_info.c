// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf info`: all there is to say about the node, or about a domain.
 *
 * Interface: verbs.h. Locks: none.
 */
#include "abi/version.h"
#include "toolstack/lib/config.h"
#include "toolstack/lib/domain.h"
#include "toolstack/lib/life.h"
#include "toolstack/rf/domain_json.h"
#include "toolstack/rf/output.h"
#include "toolstack/rf/target.h"
#include "toolstack/rf/verbs.h"

#define PAGE 4096

static const struct output_column node_columns[] = {
	{ "nr_cpus", "cpus", OUTPUT_NUMBER },
	{ "total_memory", "memory", OUTPUT_MIB },
	{ "free_memory", "memory_free", OUTPUT_MIB },
	{ "domains", "domains", OUTPUT_NUMBER },
	{ "abi_version", "abi", OUTPUT_NUMBER },
	{ "rf_version", "rf", OUTPUT_TEXT },
	{ NULL, NULL, OUTPUT_TEXT },
};

static const struct output_column domain_columns[] = {
	{ "name", "name", OUTPUT_TEXT },
	{ "domain", "domain", OUTPUT_NUMBER },
	{ "state", "state", OUTPUT_TEXT },
	{ "memory", "memory", OUTPUT_MIB },
	{ "memory_max", "memory_max", OUTPUT_MIB },
	{ "shadow", "shadow", OUTPUT_MIB },
	{ "vcpus", "vcpus", OUTPUT_NUMBER },
	{ "vcpus_up", "vcpus_up", OUTPUT_NUMBER },
	{ "weight", "weight", OUTPUT_NUMBER },
	{ "cap", "cap", OUTPUT_NUMBER },
	{ "cpu_seconds", "run_ns", OUTPUT_SECONDS },
	{ NULL, NULL, OUTPUT_TEXT },
};

static enum status print_node(const struct command *command, struct target *target)
{
	struct rf_domain_info *info = &target->info;
	int error = domain_get(&target->access, 0, info);
	json_int_t count;
	json_t *all;

	if (error)
		return target_fail(command, target, "cannot be looked at", error);
	all = domain_json_all(&target->access);
	count = (json_int_t)json_array_size(all);
	json_decref(all);
	return output_lines(command, node_columns,
			    json_pack("{s:i, s:I, s:I, s:I, s:i, s:s}", "cpus",
				      (int)info->machine_cpus, "memory",
				      (json_int_t)info->machine_frames * PAGE, "memory_free",
				      (json_int_t)info->machine_frames_free * PAGE, "domains",
				      count, "abi", RF_ABI_VERSION, "rf", RF_VERSION));
}

/* What it was made from, if rf has made it. */
static void print_config(const struct command *command, json_t *object,
			 const struct rf_domain_info *info)
{
	struct report report = { .warnings = 0 };
	struct config config;
	json_t *json;

	if (life_recall(info, &config, &report)) {
		json = config_to_json(&config);
		if (!command->json) {
			printf("%-22s: ", "configuration");
			json_dumpf(json, stdout, JSON_INDENT(2));
			putchar('\n');
		}
		json_object_set_new(object, "config", json);
	}
	config_free(&config);
}

static enum status print_domain(const struct command *command, const struct target *target)
{
	json_t *object = domain_json_make(&target->info);

	if (command->json) {
		print_config(command, object, &target->info);
		return output_lines(command, domain_columns, object);
	}
	output_lines(command, domain_columns, json_incref(object));
	print_config(command, object, &target->info);
	json_decref(object);
	return STATUS_OK;
}

enum status verb_info(struct command *command)
{
	const char *word = command->count ? command->words[0] : NULL;
	struct target target;
	enum status status = target_open(command, &target, word);

	if (status == STATUS_OK)
		status = word ? print_domain(command, &target) : print_node(command, &target);
	target_close(&target);
	return status;
}
