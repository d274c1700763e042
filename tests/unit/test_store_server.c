// SPDX-License-Identifier: BSD-2-Clause
/*
 * The store's server, by bytes: every request well and badly, messages in pieces, clients that do not read, a page that
 * is shared, and another program that takes over.
 */
#include "unit.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "toolstack/store/check.h"
#include "toolstack/store/domain.h"
#include "toolstack/store/server.h"
#include "toolstack/store/upgrade.h"

static struct server server;

/* A client that the test has in hand, and the server's idea of it. */
struct client {
	int socket;
	struct connection *connection;
	char reply[WIRE_PAYLOAD_MAX + 1];
	struct wire_header header;
};

static void turn(int times)
{
	while (times--)
		server_turn(&server, 0);
}

static struct client connect_client(uint16_t domain)
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

static void send_bytes(const struct client *client, const void *data, size_t length)
{
	assert_int_equal(send(client->socket, data, length, MSG_NOSIGNAL), length);
}

static void send_request(const struct client *client, uint32_t type, uint32_t transaction,
			 const char *payload, size_t length)
{
	const struct wire_header header = { type, 77, transaction, (uint32_t)length };

	send_bytes(client, &header, sizeof(header));
	if (length)
		send_bytes(client, payload, length);
}

/* The next message, if it is there. */
static bool receive(struct client *client)
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

static void ask(struct client *client, uint32_t type, uint32_t transaction, const char *payload,
		size_t length)
{
	send_request(client, type, transaction, payload, length);
	turn(3);
	assert_true(receive(client));
	assert_int_equal(client->header.request, 77);
	assert_int_equal(client->header.transaction, transaction);
}

static void expect(struct client *client, uint32_t type, const char *payload, size_t length,
		   const char *answer)
{
	ask(client, type, 0, payload, length);
	assert_int_equal(client->header.type, type);
	assert_string_equal(client->reply, answer);
}

static void refuse(struct client *client, uint32_t type, const char *payload, size_t length,
		   const char *error)
{
	ask(client, type, 0, payload, length);
	assert_int_equal(client->header.type, WIRE_ERROR);
	assert_string_equal(client->reply, error);
	assert_int_equal(client->header.length, strlen(error) + 1);
}

/* A string with zeros in it, and the one at its end. */
#define BYTES(text) text, sizeof(text)

static int setup(void **state)
{
	(void)state;
	server_init(&server);
	return 0;
}

static int teardown(void **state)
{
	char text[256];

	(void)state;
	if (!check_store(&server.store, text, sizeof(text)))
		fail_msg("%s", text);
	server_free(&server);
	return 0;
}

static void test_requests(void **state)
{
	struct client c = connect_client(0);

	(void)state;
	expect(&c, WIRE_WRITE, "/a/b\0value", 10, "OK");
	expect(&c, WIRE_READ, BYTES("/a/b"), "value");
	assert_int_equal(c.header.length, 5);
	expect(&c, WIRE_READ, BYTES("/a"), "");
	expect(&c, WIRE_MKDIR, BYTES("/a/c"), "OK");
	expect(&c, WIRE_DIRECTORY, BYTES("/a"), "b");
	assert_memory_equal(c.reply, "b\0c", 4);
	assert_int_equal(c.header.length, 4);
	expect(&c, WIRE_DIRECTORY, BYTES("/a/b"), "");
	expect(&c, WIRE_GET_PERMISSIONS, BYTES("/a"), "n0");
	expect(&c, WIRE_SET_PERMISSIONS, BYTES("/a\0r0\0b5"), "OK");
	expect(&c, WIRE_GET_PERMISSIONS, BYTES("/a"), "r0");
	assert_memory_equal(c.reply, "r0\0b5", 6);
	expect(&c, WIRE_GET_PERMISSIONS, BYTES("@releaseDomain"), "n0");
	expect(&c, WIRE_RM, BYTES("/a"), "OK");
	expect(&c, WIRE_RM, BYTES("/a"), "OK");
	refuse(&c, WIRE_RM, BYTES("/a/b"), "ENOENT");
	refuse(&c, WIRE_READ, BYTES("/a"), "ENOENT");
	expect(&c, WIRE_GET_DOMAIN_PATH, BYTES("5"), "/local/domain/5");
	expect(&c, WIRE_IS_DOMAIN_INTRODUCED, BYTES("5"), "F");
	expect(&c, WIRE_INTRODUCE,
	       BYTES("5\0"
		     "1\0"
		     "2"),
	       "OK");
	expect(&c, WIRE_IS_DOMAIN_INTRODUCED, BYTES("5"), "T");
	expect(&c, WIRE_RESUME, BYTES("5"), "OK");
	expect(&c, WIRE_RELEASE, BYTES("5"), "OK");
	refuse(&c, WIRE_RELEASE, BYTES("5"), "ENOENT");
	refuse(&c, WIRE_RESUME, BYTES("5"), "ENOENT");
	close(c.socket);
}

