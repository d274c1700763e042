// SPDX-License-Identifier: BSD-2-Clause
/*
 * Requests, checked by the tables of their routes before anything is done.
 *
 * Interface: request.h. Locks: none, a request belongs to the thread of its connection.
 */
#include "toolstack/rfd/request.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/lib/domain.h"

/* --- Answers --- */

/* What is not UTF-8 came from the request, and is no JSON. */
static json_t *make_error(char *text)
{
	json_t *error = json_string(text);

	for (char *c = text; !error && *c; c++)
		*c = *c < ' ' || *c > '~' ? '?' : *c;
	return error ? error : json_string(text);
}

enum status request_refuse(struct request *request, enum status status)
{
	json_decref(request->json);
	request->json = json_pack("{s:o, s:s, s:i}", "error", make_error(request->report.error),
				  "code", status_name(status), "status", (int)status);
	if (!request->code)
		request->code = status == STATUS_USAGE	     ? 400
				: status == STATUS_NOT_FOUND ? 404
				: status == STATUS_BUSY	     ? 409
							     : 422;
	return status;
}

enum status request_fail(struct request *request, enum status status, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(request->report.error, sizeof(request->report.error), format, arguments);
	va_end(arguments);
	return request_refuse(request, status);
}

enum status request_answer(struct request *request, json_t *json)
{
	request->json = json;
	return STATUS_OK;
}

enum status request_done(struct request *request)
{
	return request_answer(request, json_object());
}

void request_free(struct request *request)
{
	json_decref(request->json);
	json_decref(request->fields);
	free(request->text);
}

/* --- Fields --- */

const char *request_text(const struct request *request, const char *name)
{
	return json_string_value(json_object_get(request->fields, name));
}

uint64_t request_number(const struct request *request, const char *name, uint64_t otherwise)
{
	const json_t *value = json_object_get(request->fields, name);

	return value ? (uint64_t)json_integer_value(value) : otherwise;
}

bool request_yes(const struct request *request, const char *name, bool otherwise)
{
	const json_t *value = json_object_get(request->fields, name);

	return value ? json_is_true(value) : otherwise;
}

static const struct field *find(const struct route *route, const char *name)
{
	for (const struct field *f = route->fields; f && f->name; f++)
		if (!strcmp(f->name, name))
			return f;
	return NULL;
}

static enum status no_field(struct request *request, const char *name)
{
	return request_fail(request, STATUS_USAGE, "%.64s: no such field", name);
}

static bool is_number(const struct field *field, const json_t *value)
{
	json_int_t number = json_integer_value(value);

	return json_is_integer(value) && number >= 0 && (uint64_t)number >= field->min &&
	       (uint64_t)number <= field->max;
}

static enum status check_field(struct request *request, const char *name, const json_t *value)
{
	const struct field *field = find(request->route, name);

	if (!field)
		return no_field(request, name);
	if (field->kind == FIELD_TEXT && !json_is_string(value))
		return request_fail(request, STATUS_USAGE, "%s: should be a text", name);
	if (field->kind == FIELD_NUMBER && !is_number(field, value))
		return request_fail(request, STATUS_USAGE,
				    "%s: should be a number from %llu to %llu", name,
				    (unsigned long long)field->min, (unsigned long long)field->max);
	if (field->kind == FIELD_YES && !json_is_boolean(value))
		return request_fail(request, STATUS_USAGE, "%s: should be true or false", name);
	if (field->kind == FIELD_OBJECT && !json_is_object(value))
		return request_fail(request, STATUS_USAGE, "%s: should be an object", name);
	return STATUS_OK;
}

static enum status check_fields(struct request *request)
{
	const char *name;
	json_t *value;

	json_object_foreach(request->fields, name, value) {
		enum status status = check_field(request, name, value);

		if (status != STATUS_OK)
			return status;
	}
	for (const struct field *f = request->route->fields; f && f->name; f++)
		if (f->needed && !json_object_get(request->fields, f->name))
			return request_fail(request, STATUS_USAGE, "%s: is missing", f->name);
	return STATUS_OK;
}

