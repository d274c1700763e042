// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is asked about domains, and of them: the verbs of `rf`.
 *
 * Interface: route.h. Locks: those of life.c.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/lib/change.h"
#include "toolstack/lib/counters.h"
#include "toolstack/lib/daemon.h"
#include "toolstack/lib/domain.h"
#include "toolstack/lib/domain_json.h"
#include "toolstack/lib/life.h"
#include "toolstack/rfd/route.h"

#define TIMEOUT_DEFAULT 60

/* --- Looking --- */

enum status route_domain_list(struct request *request)
{
	return request_answer(request, domain_json_all(&request->access));
}

enum status route_domain_info(struct request *request)
{
	return request_answer(request, domain_json_whole(&request->info));
}

enum status route_domain_vcpus(struct request *request)
{
	json_t *list = json_array();

	domain_json_add_vcpus(&request->access, &request->info, list);
	return request_answer(request, list);
}

static enum status refuse(struct request *request, const char *what, int error)
{
	return request_fail(request, status_of(error), "%s: %s: %s", request->info.name, what,
			    strerror(-error));
}

enum status route_domain_stats(struct request *request)
{
	struct rf_counters sum;
	int error = counters_sum(&request->access, &request->info, &sum);

	if (error)
		return refuse(request, "its counters cannot be read", error);
	return request_answer(request, counters_to_json(&sum, NULL));
}

/* --- Beginning --- */

static json_t *warnings_of(const struct report *report)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < report->warnings && i < REPORT_WARNINGS; i++)
		json_array_append_new(list, json_string(report->warning[i]));
	return list;
}

enum status route_domain_create(struct request *request)
{
	struct rf_domain_info info;
	struct config config;
	enum status status = STATUS_OK;

	if (!request_config(request, &config))
		status = request_refuse(request, STATUS_USAGE);
	else if (!life_create(&request->access, &config, request_yes(request, "paused", false),
			      &info, &request->report))
		status = request_refuse(request, STATUS_FAILED);
	else
		request_answer(request, json_pack("{s:s, s:i}", "name", info.name, "domain",
						  (int)info.domain));
	if (status == STATUS_OK && request->report.warnings)
		json_object_set_new(request->json, "warnings", warnings_of(&request->report));
	config_free(&config);
	return status;
}

/* --- Ending --- */

enum status route_domain_destroy(struct request *request)
{
	int error = life_destroy(&request->access, &request->info);

	return error ? refuse(request, "cannot be destroyed", error) : request_done(request);
}

static enum status see_end(struct request *request)
{
	unsigned seconds = (unsigned)request_number(request, "timeout", TIMEOUT_DEFAULT);
	int error = domain_wait(&request->access, &request->info, seconds * 1000);

	if (error == -ETIMEDOUT)
		return request_fail(request, STATUS_BUSY, "%s: has not ended after %u seconds",
				    request->info.name, seconds);
	if (error)
		return refuse(request, "cannot be watched", error);
	if (daemon_end(&request->access, &request->info, &request->report) == LIFE_FAILED)
		return request_refuse(request, STATUS_FAILED);
	return request_done(request);
}

static enum status ask(struct request *request, uint32_t what, uint64_t argument)
{
	int error = domain_trigger(&request->access, request->info.domain, what, argument);

	/* One that has ended already only needs to be seen to. */
	if (error && !(error == -EBUSY && domain_ended(&request->info)))
		return refuse(request, "cannot be asked", error);
	return request_done(request);
}

static enum status ask_to_end(struct request *request, uint32_t what)
{
	enum status status = ask(request, what, 0);

	if (status != STATUS_OK || !request_yes(request, "wait", true))
		return status;
	json_decref(request->json);
	request->json = NULL;
	return see_end(request);
}

enum status route_domain_shutdown(struct request *request)
{
	return ask_to_end(request, RF_TRIGGER_POWEROFF);
}

enum status route_domain_reboot(struct request *request)
{
	return ask_to_end(request, RF_TRIGGER_REBOOT);
}

enum status route_domain_trigger(struct request *request)
{
	const char *what = request_text(request, "what");

	if (!strcmp(what, "poweroff"))
		return ask(request, RF_TRIGGER_POWEROFF, 0);
	if (!strcmp(what, "reboot"))
		return ask(request, RF_TRIGGER_REBOOT, 0);
	if (!strcmp(what, "nmi"))
		return ask(request, RF_TRIGGER_NMI, 0);
	return request_fail(request, STATUS_USAGE, "what: should be poweroff, reboot or nmi");
}

enum status route_domain_sysrq(struct request *request)
{
	const char *key = request_text(request, "key");

	if (!isgraph((unsigned char)key[0]) || key[1])
		return request_fail(request, STATUS_USAGE, "key: should be one letter or digit");
	return ask(request, RF_TRIGGER_SYSRQ, (uint64_t)key[0]);
}

/* --- Changing --- */

static enum status set_paused(struct request *request, bool paused)
{
	int error = domain_pause(&request->access, request->info.domain, paused);

	if (error)
		return refuse(request, paused ? "cannot be paused" : "cannot be unpaused", error);
	return request_done(request);
}

enum status route_domain_pause(struct request *request)
{
	return set_paused(request, true);
}

enum status route_domain_unpause(struct request *request)
{
	return set_paused(request, false);
}

static enum status changed(struct request *request, enum status status)
{
	return status == STATUS_OK ? request_done(request) : request_refuse(request, status);
}

enum status route_domain_rename(struct request *request)
{
	return changed(request, change_name(&request->access, &request->info,
					    request_text(request, "name"), &request->report));
}

enum status route_domain_mem_max(struct request *request)
{
	return changed(request, change_memory_max(&request->access, &request->info,
						  json_object_get(request->fields, "size"),
						  &request->report));
}

enum status route_domain_mem_set(struct request *request)
{
	return changed(request,
		       change_memory(&request->info, json_object_get(request->fields, "size"),
				     &request->report));
}

enum status route_domain_vcpu_set(struct request *request)
{
	return changed(request,
		       change_vcpus(&request->info, (uint32_t)request_number(request, "count", 0),
				    &request->report));
}

enum status route_domain_vcpu_pin(struct request *request)
{
	uint32_t vcpu = (uint32_t)request_number(request, "vcpu", RF_SET_EVERY_VCPU);

	if (vcpu != RF_SET_EVERY_VCPU && vcpu >= request->info.vcpus)
		return request_fail(request, STATUS_USAGE, "vcpu: %s has %u of them",
				    request->info.name, request->info.vcpus);
	return changed(request,
		       change_cpus(&request->access, &request->info, vcpu,
				   json_object_get(request->fields, "cpus"), &request->report));
}

enum status route_domain_sched(struct request *request)
{
	struct rf_domain_set set = { .mask = 0 };

	if (json_object_get(request->fields, "weight"))
		set.mask |= RF_SET_WEIGHT;
	if (json_object_get(request->fields, "cap"))
		set.mask |= RF_SET_CAP;
	if (!set.mask)
		return request_fail(request, STATUS_USAGE, "weight, or cap, or both are missing");
	set.weight = (uint32_t)request_number(request, "weight", 0);
	set.cap = (uint32_t)request_number(request, "cap", 0);
	return changed(request, change_set(&request->access, &request->info, &set,
					   "cannot be changed", &request->report));
}