static void test_refused(void **state)
{
	static const uint32_t types[] = { WIRE_DIRECTORY,	WIRE_READ,
					  WIRE_GET_PERMISSIONS, WIRE_WATCH,
					  WIRE_MKDIR,		WIRE_RM,
					  WIRE_WRITE,		WIRE_RELEASE,
					  WIRE_INTRODUCE,	WIRE_SET_PERMISSIONS,
					  WIRE_CONTROL,		WIRE_SET_TARGET,
					  WIRE_GET_DOMAIN_PATH, WIRE_IS_DOMAIN_INTRODUCED,
					  WIRE_DIRECTORY_PART,	WIRE_UNWATCH,
					  WIRE_RESUME };
	struct client c = connect_client(0);

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		refuse(&c, types[i], NULL, 0, "EINVAL");
		refuse(&c, types[i], "/no-zero-at-the-end", 19, "EINVAL");
		refuse(&c, types[i], BYTES("/bad path"), "EINVAL");
	}
	refuse(&c, WIRE_RM, BYTES("/"), "EINVAL");
	refuse(&c, WIRE_SET_PERMISSIONS, BYTES("/"), "EINVAL");
	refuse(&c, WIRE_SET_PERMISSIONS, BYTES("/\0x1"), "EINVAL");
	refuse(&c, WIRE_READ, BYTES("@releaseDomain"), "EINVAL");
	refuse(&c, WIRE_GET_PERMISSIONS, BYTES("@none"), "EINVAL");
	refuse(&c, WIRE_WATCH, BYTES("/a"), "EINVAL");
	refuse(&c, WIRE_UNWATCH, BYTES("/a\0t"), "ENOENT");
	refuse(&c, WIRE_TRANSACTION_END, BYTES("T"), "ENOENT");
	refuse(&c, WIRE_INTRODUCE,
	       BYTES("0\0"
		     "1\0"
		     "2"),
	       "EINVAL");
	refuse(&c, WIRE_INTRODUCE,
	       BYTES("70000\0"
		     "1\0"
		     "2"),
	       "EINVAL");
	refuse(&c, WIRE_WATCH_EVENT, BYTES("/"), "ENOSYS");
	refuse(&c, WIRE_ERROR, BYTES("/"), "ENOSYS");
	refuse(&c, 20, BYTES("/"), "ENOSYS");
	refuse(&c, WIRE_TYPES, BYTES("/"), "ENOSYS");
	refuse(&c, UINT32_MAX, BYTES("/"), "ENOSYS");
	close(c.socket);
}

/* What only domain 0 may. */
static void test_guest(void **state)
{
	struct client guest = connect_client(5);

	(void)state;
	refuse(&guest, WIRE_INTRODUCE,
	       BYTES("6\0"
		     "1\0"
		     "2"),
	       "EACCES");
	refuse(&guest, WIRE_RELEASE, BYTES("5"), "EACCES");
	refuse(&guest, WIRE_RESUME, BYTES("5"), "EACCES");
	refuse(&guest, WIRE_SET_TARGET,
	       BYTES("5\0"
		     "6"),
	       "EACCES");
	refuse(&guest, WIRE_CONTROL, BYTES("check"), "EACCES");
	refuse(&guest, WIRE_WRITE, BYTES("/a"), "EACCES");
	refuse(&guest, WIRE_SET_PERMISSIONS, BYTES("@releaseDomain\0b5"), "EACCES");
	expect(&guest, WIRE_RESET_WATCHES, BYTES(""), "OK");
	close(guest.socket);
}