bool request_add_word(struct request *request, const char *name, const char *word)
{
	const struct field *field = find(request->route, name);
	json_t *value = NULL;
	char *end;

	if (!field)
		return no_field(request, name) == STATUS_OK;
	errno = 0;
	if (field->kind == FIELD_NUMBER && word[0] >= '0' && word[0] <= '9')
		value = json_integer(strtoll(word, &end, 10));
	if (value && (*end || errno)) {
		json_decref(value);
		value = NULL;
	}
	if (field->kind == FIELD_YES && (!strcmp(word, "true") || !strcmp(word, "false")))
		value = json_boolean(word[0] == 't');
	if (!value)
		value = json_string(word);
	if (value)
		return !json_object_set_new(request->fields, name, value);
	request_fail(request, STATUS_USAGE, "%s: is not UTF-8", name);
	return false;
}

/* A daemon has no folder that a path could be relative to. */
static bool is_whole(struct request *request, const char *key, const char *path)
{
	return !path || path[0] == '/' ||
	       report_fail(&request->report, "config: %s: should be a whole path", key);
}

static bool are_whole(struct request *request, const json_t *disks)
{
	json_t *disk;
	size_t i;

	json_array_foreach((json_t *)disks, i, disk)
		if (!is_whole(request, "disks", json_string_value(json_object_get(disk, "image"))))
			return false;
	return true;
}

bool request_config(struct request *request, struct config *config)
{
	struct report *report = &request->report;
	char *text = json_dumps(json_object_get(request->fields, "config"), 0);
	bool good;

	config_init(config);
	good = text ? config_parse("config", text, strlen(text), config, report)
		    : report_fail(report, "out of memory");
	free(text);
	if (good && !config->name)
		good = report_fail(report, "config: name: is missing");
	return good && is_whole(request, "kernel", config->kernel) &&
	       is_whole(request, "initrd", config->initrd) && are_whole(request, config->disks) &&
	       config_check("config", config, report);
}

/* --- Running --- */

static enum status read_body(struct request *request)
{
	json_error_t error;

	if (!request->size || (request->route->flags & ROUTE_BYTES))
		return STATUS_OK;
	json_decref(request->fields);
	request->fields = json_loadb(request->body, request->size, JSON_REJECT_DUPLICATES, &error);
	if (!request->fields)
		return request_fail(request, STATUS_USAGE, "the body, line %d, column %d: %s",
				    error.line, error.column, error.text);
	if (!json_is_object(request->fields))
		return request_fail(request, STATUS_USAGE, "the body should be an object");
	return STATUS_OK;
}

static enum status find_domain(struct request *request)
{
	int error = domain_find(&request->access, request->word, &request->info);

	if (error == -EEXIST)
		return request_fail(request, STATUS_FAILED,
				    "%s: several domains have this name: say its number",
				    request->word);
	if (error == -ESRCH)
		return request_fail(request, STATUS_NOT_FOUND, "%s: no such domain", request->word);
	if (error)
		return request_fail(request, STATUS_FAILED, "%s: %s", request->word,
				    strerror(-error));
	return STATUS_OK;
}

static enum status run_with_access(struct request *request)
{
	enum status status = STATUS_OK;

	if (!request->daemon->open(&request->access, &request->report))
		return request_refuse(request, STATUS_FAILED);
	if (request->route->flags & ROUTE_DOMAIN)
		status = find_domain(request);
	if (status == STATUS_OK)
		status = request->route->run(request);
	access_close(&request->access);
	return status;
}

void request_run(struct request *request)
{
	request->position = -1;
	if (!request->fields)
		request->fields = json_object();
	if (read_body(request) != STATUS_OK || check_fields(request) != STATUS_OK)
		return;
	if (request->route->flags & (ROUTE_ACCESS | ROUTE_DOMAIN))
		run_with_access(request);
	else
		request->route->run(request);
}
