// SPDX-License-Identifier: BSD-2-Clause
/*
 * Changes of a domain, by the rules of configurations.
 *
 * Interface: change.h. Locks: none.
 * Odd: two that give the same name to two domains at once may both succeed; then numbers tell them apart.
 */
#include "toolstack/lib/change.h"

#include <errno.h>
#include <string.h>

#include "toolstack/lib/config.h"
#include "toolstack/lib/domain.h"
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
