// SPDX-License-Identifier: BSD-2-Clause
/*
 * From a message to an operation, and from its result to the reply.
 *
 * Interface: request_handle.
 * What is odd: the payload is the caller's own copy, so nobody changes it while it is read. Every string in it must
 * end with a zero inside it.
 */
#include "request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "children.h"
#include "control.h"
#include "domain.h"
#include "operation.h"

struct request {
	struct view view;
	const struct wire_header *header;
	const char *payload;
	size_t left; /* of the payload, unread */
	struct buffer *out;
	char path[PATH_SIZE];
	size_t prefix;
};

static int reply(struct request *request, const void *data, size_t length)
{
	struct wire_header header = *request->header;

	if (length > WIRE_PAYLOAD_MAX)
		return E2BIG;
	header.length = (uint32_t)length;
	buffer_add(request->out, &header, sizeof(header));
	buffer_add(request->out, data, length);
	return 0;
}

static int reply_text(struct request *request, const char *text)
{
	return reply(request, text, strlen(text) + 1);
}

/* What is said when there is nothing to say. */
static int reply_done(struct request *request, int error)
{
	return error ? error : reply_text(request, "OK");
}

/* The next string, or NULL if there is none that ends. */
static const char *take_string(struct request *request)
{
	const char *text = request->payload;
	size_t length = strnlen(text, request->left);

	if (length == request->left)
		return NULL;
	request->payload += length + 1;
	request->left -= length + 1;
	return text;
}

static int take_path(struct request *request, bool special)
{
	const char *given = take_string(request);

	if (!given)
		return EINVAL;
	return path_resolve(request->path, given, request->view.session->domain, special,
			    &request->prefix);
}

/* Special nodes have permissions, and nothing else. */
static int take_node_or_special(struct request *request)
{
	int error = take_path(request, true);

	if (!error && request->path[0] == '@' && !path_is_special(request->path))
		return EINVAL;
	return error;
}

static int take_domain(struct request *request, uint16_t *domain)
{
	const char *text = take_string(request);

	return text && permission_domain(text, domain) ? 0 : EINVAL;
}

static int do_read(struct request *request)
{
	const struct content *content;
	int error = take_path(request, false);

	if (!error)
		error = operation_read(&request->view, request->path, &content);
	return error ? error : reply(request, content->value, content->length);
}

static int do_write(struct request *request)
{
	int error = take_path(request, false);

	if (!error)
		error = operation_write(&request->view, request->path, request->payload,
					request->left);
	return reply_done(request, error);
}

static int do_mkdir(struct request *request)
{
	int error = take_path(request, false);

	if (!error)
		error = operation_mkdir(&request->view, request->path);
	return reply_done(request, error);
}

static int do_rm(struct request *request)
{
	int error = take_path(request, false);

	if (!error)
		error = operation_remove(&request->view, request->path);
	return reply_done(request, error);
}

static int do_directory(struct request *request)
{
	char names[WIRE_PAYLOAD_MAX + 1];
	const struct node *node;
	int error = take_path(request, false);

	if (!error)
		error = operation_list(&request->view, request->path, &node);
	if (error)
		return error;
	return reply(request, names, children_list(node->children, 0, names, sizeof(names)));
}

/* The folder's state, names from that byte on as many as there is room for, and an empty one if those are all. */
static int do_directory_part(struct request *request)
{
	char text[WIRE_PAYLOAD_MAX];
	const struct node *node;
	int error = take_path(request, false);
	const char *given = take_string(request);
	size_t offset, length, all;

	if (!error && !given)
		error = EINVAL;
	if (!error)
		error = operation_list(&request->view, request->path, &node);
	if (error)
		return error;
	offset = strtoul(given, NULL, 10);
	length = (size_t)sprintf(text, "%llu", (unsigned long long)node->listing) + 1;
	all = node->children ? node->children->name_bytes : 0;
	length += children_list(node->children, offset, text + length, sizeof(text) - 1 - length);
	/* Only whole names. */
	while (text[length - 1])
		length--;
	if (offset >= all || offset + length - (strlen(text) + 1) == all)
		text[length++] = 0;
	return reply(request, text, length);
}

static int do_get_permissions(struct request *request)
{
	char text[PERMISSION_MAX * 7];
	const struct content *content;
	int error = take_node_or_special(request);

	if (!error)
		error = operation_get_permissions(&request->view, request->path, &content);
	if (error)
		return error;
	return reply(request, text,
		     permission_print(content->permission, content->permissions, text));
}

static int do_set_permissions(struct request *request)
{
	struct permission list[PERMISSION_MAX];
	int error = take_node_or_special(request);
	size_t count = 0;

	if (!error)
		count = permission_parse(request->payload, request->left, list, PERMISSION_MAX);
	if (!error && !count)
		error = EINVAL;
	if (!error)
		error = operation_set_permissions(&request->view, request->path, list, count);
	return reply_done(request, error);
}

static int do_watch(struct request *request)
{
	int error = take_path(request, true);
	const char *token = take_string(request);

	if (!error && !token)
		error = EINVAL;
	if (!error)
		error = session_watch(request->view.session, request->path, request->prefix, token);
	return reply_done(request, error);
}

static int do_unwatch(struct request *request)
{
	int error = take_path(request, true);
	const char *token = take_string(request);

	if (!error && !token)
		error = EINVAL;
	if (!error)
		error = session_unwatch(request->view.session, request->path, token);
	return reply_done(request, error);
}

