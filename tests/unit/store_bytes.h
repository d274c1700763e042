/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_STORE_BYTES_H
#define UNIT_STORE_BYTES_H

/* A server in the test's own thread, and clients that the test plays byte by byte. */
#include "unit.h"

#include <sys/socket.h>
#include <unistd.h>

#include "toolstack/store/check.h"
#include "toolstack/store/server.h"

static struct server server;

/* A client that the test has in hand, and the server's idea of it. */
struct client {
	int socket;
	struct connection *connection;
	char reply[WIRE_PAYLOAD_MAX + 1];
	struct wire_header header;
};

static inline void turn(int times)
{
	while (times--)
		server_turn(&server, 0);
}

static inline struct client connect_client(uint16_t domain)
{
	struct client client = { .socket = -1 };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	client.socket = pair[0];
	client.connection = server_add_connection(&server, domain);
	transport_socket(&client.connection->transport, pair[1]);
	server_poll_connection(&server, client.connection);
	return client;
}

static inline void send_bytes(const struct client *client, const void *data, size_t length)
{
	assert_int_equal(send(client->socket, data, length, MSG_NOSIGNAL), length);
}

static inline void send_request(const struct client *client, uint32_t type, uint32_t transaction,
				const char *payload, size_t length)
{
	const struct wire_header header = { type, 77, transaction, (uint32_t)length };

	send_bytes(client, &header, sizeof(header));
	if (length)
		send_bytes(client, payload, length);
}

/* The next message, if it is there. */
static inline bool receive(struct client *client)
{
	if (recv(client->socket, &client->header, sizeof(client->header), 0) !=
	    sizeof(client->header))
		return false;
	assert_in_range(client->header.length, 0, WIRE_PAYLOAD_MAX);
	if (client->header.length)
		assert_int_equal(recv(client->socket, client->reply, client->header.length, 0),
				 client->header.length);
	client->reply[client->header.length] = 0;
	return true;
}

static inline void ask(struct client *client, uint32_t type, uint32_t transaction,
		       const char *payload, size_t length)
{
	send_request(client, type, transaction, payload, length);
	turn(3);
	assert_true(receive(client));
	assert_int_equal(client->header.request, 77);
	assert_int_equal(client->header.transaction, transaction);
}

static inline void expect(struct client *client, uint32_t type, const char *payload, size_t length,
			  const char *answer)
{
	ask(client, type, 0, payload, length);
	assert_int_equal(client->header.type, type);
	assert_string_equal(client->reply, answer);
}

static inline void refuse(struct client *client, uint32_t type, const char *payload, size_t length,
			  const char *error)
{
	ask(client, type, 0, payload, length);
	assert_int_equal(client->header.type, WIRE_ERROR);
	assert_string_equal(client->reply, error);
	assert_int_equal(client->header.length, strlen(error) + 1);
}

/* A string with zeros in it, and the one at its end. */
#define BYTES(text) text, sizeof(text)

static inline size_t connections(void)
{
	const struct connection *connection;
	size_t count = 0;

	TAILQ_FOREACH(connection, &server.connections, in_server)
		count++;
	return count;
}

static inline int setup(void **state)
{
	(void)state;
	server_init(&server);
	return 0;
}

static inline int teardown(void **state)
{
	char text[256];

	(void)state;
	if (!check_store(&server.store, text, sizeof(text)))
		fail_msg("%s", text);
	server_free(&server);
	return 0;
}

#endif
