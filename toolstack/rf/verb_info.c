// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf info`: all there is to say about the node, or about a domain.
 *
 * Interface: verbs.h. Locks: none.
 */
#include "toolstack/lib/domain.h"
#include "toolstack/lib/domain_json.h"
#include "toolstack/rf/output.h"
#include "toolstack/rf/target.h"
#include "toolstack/rf/verbs.h"

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

	if (error)
		return target_fail(command, target, "cannot be looked at", error);
	return output_lines(command, node_columns, domain_json_node(&target->access, info));
}

static enum status print_domain(const struct command *command, const struct target *target)
{
	json_t *object = domain_json_whole(&target->info);
	const json_t *config = json_object_get(object, "config");

	if (command->json || !config)
		return output_lines(command, domain_columns, object);
	output_lines(command, domain_columns, json_incref(object));
	printf("%-22s: ", "configuration");
	output_json(config);
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
