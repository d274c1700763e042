// SPDX-License-Identifier: BSD-2-Clause
/*
 * HTTP, by libmicrohttpd: connections, bodies and answers.
 *
 * Interface: server.h. Locks: the server's own, of its connections.
 * Odd: each connection has a thread, so a request may wait; there are at most SERVER_CONNECTIONS. A
 * client that sends or takes a byte now and then is cut off like a silent one: from outside, since the
 * library sees only silence.
 */
#include "toolstack/rfd/server.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "toolstack/rfd/route.h"

#define SILENCE	     10	   /* seconds */
#define HEADERS_SIZE 32768 /* of memory that the library has for a connection */

/* A request on its way. */
struct call {
	struct request request;
	char *body;
	size_t room;
	bool complete;
};

static uint64_t now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

/* --- Connections --- */

static struct server_connection *connection_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static int socket_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info ? info->connect_fd : -1;
}

/* There is a place for each: the library takes no more. */
static struct server_connection *take_place(struct server *server, int socket)
{
	for (size_t i = 0; i < SERVER_CONNECTIONS; i++) {
		struct server_connection *c = &server->connections[i];

		if (c->socket >= 0)
			continue;
		*c = (struct server_connection){ socket, now_ms() + server->patience };
		return c;
	}
	return NULL;
}

static void notice(void *context, struct MHD_Connection *connection, void **socket_context,
		   enum MHD_ConnectionNotificationCode code)
{
	struct server_connection *c = *socket_context;
	struct server *server = context;

	pthread_mutex_lock(&server->lock);
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		*socket_context = take_place(server, socket_of(connection));
	else if (c)
		c->socket = -1;
	pthread_mutex_unlock(&server->lock);
}

/* The client's turn, or ours. */
static void set_turn(struct server *server, struct MHD_Connection *connection, bool clients)
{
	struct server_connection *c = connection_of(connection);

	pthread_mutex_lock(&server->lock);
	if (c)
		c->until = clients ? now_ms() + server->patience : 0;
	pthread_mutex_unlock(&server->lock);
}

void server_look(struct server *server)
{
	uint64_t now = now_ms();

	pthread_mutex_lock(&server->lock);
	for (size_t i = 0; i < SERVER_CONNECTIONS; i++) {
		const struct server_connection *c = &server->connections[i];

		if (c->socket >= 0 && c->until && c->until <= now)
			shutdown(c->socket, SHUT_RDWR);
	}
	pthread_mutex_unlock(&server->lock);
}

/* --- Answers --- */

static struct MHD_Response *make_response(struct request *request)
{
	struct MHD_Response *response;
	char position[24];
	char *text;

	if (request->json) {
		text = json_dumps(request->json, JSON_INDENT(2) | JSON_ENCODE_ANY);
		response = MHD_create_response_from_buffer(text ? strlen(text) : 0, text,
							   MHD_RESPMEM_MUST_FREE);
		MHD_add_response_header(response, "Content-Type", "application/json");
		return response;
	}
	response = MHD_create_response_from_buffer(request->text_size, request->text,
						   MHD_RESPMEM_MUST_FREE);
	request->text = NULL;
	MHD_add_response_header(response, "Content-Type", request->type);
	if (request->position < 0)
		return response;
	snprintf(position, sizeof(position), "%lld", (long long)request->position);
	MHD_add_response_header(response, "Ringfence-Position", position);
	return response;
}

static enum MHD_Result answer(struct server *server, struct MHD_Connection *connection,
			      struct request *request)
{
	struct MHD_Response *response = make_response(request);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	result = MHD_queue_response(connection, request->code ? request->code : MHD_HTTP_OK,
				    response);
	MHD_destroy_response(response);
	set_turn(server, connection, true);
	return result;
}

/* --- Requests --- */

static bool is_too_long(struct MHD_Connection *connection)
{
	const char *length =
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");

	return length && strtoull(length, NULL, 10) > SERVER_BODY_MAX;
}

static enum MHD_Result take_argument(void *context, enum MHD_ValueKind kind, const char *name,
				     const char *value)
{
	(void)kind;
	return request_add_word(context, name, value ? value : "") ? MHD_YES : MHD_NO;
}

