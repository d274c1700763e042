// SPDX-License-Identifier: BSD-2-Clause
/*
 * Domains as JSON.
 *
 * Interface: domain_json.h. Locks: none.
 */
#include "toolstack/rf/domain_json.h"

#include <string.h>

#include "toolstack/lib/domain.h"

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