static void test_transactions(void **state)
{
	struct client c = connect_client(0);
	uint32_t id;

	(void)state;
	ask(&c, WIRE_TRANSACTION_START, 0, BYTES(""));
	id = (uint32_t)atoi(c.reply);
	ask(&c, WIRE_WRITE, id, BYTES("/t"));
	assert_string_equal(c.reply, "OK");
	refuse(&c, WIRE_READ, BYTES("/t"), "ENOENT");
	ask(&c, WIRE_TRANSACTION_START, id, BYTES(""));
	assert_string_equal(c.reply, "EBUSY");
	ask(&c, WIRE_TRANSACTION_END, id, BYTES("X"));
	assert_string_equal(c.reply, "EINVAL");
	ask(&c, WIRE_TRANSACTION_END, id, BYTES("T"));
	assert_string_equal(c.reply, "OK");
	expect(&c, WIRE_READ, BYTES("/t"), "");
	ask(&c, WIRE_READ, id, BYTES("/t"));
	assert_string_equal(c.reply, "ENOENT");
	close(c.socket);
}

/* 4096 bytes of names are a message; more come in parts, which begin and end with whole names. */
static void test_directory_parts(void **state)
{
	struct client c = connect_client(0);
	char path[64], request[64];
	size_t offset = 0, names = 0, length;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		length = (size_t)snprintf(path, sizeof(path), "/d/name-%d", i) + 1;
		expect(&c, WIRE_MKDIR, path, length, "OK");
	}
	refuse(&c, WIRE_DIRECTORY, BYTES("/d"), "E2BIG");
	for (int part = 0; part < 10; part++) {
		memcpy(request, "/d", 3);
		length = 3 + (size_t)snprintf(request + 3, 32, "%zu", offset) + 1;
		ask(&c, WIRE_DIRECTORY_PART, 0, request, length);
		assert_int_equal(c.header.type, WIRE_DIRECTORY_PART);
		length = strlen(c.reply) + 1;
		assert_int_equal(c.reply[c.header.length - 1], 0);
		while (length < c.header.length && c.reply[length]) {
			assert_memory_equal(c.reply + length, "name-", 5);
			offset += strlen(c.reply + length) + 1;
			length += strlen(c.reply + length) + 1;
			names++;
		}
		if (length < c.header.length)
			break;
	}
	assert_int_equal(names, 1000);
	assert_int_equal(length, c.header.length - 1);
	/* Beyond the end there is only the end. */
	ask(&c, WIRE_DIRECTORY_PART, 0,
	    BYTES("/d\0"
		  "999999999999999999999"));
	assert_int_equal(c.header.length, strlen(c.reply) + 2);
	close(c.socket);
}

/* A byte at a time; and many at once, one of which is answered in each turn. */
static void test_pieces(void **state)
{
	const struct wire_header header = { WIRE_READ, 77, 0, 2 };
	struct client c = connect_client(0);
	char message[sizeof(header) + 2];

	(void)state;
	memcpy(message, &header, sizeof(header));
	memcpy(message + sizeof(header), "/", 2);
	for (size_t i = 0; i < sizeof(message); i++) {
		assert_false(receive(&c));
		send_bytes(&c, message + i, 1);
		turn(2);
	}
	assert_true(receive(&c));
	for (int i = 0; i < 5; i++)
		send_bytes(&c, message, sizeof(message));
	for (int i = 0; i < 5; i++) {
		assert_false(receive(&c));
		turn(1);
		assert_true(receive(&c));
	}
	close(c.socket);
}

static size_t connections(void)
{
	const struct connection *connection;
	size_t count = 0;

	TAILQ_FOREACH(connection, &server.connections, in_server)
		count++;
	return count;
}

