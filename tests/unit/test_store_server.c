// SPDX-License-Identifier: BSD-2-Clause
/*
 * The store's server, by bytes: every request well and badly, messages in pieces, clients that do not read, and another
 * program that takes over.
 */
#include "store_bytes.h"

#include <sys/resource.h>
#include <sys/un.h>

#include "toolstack/store/domain.h"
#include "toolstack/store/upgrade.h"

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

/* No descriptors are left: a client waits, and the server does not go round and round for it. */
static void test_no_descriptors(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct client good = connect_client(0);
	int late = socket(AF_UNIX, SOCK_STREAM, 0), next;
	struct rlimit limit, none;

	(void)state;
	snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/test_store_server.%d", getpid());
	assert_int_equal(server_listen(&server, address.sun_path), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	next = dup(late);
	close(next);
	none = (struct rlimit){ (rlim_t)next, limit.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(connect(late, (struct sockaddr *)&address, sizeof(address)), 0);
	/* It is refused, left alone for a while, and looked at again. */
	for (int i = 0; i < 3; i++) {
		turn(1);
		assert_int_equal(server.wait, 100);
		turn(1);
		assert_int_equal(server.wait, -1);
	}
	assert_int_equal(connections(), 1);
	/* Who is there already is served meanwhile. */
	expect(&good, WIRE_READ, BYTES("/"), "");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	turn(3);
	assert_int_equal(connections(), 2);
	unlink(address.sun_path);
	close(late);
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
		TEST(test_requests),	   TEST(test_refused),	       TEST(test_guest),
		TEST(test_transactions),   TEST(test_directory_parts), TEST(test_pieces),
		TEST(test_too_long),	   TEST(test_never_reads),     TEST(test_pause),
		TEST(test_release),	   TEST(test_watch_events),    TEST(test_upgrade),
		TEST(test_no_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
