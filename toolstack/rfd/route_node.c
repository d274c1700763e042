// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is asked about the node, and what has happened on it.
 *
 * Interface: route.h. Locks: none.
 */
#include <stdlib.h>
#include <string.h>

#include "abi/version.h"
#include "toolstack/lib/domain.h"
#include "toolstack/lib/domain_json.h"
#include "toolstack/rfd/route.h"
#include "toolstack/rfd/tend.h"

#define LOG_SIZE 65536

enum status route_index(struct request *request)
{
	json_t *list = json_array();

	for (const struct route *route = route_table; route->method; route++)
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s}", "method", route->method, "path",
						route->path, "summary", route->summary));
	return request_answer(request, list);
}

enum status route_version(struct request *request)
{
	return request_answer(request,
			      json_pack("{s:s, s:i}", "rf", RF_VERSION, "abi", RF_ABI_VERSION));
}

enum status route_node(struct request *request)
{
	struct rf_domain_info info;
	int error = domain_get(&request->access, 0, &info);

	if (error)
		return request_fail(request, status_of(error), "the node cannot be looked at: %s",
				    strerror(-error));
	return request_answer(request, domain_json_node(&request->access, &info));
}

enum status route_events(struct request *request)
{
	json_t *events = event_read(&request->daemon->events, request_number(request, "since", 0),
				    (unsigned)request_number(request, "wait", 0));

	if (!events)
		return request_fail(request, STATUS_BUSY, "%u wait for events already",
				    EVENTS_WAITERS);
	return request_answer(request, events);
}

enum status route_helpers(struct request *request)
{
	json_t *list = json_array();

	helper_list(&request->daemon->helpers, list);
	tend_list(request->daemon, list);
	return request_answer(request, list);
}

enum status route_metrics(struct request *request)
{
	request->text = metrics_copy(&request->daemon->metrics, &request->text_size);
	request->type = "text/plain; version=0.0.4";
	return request->text ? STATUS_OK : request_fail(request, STATUS_FAILED, "out of memory");
}

/* --- Consoles --- */

/* Until there is nothing more, or there is no room for it. */
static enum status read_console(struct request *request, uint32_t domain)
{
	uint64_t position = request_number(request, "since", 0);
	int64_t got = 1;

	request->text = calloc(1, LOG_SIZE);
	if (!request->text)
		return request_fail(request, STATUS_FAILED, "out of memory");
	while (got > 0 && request->text_size < LOG_SIZE) {
		got = domain_read(&request->access, domain, request->text + request->text_size,
				  LOG_SIZE - request->text_size, &position);
		request->text_size += got > 0 ? (size_t)got : 0;
	}
	if (got < 0)
		return request_fail(request, status_of(got), "cannot be read: %s",
				    strerror((int)-got));
	request->type = "application/octet-stream";
	request->position = (int64_t)position;
	return STATUS_OK;
}

enum status route_log(struct request *request)
{
	return read_console(request, RF_DOMAIN_HYPERVISOR);
}

enum status route_domain_console(struct request *request)
{
	if (request->info.control)
		return request_fail(request, STATUS_FAILED,
				    "%s: the control domain's is the machine's own",
				    request->info.name);
	return read_console(request, request->info.domain);
}

enum status route_domain_type(struct request *request)
{
	size_t done = 0;
	int64_t taken = 1;

	while (done < request->size && taken > 0) {
		size_t more = request->size - done;

		taken = domain_type(&request->access, request->info.domain, request->body + done,
				    more < RF_TRIGGER_INPUT_MAX ? more : RF_TRIGGER_INPUT_MAX);
		done += taken > 0 ? (size_t)taken : 0;
	}
	if (taken < 0 && !done)
		return request_fail(request, status_of(taken), "%s: cannot be typed to: %s",
				    request->info.name, strerror((int)-taken));
	return request_answer(request, json_pack("{s:I}", "taken", (json_int_t)done));
}