/* Too long a message ends the connection, as the protocol says; and nobody else's. */
static void test_too_long(void **state)
{
	const struct wire_header header = { WIRE_WRITE, 77, 0, WIRE_PAYLOAD_MAX + 1 };
	const struct wire_header huge = { WIRE_WRITE, 77, 0, UINT32_MAX };
	struct client bad = connect_client(0), worse = connect_client(0), good = connect_client(0);

	(void)state;
	send_bytes(&bad, &header, sizeof(header));
	send_bytes(&worse, &huge, sizeof(huge));
	turn(3);
	assert_int_equal(connections(), 1);
	assert_int_equal(recv(bad.socket, bad.reply, 1, 0), 0);
	expect(&good, WIRE_READ, BYTES("/"), "");
	close(bad.socket);
	close(worse.socket);
	close(good.socket);
}

/* It asks and does not read: what is kept for it is bounded, others are served. */
static void test_never_reads(void **state)
{
	const struct wire_header header = { WIRE_READ, 77, 0, 2 };
	struct client deaf = connect_client(5), good = connect_client(0);
	char message[sizeof(header) + 2];
	int sent = 0, taken = 0;

	(void)state;
	expect(&good, WIRE_SET_PERMISSIONS, BYTES("/\0r0"), "OK");
	memcpy(message, &header, sizeof(header));
	memcpy(message + sizeof(header), "/", 2);
	while (send(deaf.socket, message, sizeof(message), MSG_NOSIGNAL) > 0) {
		sent++;
		turn(1);
		assert_true(buffer_length(&deaf.connection->out) <=
			    server.store.quota.limits.outstanding * sizeof(message));
	}
	assert_true(sent > 100);
	expect(&good, WIRE_READ, BYTES("/"), "");
	/* Then it reads, and gets all that it asked for. */
	for (int i = 0; i < 10 * sent && taken < sent; i++) {
		turn(1);
		while (receive(&deaf))
			taken++;
	}
	assert_int_equal(taken, sent);
	close(deaf.socket);
	close(good.socket);
}

/* One whose domain has spoiled transactions waits, and the others do not; then it is served. */
static void test_pause(void **state)
{
	struct client guest = connect_client(5), good = connect_client(0);

	(void)state;
	expect(&good, WIRE_SET_PERMISSIONS, BYTES("/\0r0"), "OK");
	for (uint32_t i = 0; i < server.store.quota.limits.conflict_burst + 2; i++)
		quota_spoiled(&server.store.quota, 5, server.store.now);
	send_request(&guest, WIRE_READ, 0, BYTES("/"));
	turn(2);
	assert_false(receive(&guest));
	expect(&good, WIRE_READ, BYTES("/"), "");
	for (int i = 0; i < 1000 && !receive(&guest); i++)
		server_turn(&server, 10);
	assert_int_equal(guest.header.type, WIRE_READ);
	close(guest.socket);
	close(good.socket);
}

/* A domain that is released takes its connections with it. */
static void test_release(void **state)
{
	struct client guest = connect_client(5), good = connect_client(0);

	(void)state;
	expect(&good, WIRE_INTRODUCE,
	       BYTES("5\0"
		     "1\0"
		     "2"),
	       "OK");
	expect(&guest, WIRE_RESET_WATCHES, BYTES(""), "OK");
	expect(&good, WIRE_RELEASE, BYTES("5"), "OK");
	turn(2);
	assert_int_equal(connections(), 1);
	close(guest.socket);
	close(good.socket);
}

static void test_watch_events(void **state)
{
	struct client c = connect_client(0);

	(void)state;
	expect(&c, WIRE_WATCH, BYTES("/w\0token"), "OK");
	assert_true(receive(&c));
	assert_int_equal(c.header.type, WIRE_WATCH_EVENT);
	assert_int_equal(c.header.request, 0);
	assert_int_equal(c.header.length, 9);
	assert_memory_equal(c.reply, "/w\0token", 9);
	refuse(&c, WIRE_WATCH, BYTES("/w\0token"), "EEXIST");
	expect(&c, WIRE_WRITE, BYTES("/w/x"), "OK");
	assert_true(receive(&c));
	assert_memory_equal(c.reply, "/w/x\0token", 11);
	expect(&c, WIRE_UNWATCH, BYTES("/w\0token"), "OK");
	expect(&c, WIRE_WRITE, BYTES("/w/x"), "OK");
	assert_false(receive(&c));
	close(c.socket);
}

