// SPDX-License-Identifier: BSD-2-Clause
/*
 * The store's protocol on a shared page: a client in another thread that sends as fast as there is room, and one whose
 * indices cannot be.
 */
#include "store_bytes.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

/* The other side of a page, in a thread: it sends requests as fast as there is room, and reads all replies. */
static struct rf_store_ring ring;
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
		       RF_STORE_RING_SIZE) {
			wake_server();
			wait_for_server();
		}
		ring.request[producer % RF_STORE_RING_SIZE] = data[i];
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
		data[i] = ring.reply[consumer % RF_STORE_RING_SIZE];
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

/* The page as another store, or nobody, left it. */
static struct connection *attach_ring(void)
{
	struct connection *connection = server_add_connection(&server, 5);

	ring_files[0] = eventfd(0, EFD_NONBLOCK);
	ring_files[1] = eventfd(0, EFD_NONBLOCK);
	transport_ring(&connection->transport, &ring, ring_files[0], notify_client);
	server_poll_connection(&server, connection);
	return connection;
}

static struct connection *connect_ring(void)
{
	struct connection *connection;

	memset(&ring, 0, sizeof(ring));
	ring.connection = RF_STORE_RECONNECT;
	connection = attach_ring();
	turn(1);
	assert_int_equal(ring.connection, RF_STORE_CONNECTED);
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
	assert_int_equal(ring.features, RF_STORE_FEATURE_RECONNECT | RF_STORE_FEATURE_ERROR);
	pthread_create(&thread, NULL, ring_client, &good);
	while (pthread_tryjoin_np(thread, NULL))
		server_turn(&server, 10);
	assert_true(good);
	expect(&c, WIRE_READ, BYTES("/local/domain/5/data"), c.reply);
	close(ring_files[1]);
	close(c.socket);
}

/* Small requests, as many at once. */
static void ring_ask(uint32_t requests)
{
	const struct wire_header header = { WIRE_READ, 77, 0, 2 };
	char message[sizeof(header) + 2];

	memcpy(message, &header, sizeof(header));
	memcpy(message + sizeof(header), "/", 2);
	while (requests--)
		ring_put(message, sizeof(message));
}

/* What comes while earlier requests are being answered is answered too, without another word of the client. */
static void test_ring_more(void **state)
{
	(void)state;
	connect_ring();
	turn(1);
	ring_ask(3);
	turn(1);
	ring_ask(1);
	turn(8);
	assert_int_equal(ring.request_consumer, ring.request_producer);
	assert_int_equal(ring.reply_producer, 4 * (sizeof(struct wire_header) + sizeof("EACCES")));
	/* And then there is nothing to do. */
	assert_int_equal(server.wait, -1);
	close(ring_files[1]);
}

static void begin_again(void)
{
	ring.connection = RF_STORE_RECONNECT;
	wake_server();
	turn(3);
	assert_int_equal(ring.connection, RF_STORE_CONNECTED);
	assert_int_equal(ring.error, RF_STORE_ERROR_NONE);
	assert_int_equal(ring.request_consumer | ring.request_producer | ring.reply_consumer |
				 ring.reply_producer,
			 0);
	ring_ask(1);
	turn(3);
	assert_int_equal(ring.reply_producer, sizeof(struct wire_header) + sizeof("EACCES"));
}

/* Indices that cannot be end it, with the reason in the page, until the client begins again. */
static void test_ring_indices(void **state)
{
	static const uint32_t bad[][2] = { { RF_STORE_RING_SIZE + 1, 0 },
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
		assert_int_equal(connections(), (int)i + 1);
		assert_int_equal(ring.error, RF_STORE_ERROR_INDEX);
		ring.request_producer = 0;
		ring.reply_consumer = 0;
		ring_ask(1);
		turn(3);
		assert_int_equal(ring.reply_producer, 0);
		begin_again();
		close(ring_files[1]);
	}
}

/* So does a message that nobody may send. */
static void test_ring_protocol(void **state)
{
	const struct wire_header header = { WIRE_READ, 1, 0, WIRE_PAYLOAD_MAX + 1 };

	(void)state;
	connect_ring();
	ring_put((const char *)&header, sizeof(header));
	turn(3);
	assert_int_equal(ring.error, RF_STORE_ERROR_PROTOCOL);
	begin_again();
	close(ring_files[1]);
}

/* What another store left is not touched before the client says that it begins. */
static void test_ring_restarted(void **state)
{
	struct rf_store_ring before;

	(void)state;
	memset(&ring, 'x', sizeof(ring));
	ring.connection = RF_STORE_CONNECTED;
	before = ring;
	before.connection = RF_STORE_RESTARTED;
	attach_ring();
	turn(3);
	wake_server();
	turn(3);
	assert_memory_equal(&ring, &before, sizeof(ring));
	assert_int_equal(server.wait, -1);
	begin_again();
	close(ring_files[1]);
}

/* Half a request, watches and transactions are forgotten; so is what was to be told. */
static void test_ring_reconnect(void **state)
{
	static const char watch[] = "x\0token";
	const struct wire_header header = { WIRE_WATCH, 1, 0, sizeof(watch) };
	const struct wire_header start = { WIRE_TRANSACTION_START, 2, 0, 1 };
	struct connection *connection = connect_ring();

	(void)state;
	ring_put((const char *)&header, sizeof(header));
	ring_put(watch, sizeof(watch));
	ring_put((const char *)&start, sizeof(start));
	ring_put("", 1);
	ring_put((const char *)&start, 5);
	turn(5);
	assert_false(TAILQ_EMPTY(&connection->session.watches));
	assert_false(TAILQ_EMPTY(&connection->session.transactions));
	begin_again();
	assert_true(TAILQ_EMPTY(&connection->session.watches));
	assert_true(TAILQ_EMPTY(&connection->session.transactions));
	close(ring_files[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ring),	  TEST(test_ring_more),	     TEST(test_ring_indices),
		TEST(test_ring_protocol), TEST(test_ring_restarted), TEST(test_ring_reconnect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
