// SPDX-License-Identifier: BSD-2-Clause
/*
 * Domains as JSON.
 *
 * Interface: domain_json.h. Locks: none.
 */
#include "toolstack/lib/domain_json.h"

#include <string.h>

#include "abi/vcpu.h"
#include "abi/version.h"
#include "toolstack/lib/domain.h"
#include "toolstack/lib/life.h"
#include "toolstack/lib/status.h"

#define PAGE 4096

json_t *domain_json_make(const struct rf_domain_info *info)
{
	return json_pack("{s:s#, s:i, s:s, s:b, s:I, s:I, s:i, s:i, s:i, s:i, s:I, s:I, s:I, s:I}",
			 "name", info->name, (int)strnlen(info->name, sizeof(info->name)), "domain",
			 (int)info->domain, "state", domain_state(info), "control",
			 (int)info->control, "memory", (json_int_t)info->frames * PAGE,
			 "memory_max", (json_int_t)info->frames_max * PAGE, "vcpus",
			 (int)info->vcpus, "vcpus_up", (int)info->vcpus_up, "weight",
			 (int)info->weight, "cap", (int)info->cap, "run_ns",
			 (json_int_t)info->run_ns, "shadow", (json_int_t)info->shadow_frames * PAGE,
			 "shadow_used", (json_int_t)info->shadow_frames_used * PAGE, "serial",
			 (json_int_t)info->serial);
}

json_t *domain_json_all(struct access *access)
{
	struct rf_domain_info info;
	json_t *list = json_array();

	for (uint32_t n = 0; domain_next(access, n, &info); n = info.domain + 1)
		json_array_append_new(list, domain_json_make(&info));
	return list;
}

json_t *domain_json_whole(const struct rf_domain_info *info)
{
	struct report ignored = { .warnings = 0 };
	json_t *object = domain_json_make(info);
	struct config config;

	if (life_recall(info, &config, &ignored))
		json_object_set_new(object, "config", config_to_json(&config));
	config_free(&config);
	return object;
}

json_t *domain_json_node(struct access *access, const struct rf_domain_info *info)
{
	json_t *all = domain_json_all(access);
	json_int_t count = (json_int_t)json_array_size(all);

	json_decref(all);
	return json_pack("{s:i, s:I, s:I, s:I, s:i, s:s}", "cpus", (int)info->machine_cpus,
			 "memory", (json_int_t)info->machine_frames * PAGE, "memory_free",
			 (json_int_t)info->machine_frames_free * PAGE, "domains", count, "abi",
			 RF_ABI_VERSION, "rf", RF_VERSION);
}

/* --- Virtual processors --- */

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

void domain_json_add_vcpus(struct access *access, const struct rf_domain_info *info, json_t *list)
{
	struct rf_counters c;

	for (uint32_t v = 0; v < info->vcpus; v++) {
		memset(&c, 0, sizeof(c));
		if (domain_counters(access, info->domain, v, &c))
			continue;
		json_array_append_new(
			list, json_pack("{s:s, s:i, s:i, s:i, s:s, s:I, s:I, s:o}", "name",
					info->name, "domain", (int)info->domain, "vcpu", (int)v,
					"cpu", (int)c.cpu, "state", state_of(c.status), "run_ns",
					(json_int_t)c.run_ns, "steal_ns", (json_int_t)c.steal_ns,
					"affinity", cpus_of(c.affinity, info->machine_cpus)));
	}
}
