// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is asked about guests that are kept, and of them.
 *
 * Interface: route.h. Locks: those of definition.c and life.c.
 */
#include <string.h>

#include "toolstack/lib/definition.h"
#include "toolstack/lib/image.h"
#include "toolstack/lib/life.h"
#include "toolstack/rfd/route.h"

enum status route_definition_list(struct request *request)
{
	json_t *names = definition_names(), *list = json_array(), *name;
	size_t i;

	json_array_foreach(names, i, name) {
		struct report report = { .warnings = 0 };
		struct definition definition;
		enum status status = definition_read(json_string_value(name), &definition, &report);

		json_array_append_new(list, status == STATUS_OK
						    ? definition_json(&definition)
						    : json_pack("{s:O, s:s}", "name", name, "error",
								report.error));
		definition_free(&definition);
	}
	json_decref(names);
	return request_answer(request, list);
}

static enum status check_and_write(struct request *request, const struct definition *definition)
{
	struct image image;
	bool good = image_open(&image, &definition->config, &request->report);
	enum status status;

	image_close(&image);
	if (!good)
		return request_refuse(request, STATUS_FAILED);
	status = definition_write(definition, &request->report);
	if (status != STATUS_OK)
		return request_refuse(request, status);
	return request_answer(request, definition_json(definition));
}

enum status route_definition_write(struct request *request)
{
	struct definition definition = { .autostart = request_yes(request, "autostart", false) };
	enum status status;

	if (request_config(request, &definition.config))
		status = check_and_write(request, &definition);
	else
		status = request_refuse(request, STATUS_USAGE);
	definition_free(&definition);
	return status;
}

enum status route_definition_info(struct request *request)
{
	struct definition definition;
	enum status status = definition_read(request->word, &definition, &request->report);

	if (status == STATUS_OK)
		request_answer(request, definition_json(&definition));
	else
		request_refuse(request, status);
	definition_free(&definition);
	return status;
}

enum status route_definition_remove(struct request *request)
{
	enum status status = definition_remove(request->word, &request->report);

	return status == STATUS_OK ? request_done(request) : request_refuse(request, status);
}

enum status route_definition_autostart(struct request *request)
{
	enum status status = definition_set_autostart(
		request->word, request_yes(request, "autostart", true), &request->report);

	return status == STATUS_OK ? request_done(request) : request_refuse(request, status);
}

enum status route_definition_start(struct request *request)
{
	struct definition definition;
	struct rf_domain_info info;
	enum status status = definition_read(request->word, &definition, &request->report);

	if (status == STATUS_OK &&
	    !life_create(&request->access, &definition.config,
			 request_yes(request, "paused", false), &info, &request->report))
		status = STATUS_FAILED;
	if (status == STATUS_OK)
		request_answer(request, json_pack("{s:s, s:i}", "name", info.name, "domain",
						  (int)info.domain));
	else
		request_refuse(request, status);
	definition_free(&definition);
	return status;
}
