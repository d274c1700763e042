// SPDX-License-Identifier: BSD-2-Clause
/*
 * Messages of one client: put together from bytes, answered one by one, and let go as it reads them.
 *
 * Interface: connection_init, connection_free, connection_read, connection_refuse, connection_has_message,
 * connection_is_ready, connection_is_paused, connection_answer, connection_write, connection_has_output.
 * What is odd: nothing here grows with what a client does not read. A message is taken only when a few replies at most
 * are unread, and an event leaves its session only when everything before it has been read.
 */
#include "connection.h"

#include <string.h>

#include "request.h"
#include "store.h"

#define MESSAGE_MAX	    (sizeof(struct wire_header) + WIRE_PAYLOAD_MAX)
/* Domain 0 is not limited by a quota, but its replies must not pile up without end either. */
#define CONTROL_OUTSTANDING 256

void connection_init(struct connection *connection, struct store *store, uint16_t domain)
{
	memset(connection, 0, sizeof(*connection));
	session_init(&connection->session, store, domain);
}

void connection_free(struct connection *connection)
{
	session_end(&connection->session);
	buffer_free(&connection->in);
	buffer_free(&connection->out);
	connection->transport.methods->close(&connection->transport);
}

/* The header of the next message, if all of it is there. */
static bool next_header(const struct connection *connection, struct wire_header *header)
{
	if (buffer_length(&connection->in) < sizeof(*header))
		return false;
	memcpy(header, buffer_data(&connection->in), sizeof(*header));
	return true;
}

/* Nothing of what was counts any more. */
static void forget(struct connection *connection)
{
	session_reset(&connection->session);
	buffer_take(&connection->in, buffer_length(&connection->in));
	buffer_take(&connection->out, buffer_length(&connection->out));
	connection->replies = 0;
	connection->more = false;
}

bool connection_refuse(struct connection *connection)
{
	struct transport *transport = &connection->transport;

	forget(connection);
	return transport->methods->refuse && transport->methods->refuse(transport);
}

bool connection_read(struct connection *connection)
{
	struct transport *transport = &connection->transport;
	struct wire_header header;
	size_t length;
	ssize_t done;

	if (transport->methods->begins && transport->methods->begins(transport))
		forget(connection);
	length = buffer_length(&connection->in);
	if (length < MESSAGE_MAX) {
		char *room = buffer_reserve(&connection->in, MESSAGE_MAX - length);

		done = transport->methods->read(transport, room, MESSAGE_MAX - length);
		if (done < 0)
			return false;
		buffer_added(&connection->in, (size_t)done);
		connection->more = done > 0;
	}
	return !next_header(connection, &header) || header.length <= WIRE_PAYLOAD_MAX;
}

bool connection_has_message(const struct connection *connection)
{
	struct wire_header header;

	return next_header(connection, &header) && header.length <= WIRE_PAYLOAD_MAX &&
	       buffer_length(&connection->in) >= sizeof(header) + header.length;
}

bool connection_is_paused(const struct connection *connection)
{
	struct store *store = connection->session.store;

	return quota_pause(&store->quota, connection->session.domain, store->now) > 0;
}

bool connection_is_ready(const struct connection *connection)
{
	const struct session *session = &connection->session;
	uint32_t limit = session->domain ? session->store->quota.limits.outstanding
					 : CONTROL_OUTSTANDING;

	return connection_has_message(connection) && connection->replies < limit &&
	       !connection_is_paused(connection);
}

void connection_answer(struct connection *connection)
{
	struct wire_header header;

	next_header(connection, &header);
	connection->replies++;
	request_handle(&connection->session, &header, buffer_data(&connection->in) + sizeof(header),
		       &connection->out);
	buffer_take(&connection->in, sizeof(header) + header.length);
}

/* The next event becomes a message, if there is one. */
static bool add_event(struct connection *connection)
{
	struct wire_header header = { .type = WIRE_WATCH_EVENT };
	const char *path, *token;

	if (!session_next_event(&connection->session, &path, &token))
		return false;
	header.length = (uint32_t)(strlen(path) + strlen(token) + 2);
	buffer_add(&connection->out, &header, sizeof(header));
	buffer_add(&connection->out, path, strlen(path) + 1);
	buffer_add(&connection->out, token, strlen(token) + 1);
	session_took_event(&connection->session);
	return true;
}

bool connection_write(struct connection *connection)
{
	struct transport *transport = &connection->transport;
	struct buffer *out = &connection->out;
	ssize_t done;

	while (buffer_length(out) || add_event(connection)) {
		done = transport->methods->write(transport, buffer_data(out), buffer_length(out));
		if (done < 0)
			return false;
		if (!done)
			return true;
		buffer_take(out, (size_t)done);
		if (!buffer_length(out))
			connection->replies = 0;
	}
	return true;
}

bool connection_has_output(struct connection *connection)
{
	const char *path, *token;

	return buffer_length(&connection->out) ||
	       session_next_event(&connection->session, &path, &token);
}