/* The other side of a page, in a thread: it sends requests as fast as there is room, and reads all replies. */
static struct wire_ring ring;
static int ring_files[2]; /* the server's, the client's */
#define RING_REQUESTS 3000

static void notify_client(struct transport *transport)
{
	const uint64_t one = 1;

	(void)transport;
	assert_int_equal(write(ring_files[1], &one, sizeof(one)), sizeof(one));
}

static void wait_for_server(void)
{
	struct pollfd file = { .fd = ring_files[1], .events = POLLIN };
	uint64_t count;

	if (poll(&file, 1, 1000) > 0 && read(ring_files[1], &count, sizeof(count)) < 0)
		abort();
}

static void wake_server(void)
{
	const uint64_t one = 1;

	if (write(ring_files[0], &one, sizeof(one)) < 0)
		abort();
}

static void ring_put(const char *data, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		uint32_t producer = ring.request_producer;

		while (producer - __atomic_load_n(&ring.request_consumer, __ATOMIC_ACQUIRE) ==
		       WIRE_RING_SIZE) {
			wake_server();
			wait_for_server();
		}
		ring.request[producer % WIRE_RING_SIZE] = data[i];
		__atomic_store_n(&ring.request_producer, producer + 1, __ATOMIC_RELEASE);
	}
	wake_server();
}

static void ring_get(char *data, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		uint32_t consumer = ring.reply_consumer;

		while (consumer == __atomic_load_n(&ring.reply_producer, __ATOMIC_ACQUIRE)) {
			wake_server();
			wait_for_server();
		}
		data[i] = ring.reply[consumer % WIRE_RING_SIZE];
		__atomic_store_n(&ring.reply_consumer, consumer + 1, __ATOMIC_RELEASE);
	}
	wake_server();
}

/* Values of every length, so that messages end at every place of the ring. */
static void *ring_client(void *argument)
{
	static char message[WIRE_PAYLOAD_MAX + 16], value[WIRE_PAYLOAD_MAX + 1];
	struct wire_header header;

	for (uint32_t i = 0; i < RING_REQUESTS; i++) {
		size_t length = i % 1900;

		header = (struct wire_header){ i % 2 ? WIRE_READ : WIRE_WRITE, i, 0,
					       (uint32_t)(5 + (i % 2 ? 0 : length)) };
		memcpy(message, &header, sizeof(header));
		memcpy(message + 16, "data", 5);
		memset(message + 21, 'a' + i % 26, length);
		ring_put(message, sizeof(header) + header.length);
		ring_get((char *)&header, sizeof(header));
		ring_get(value, header.length);
		if (header.request != i || header.type != (i % 2 ? WIRE_READ : WIRE_WRITE))
			*(bool *)argument = false;
		if (i % 2 &&
		    (header.length != (i - 1) % 1900 ||
		     (header.length && value[header.length - 1] != 'a' + (char)((i - 1) % 26))))
			*(bool *)argument = false;
	}
	return NULL;
}

static struct connection *connect_ring(void)
{
	struct connection *connection = server_add_connection(&server, 5);

	memset(&ring, 0, sizeof(ring));
	ring_files[0] = eventfd(0, EFD_NONBLOCK);
	ring_files[1] = eventfd(0, EFD_NONBLOCK);
	transport_ring(&connection->transport, &ring, ring_files[0], notify_client);
	server_poll_connection(&server, connection);
	return connection;
}