static int do_reset_watches(struct request *request)
{
	session_reset(request->view.session);
	return reply_done(request, 0);
}

static int do_transaction_start(struct request *request)
{
	char text[12];
	uint32_t id;
	int error = request->header->transaction ? EBUSY : 0;

	if (!error)
		error = transaction_start(request->view.session, &id);
	if (error)
		return error;
	snprintf(text, sizeof(text), "%u", id);
	return reply_text(request, text);
}

static int do_transaction_end(struct request *request)
{
	const char *given = take_string(request);

	if (!request->view.transaction)
		return ENOENT;
	if (!given || (strcmp(given, "T") != 0 && strcmp(given, "F") != 0))
		return EINVAL;
	return reply_done(request, transaction_end(request->view.transaction, given[0] == 'T'));
}

static int do_introduce(struct request *request)
{
	struct store *store = request->view.session->store;
	uint16_t domain;
	int error = take_domain(request, &domain);
	const char *frame = take_string(request);
	const char *port = take_string(request);

	if (!error && (!frame || !port))
		error = EINVAL;
	if (!error)
		error = domain_introduce(store, domain, strtoull(frame, NULL, 10),
					 (uint32_t)strtoul(port, NULL, 10));
	return reply_done(request, error);
}

static int do_release(struct request *request)
{
	uint16_t domain;
	int error = take_domain(request, &domain);

	if (!error)
		error = domain_release(request->view.session->store, domain);
	return reply_done(request, error);
}

static int do_set_target(struct request *request)
{
	uint16_t domain, target;
	int error = take_domain(request, &domain);

	if (!error)
		error = take_domain(request, &target);
	if (!error)
		error = domain_set_target(request->view.session->store, domain, target);
	return reply_done(request, error);
}

/* A domain is announced as released once, when it is; there is nothing to arm again. */
static int do_resume(struct request *request)
{
	uint16_t domain;
	int error = take_domain(request, &domain);

	if (!error && !domain_is_introduced(request->view.session->store, domain))
		error = ENOENT;
	return reply_done(request, error);
}

static int do_is_domain_introduced(struct request *request)
{
	uint16_t domain;
	int error = take_domain(request, &domain);

	if (error)
		return error;
	return reply_text(request,
			  domain_is_introduced(request->view.session->store, domain) ? "T" : "F");
}

static int do_get_domain_path(struct request *request)
{
	char text[32];
	uint16_t domain;
	int error = take_domain(request, &domain);

	if (error)
		return error;
	snprintf(text, sizeof(text), "/local/domain/%u", domain);
	return reply_text(request, text);
}

static int do_control(struct request *request)
{
	char text[WIRE_PAYLOAD_MAX];
	const char *command = take_string(request);
	int error;

	if (!command)
		return EINVAL;
	error = control_do(request->view.session, command, take_string(request), text,
			   sizeof(text));
	return error ? error : reply_text(request, text);
}

/* Who may, and whether the transaction that the header names must be there. */
static const struct handler {
	int (*handle)(struct request *request);
	bool control;
	bool transaction;
} handlers[WIRE_TYPES] = {
	[WIRE_CONTROL] = { do_control, true, false },
	[WIRE_DIRECTORY] = { do_directory, false, true },
	[WIRE_READ] = { do_read, false, true },
	[WIRE_GET_PERMISSIONS] = { do_get_permissions, false, true },
	[WIRE_WATCH] = { do_watch, false, false },
	[WIRE_UNWATCH] = { do_unwatch, false, false },
	[WIRE_TRANSACTION_START] = { do_transaction_start, false, false },
	[WIRE_TRANSACTION_END] = { do_transaction_end, false, true },
	[WIRE_INTRODUCE] = { do_introduce, true, false },
	[WIRE_RELEASE] = { do_release, true, false },
	[WIRE_GET_DOMAIN_PATH] = { do_get_domain_path, false, false },
	[WIRE_WRITE] = { do_write, false, true },
	[WIRE_MKDIR] = { do_mkdir, false, true },
	[WIRE_RM] = { do_rm, false, true },
	[WIRE_SET_PERMISSIONS] = { do_set_permissions, false, true },
	[WIRE_IS_DOMAIN_INTRODUCED] = { do_is_domain_introduced, false, false },
	[WIRE_RESUME] = { do_resume, true, false },
	[WIRE_SET_TARGET] = { do_set_target, true, false },
	[WIRE_RESET_WATCHES] = { do_reset_watches, false, false },
	[WIRE_DIRECTORY_PART] = { do_directory_part, false, true },
};

static int handle(struct request *request)
{
	const struct wire_header *header = request->header;
	const struct handler *handler;

	if (header->type >= WIRE_TYPES || !handlers[header->type].handle)
		return ENOSYS;
	handler = &handlers[header->type];
	if (handler->control && request->view.session->domain)
		return EACCES;
	if (handler->transaction && header->transaction) {
		request->view.transaction =
			transaction_find(request->view.session, header->transaction);
		if (!request->view.transaction)
			return ENOENT;
	}
	return handler->handle(request);
}

void request_handle(struct session *session, const struct wire_header *header, const char *payload,
		    struct buffer *out)
{
	struct request request = { .view = { .session = session },
				   .header = header,
				   .payload = payload,
				   .left = header->length,
				   .out = out };
	struct wire_header refused = *header;
	int error = handle(&request);

	if (!error)
		return;
	refused.type = WIRE_ERROR;
	request.header = &refused;
	reply_text(&request, wire_error_name(error));
}