/* Refused before its body comes, if it is wrong already. */
static bool begin(struct MHD_Connection *connection, struct request *request, const char *path,
		  const char *method)
{
	bool known;

	request->fields = json_object();
	request->route = route_find(method, path, request->word, &known);
	if (!request->route) {
		request->code = known ? MHD_HTTP_METHOD_NOT_ALLOWED : MHD_HTTP_NOT_FOUND;
		request_fail(request, STATUS_USAGE, "%s %.200s: %s", method, path,
			     known ? "is not done that way" : "no such path");
		return false;
	}
	if (is_too_long(connection)) {
		request->code = MHD_HTTP_CONTENT_TOO_LARGE;
		request_fail(request, STATUS_USAGE, "the body has more than %u bytes",
			     SERVER_BODY_MAX);
		return false;
	}
	MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, take_argument, request);
	return !request->json;
}

/* A body in pieces whose length nobody said ends the connection when it gets too long. */
static bool take_body(struct call *call, const char *data, size_t size)
{
	size_t wanted = call->request.size + size;
	char *larger;

	if (wanted > SERVER_BODY_MAX)
		return false;
	if (wanted > call->room) {
		call->room = wanted < 4096 ? 4096 : 2 * wanted;
		larger = realloc(call->body, call->room);
		if (!larger)
			return false;
		call->body = larger;
	}
	memcpy(call->body + call->request.size, data, size);
	call->request.size = wanted;
	return true;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path,
			      const char *method, const char *version, const char *data,
			      size_t *size, void **place)
{
	struct server *server = context;
	struct call *call = *place;

	(void)version;
	if (!call) {
		call = calloc(1, sizeof(*call));
		*place = call;
		if (!call)
			return MHD_NO;
		call->request.daemon = server->daemon;
		if (!begin(connection, &call->request, path, method))
			return answer(server, connection, &call->request);
		return MHD_YES;
	}
	if (*size) {
		if (!take_body(call, data, *size))
			return MHD_NO;
		*size = 0;
		return MHD_YES;
	}
	set_turn(server, connection, false);
	call->request.body = call->body;
	request_run(&call->request);
	return answer(server, connection, &call->request);
}

static void complete(void *context, struct MHD_Connection *connection, void **place,
		     enum MHD_RequestTerminationCode code)
{
	struct call *call = *place;

	(void)code;
	*place = NULL;
	if (call) {
		request_free(&call->request);
		free(call->body);
		free(call);
	}
	set_turn(context, connection, true);
}

/* --- Start and end --- */

static int listen_at(const char *path, struct report *report)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask;
	int error;

	if (strlen(path) >= sizeof(address.sun_path)) {
		report_fail(report, "%s: a socket's path has at most %zu bytes", path,
			    sizeof(address.sun_path) - 1);
		close(file);
		return -1;
	}
	strcpy(address.sun_path, path);
	unlink(path);
	mask = umask(0177);
	error = file < 0 || bind(file, (struct sockaddr *)&address, sizeof(address)) ||
		listen(file, SERVER_CONNECTIONS);
	umask(mask);
	if (!error)
		return file;
	report_fail(report, "%s: %s", path, strerror(errno));
	close(file);
	return -1;
}

bool server_start(struct server *server, struct daemon *daemon, struct report *report)
{
	int file = listen_at(daemon->options.socket, report);

	if (file < 0)
		return false;
	*server = (struct server){ .daemon = daemon, .patience = SERVER_SECONDS * 1000 };
	pthread_mutex_init(&server->lock, NULL);
	for (size_t i = 0; i < SERVER_CONNECTIONS; i++)
		server->connections[i].socket = -1;
	server->http = MHD_start_daemon(
		MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0,
		NULL, NULL, handle, server, MHD_OPTION_LISTEN_SOCKET, file,
		MHD_OPTION_NOTIFY_COMPLETED, complete, server, MHD_OPTION_NOTIFY_CONNECTION, notice,
		server, MHD_OPTION_CONNECTION_LIMIT, SERVER_CONNECTIONS,
		MHD_OPTION_CONNECTION_TIMEOUT, SILENCE, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)HEADERS_SIZE, MHD_OPTION_END);
	if (server->http)
		return true;
	close(file);
	return report_fail(report, "%s: HTTP does not start: %s", daemon->options.socket,
			   strerror(errno));
}

/* Before it, event_close, or it waits for who waits for events. */
void server_stop(struct server *server)
{
	MHD_stop_daemon(server->http);
	unlink(server->daemon->options.socket);
	pthread_mutex_destroy(&server->lock);
}