static void test_ring(void **state)
{
	struct client c = connect_client(0);
	bool good = true;
	pthread_t thread;

	(void)state;
	expect(&c, WIRE_MKDIR, BYTES("/local/domain/5"), "OK");
	expect(&c, WIRE_SET_PERMISSIONS, BYTES("/local/domain/5\0n5"), "OK");
	connect_ring();
	assert_int_equal(ring.features, WIRE_FEATURE_RECONNECTION | WIRE_FEATURE_ERROR);
	pthread_create(&thread, NULL, ring_client, &good);
	while (pthread_tryjoin_np(thread, NULL))
		server_turn(&server, 10);
	assert_true(good);
	expect(&c, WIRE_READ, BYTES("/local/domain/5/data"), c.reply);
	close(ring_files[1]);
	close(c.socket);
}

/* Indices that cannot be end it, with the reason in the page. */
static void test_ring_indices(void **state)
{
	static const uint32_t bad[][2] = { { WIRE_RING_SIZE + 1, 0 },
					   { UINT32_MAX, 0 },
					   { 16, 1 },
					   { 16, 0x80000000 } };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		connect_ring();
		turn(1);
		ring.request_producer = bad[i][0];
		ring.reply_consumer = bad[i][1];
		wake_server();
		turn(3);
		assert_int_equal(connections(), 0);
		assert_int_equal(ring.error, WIRE_ERROR_INDEX);
		close(ring_files[1]);
	}
}

/* Another program takes over, here in the same: a connection goes on in the middle of a message. */
static void test_upgrade(void **state)
{
	const struct wire_header header = { WIRE_READ, 77, 0, 4 };
	struct client c = connect_client(0), guest = connect_client(5);
	struct buffer saved = { .data = NULL };
	struct connection *connection;
	uint32_t id;

	(void)state;
	expect(&c, WIRE_WATCH, BYTES("/w\0token"), "OK");
	assert_true(receive(&c));
	expect(&c, WIRE_WATCH, BYTES("/quiet\0token"), "OK");
	assert_true(receive(&c));
	ask(&c, WIRE_TRANSACTION_START, 0, BYTES(""));
	id = (uint32_t)atoi(c.reply);
	send_bytes(&c, &header, sizeof(header));
	turn(2);
	/* An event that has not been told. */
	store_announce(&server.store, "/w");
	session_add_event(TAILQ_FIRST(&c.connection->session.watches), "/w/deep/below");
	upgrade_save(&server, &saved);
	/* The old program's descriptors stay open in the new one. */
	TAILQ_FOREACH(connection, &server.connections, in_server)
		connection->transport.file = dup(connection->transport.file);
	server_free(&server);
	server_init(&server);
	assert_true(upgrade_load(&server, buffer_data(&saved), buffer_length(&saved)));
	assert_int_equal(connections(), 2);
	send_bytes(&c, "/no", 4);
	turn(3);
	assert_true(receive(&c));
	assert_string_equal(c.reply, "ENOENT");
	assert_true(receive(&c));
	assert_int_equal(c.header.type, WIRE_WATCH_EVENT);
	assert_string_equal(c.reply, "/w");
	assert_false(receive(&c));
	ask(&c, WIRE_TRANSACTION_END, id, BYTES("T"));
	assert_string_equal(c.reply, "EAGAIN");
	refuse(&guest, WIRE_CONTROL, BYTES("check"), "EACCES");
	refuse(&c, WIRE_WATCH, BYTES("/quiet\0token"), "EEXIST");
	/* Half a state is none. */
	for (size_t cut = 0; cut < buffer_length(&saved); cut += 3) {
		struct server other;

		server_init(&other);
		assert_false(upgrade_load(&other, buffer_data(&saved), cut));
		/* It has nothing of its own. */
		TAILQ_FOREACH(connection, &other.connections, in_server)
			connection->transport.file = dup(0);
		server_free(&other);
	}
	buffer_free(&saved);
	close(c.socket);
	close(guest.socket);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_requests),	 TEST(test_refused),	     TEST(test_guest),
		TEST(test_transactions), TEST(test_directory_parts), TEST(test_pieces),
		TEST(test_too_long),	 TEST(test_never_reads),     TEST(test_pause),
		TEST(test_release),	 TEST(test_watch_events),    TEST(test_ring),
		TEST(test_ring_indices), TEST(test_upgrade),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
