// SPDX-License-Identifier: BSD-2-Clause
/*
 * Changes of a domain, by the rules of configurations.
 *
 * Interface: change.h. Locks: none.
 * Odd: two that give the same name to two domains at once may both succeed; then numbers tell them apart.
 */
#include "toolstack/lib/change.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "toolstack/lib/config.h"
#include "toolstack/lib/domain.h"
#include "toolstack/lib/introduce.h"
#include "toolstack/lib/life.h"

#define PAGE 4096

/* A value as that key has it; config_free in any case. */
static bool read_value(struct config *config, const char *key, const json_t *value,
		       struct report *report)
{
	struct config_place place = { "the request", 0, key };

	config_init(config);
	if (!value)
		return report_fail(report, "%s: is not UTF-8", key);
	return config_set(config, config_find(key), value, &place, report);
}

enum status change_set(struct access *access, const struct rf_domain_info *info,
		       const struct rf_domain_set *set, const char *what, struct report *report)
{
	int error = domain_set(access, info->domain, set);

	if (!error)
		return STATUS_OK;
	report_fail(report, "%s: %s: %s", info->name, what, strerror(-error));
	return status_of(error);
}

static bool is_name(const char *name, struct report *report)
{
	json_t *value = json_string(name);
	struct config config;
	bool good = read_value(&config, "name", value, report);

	json_decref(value);
	config_free(&config);
	return good;
}

enum status change_name(struct access *access, const struct rf_domain_info *info, const char *name,
			struct report *report)
{
	struct rf_domain_set set = { .mask = RF_SET_NAME };
	struct rf_domain_info other;
	enum status status;

	if (!is_name(name, report))
		return STATUS_USAGE;
	if (domain_find(access, name, &other) != -ESRCH) {
		report_fail(report, "%s: there is a domain of this name", name);
		return STATUS_FAILED;
	}
	memcpy(set.name, name, strlen(name));
	status = change_set(access, info, &set, "cannot be renamed", report);
	if (status == STATUS_OK && !life_rename(info, name, report))
		return STATUS_FAILED;
	return status;
}

enum status change_memory_max(struct access *access, const struct rf_domain_info *info,
			      const json_t *size, struct report *report)
{
	struct rf_domain_set set = { .mask = RF_SET_FRAMES_MAX };
	struct config config;
	bool good = read_value(&config, "memory", size, report);

	set.frames_max = config.memory / PAGE;
	config_free(&config);
	return good ? change_set(access, info, &set, "cannot have that limit", report)
		    : STATUS_USAGE;
}

enum status change_cpus(struct access *access, const struct rf_domain_info *info, uint32_t vcpu,
			const json_t *cpus, struct report *report)
{
	struct rf_domain_set set = { .mask = RF_SET_AFFINITY, .vcpu = vcpu };
	struct config config;
	bool good = read_value(&config, "cpus", cpus, report);

	/* "all" */
	set.affinity = config.cpus ? config.cpus : ~0ULL;
	config_free(&config);
	return good ? change_set(access, info, &set, "cannot run there", report) : STATUS_USAGE;
}

/* --- What the guest itself is asked for, through the store --- */

static enum status told(const struct rf_domain_info *info, int error, struct report *report)
{
	if (!error)
		return STATUS_OK;
	report_fail(report, "%s: it cannot be asked, by the store: %s", info->name,
		    strerror(-error));
	return STATUS_FAILED;
}

enum status change_memory(const struct rf_domain_info *info, const json_t *size,
			  struct report *report)
{
	struct config config;
	bool good = read_value(&config, "memory", size, report);
	uint64_t kib = config.memory / 1024;
	char text[24];

	config_free(&config);
	if (!good)
		return STATUS_USAGE;
	if (kib > info->frames_max * (PAGE / 1024)) {
		report_fail(report, "%s: it may have %" PRIu64 "K at most", info->name,
			    info->frames_max * (PAGE / 1024));
		return STATUS_FAILED;
	}
	snprintf(text, sizeof(text), "%" PRIu64, kib);
	return told(info, introduce_tell(info->domain, "memory/target", text), report);
}

enum status change_vcpus(const struct rf_domain_info *info, uint32_t count, struct report *report)
{
	char node[32];
	int error = 0;

	if (count < 1 || count > info->vcpus) {
		report_fail(report, "%s: it has %u virtual processors at most, and keeps one",
			    info->name, info->vcpus);
		return STATUS_USAGE;
	}
	for (uint32_t i = 1; i < info->vcpus && !error; i++) {
		snprintf(node, sizeof(node), "cpu/%u/availability", i);
		error = introduce_tell(info->domain, node, i < count ? "online" : "offline");
	}
	return told(info, error, report);
}
