// SPDX-License-Identifier: BSD-2-Clause
/*
 * librfstore against a server: every function, several threads, an event loop, a store that ends and comes back.
 */
#include "store_server.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "toolstack/store/client/rfstore.h"
#include "toolstack/store/client/wire.h"

#define THREADS	  4
#define ADDITIONS 50

static struct unit_server unit;
static struct rfstore *store;

static int setup(void **state)
{
	(void)state;
	unit_server_make(&unit);
	return rfstore_open(&store, unit.socket);
}

static int teardown(void **state)
{
	(void)state;
	rfstore_close(store);
	unit_server_remove(&unit);
	return 0;
}

static void write_text(const char *path, const char *value)
{
	assert_int_equal(rfstore_write(store, RFSTORE_NONE, path, value, strlen(value)), 0);
}

static void assert_text(const char *path, const char *expected)
{
	char *value;
	size_t length;

	assert_int_equal(rfstore_read(store, RFSTORE_NONE, path, &value, &length), 0);
	assert_string_equal(value, expected);
	assert_int_equal(length, strlen(expected));
	free(value);
}

static void test_values(void **state)
{
	static const char bytes[] = { 0, 1, 0, (char)255 };
	char *value, big[5000] = { 0 };
	size_t length;

	(void)state;
	write_text("/a/b", "text");
	assert_text("/a/b", "text");
	assert_text("/a", "");
	assert_int_equal(rfstore_write(store, RFSTORE_NONE, "/a/c", bytes, sizeof(bytes)), 0);
	assert_int_equal(rfstore_read(store, RFSTORE_NONE, "/a/c", &value, &length), 0);
	assert_int_equal(length, sizeof(bytes));
	assert_memory_equal(value, bytes, sizeof(bytes));
	free(value);
	assert_int_equal(rfstore_read(store, RFSTORE_NONE, "/none", &value, NULL), ENOENT);
	assert_int_equal(rfstore_read(store, RFSTORE_NONE, "bad//path", &value, NULL), EINVAL);
	assert_int_equal(rfstore_write(store, RFSTORE_NONE, "/big", big, sizeof(big)), E2BIG);
	assert_int_equal(rfstore_mkdir(store, RFSTORE_NONE, "/m"), 0);
	assert_text("/m", "");
	assert_int_equal(rfstore_remove(store, RFSTORE_NONE, "/a"), 0);
	assert_int_equal(rfstore_remove(store, RFSTORE_NONE, "/a"), 0);
	assert_int_equal(rfstore_remove(store, RFSTORE_NONE, "/a/b"), 0);
	assert_int_equal(rfstore_read(store, RFSTORE_NONE, "/a/b", &value, NULL), ENOENT);
}

/* More names than a message holds; and none. */
static void test_list(void **state)
{
	char path[64], **names;
	size_t count;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		snprintf(path, sizeof(path), "/list/name-%04d", i);
		assert_int_equal(rfstore_mkdir(store, RFSTORE_NONE, path), 0);
	}
	assert_int_equal(rfstore_list(store, RFSTORE_NONE, "/list", &names, &count), 0);
	assert_int_equal(count, 2000);
	for (int i = 0; i < 2000; i++) {
		snprintf(path, sizeof(path), "name-%04d", i);
		assert_string_equal(names[i], path);
	}
	free(names);
	assert_int_equal(rfstore_list(store, RFSTORE_NONE, "/list/name-0000", &names, &count), 0);
	assert_int_equal(count, 0);
	free(names);
	assert_int_equal(rfstore_list(store, RFSTORE_NONE, "/none", &names, &count), ENOENT);
}

static void test_permissions(void **state)
{
	const struct rfstore_permission given[] = { { 0, 'n' }, { 5, 'b' }, { 65535, 'r' } };
	struct rfstore_permission *list;
	size_t count;

	(void)state;
	write_text("/p", "");
	assert_int_equal(rfstore_set_permissions(store, RFSTORE_NONE, "/p", given, 3), 0);
	assert_int_equal(rfstore_get_permissions(store, RFSTORE_NONE, "/p", &list, &count), 0);
	assert_int_equal(count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(list[i].domain, given[i].domain);
		assert_int_equal(list[i].access, given[i].access);
	}
	free(list);
	assert_int_equal(rfstore_set_permissions(store, RFSTORE_NONE, "/p", given, 0), EINVAL);
}

static void test_domains(void **state)
{
	bool introduced = true;
	char *text;

	(void)state;
	assert_int_equal(rfstore_is_introduced(store, 5, &introduced), 0);
	assert_false(introduced);
	assert_int_equal(rfstore_introduce(store, 5, 1, 2), 0);
	assert_int_equal(rfstore_introduce(store, 6, 1, 2), 0);
	assert_int_equal(rfstore_is_introduced(store, 5, &introduced), 0);
	assert_true(introduced);
	assert_int_equal(rfstore_set_target(store, 6, 5), 0);
	assert_int_equal(rfstore_release(store, 5), 0);
	assert_int_equal(rfstore_release(store, 5), ENOENT);
	assert_int_equal(rfstore_control(store, "check", NULL, &text), 0);
	assert_string_equal(text, "OK");
	free(text);
	assert_int_equal(rfstore_control(store, "none", NULL, &text), EINVAL);
}

static void test_transaction(void **state)
{
	struct rfstore_transaction t;
	char *value;

	(void)state;
	write_text("/t", "1");
	assert_int_equal(rfstore_begin(store, &t), 0);
	assert_int_equal(rfstore_read(store, t, "/t", &value, NULL), 0);
	free(value);
	assert_int_equal(rfstore_write(store, t, "/t", "2", 1), 0);
	assert_text("/t", "1");
	assert_int_equal(rfstore_end(store, t, true), 0);
	assert_text("/t", "2");
	assert_int_equal(rfstore_end(store, t, true), ENOENT);
	assert_int_equal(rfstore_begin(store, &t), 0);
	assert_int_equal(rfstore_read(store, t, "/t", &value, NULL), 0);
	free(value);
	write_text("/t", "3");
	assert_int_equal(rfstore_end(store, t, true), EAGAIN);
}

/* One more, in a transaction. */
static int add_one(struct rfstore *from, struct rfstore_transaction t, void *path)
{
	char *value, text[16];
	int number, error = rfstore_read(from, t, path, &value, NULL);

	if (error)
		return error;
	number = atoi(value);
	free(value);
	snprintf(text, sizeof(text), "%d", number + 1);
	return rfstore_write(from, t, path, text, strlen(text));
}

static void *add_many(void *unused)
{
	char path[] = "/sum";

	(void)unused;
	for (int i = 0; i < ADDITIONS; i++) {
		if (rfstore_transact(store, add_one, path))
			return &unit;
	}
	return NULL;
}

/* All on one connection: none is lost. */
static void test_threads(void **state)
{
	pthread_t thread[THREADS];
	void *failed;

	(void)state;
	write_text("/sum", "0");
	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, add_many, NULL);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], &failed);
		assert_null(failed);
	}
	assert_text("/sum", "200");
}

struct seen {
	int calls;
	char last[64];
};

static void note(void *argument, const char *path)
{
	struct seen *seen = argument;

	seen->calls++;
	snprintf(seen->last, sizeof(seen->last), "%s", path);
}

static void test_watch(void **state)
{
	struct pollfd file = { .fd = rfstore_file(store), .events = POLLIN };
	struct rfstore_watch *watch;
	struct seen seen = { 0 };

	(void)state;
	assert_int_equal(rfstore_watch(store, "/w", note, &seen, &watch), 0);
	assert_int_equal(rfstore_wait(store, 60000), 1);
	assert_string_equal(seen.last, "/w");
	assert_int_equal(poll(&file, 1, 0), 0);
	write_text("/w/x", "1");
	/* The request's answer may have brought the event along; whoever polls must be told. */
	assert_int_equal(poll(&file, 1, 60000), 1);
	assert_int_equal(rfstore_wait(store, 60000), 1);
	assert_string_equal(seen.last, "/w/x");
	assert_int_equal(poll(&file, 1, 0), 0);
	assert_int_equal(rfstore_wait(store, 20), 0);
	write_text("/w/x", "2");
	rfstore_unwatch(watch);
	assert_int_equal(rfstore_wait(store, 20), 0);
	assert_int_equal(seen.calls, 2);
	assert_int_equal(rfstore_watch(store, "bad path", note, &seen, &watch), EINVAL);
}

/* What comes in one piece with an answer must be told to whoever polls: a store that answers so, in a thread. */
static void answer(int client, uint32_t number, enum wire_type type, bool event)
{
	static const char told[] = "/w/x\0"
				   "1";
	const struct wire_header header = { type, number, 0, 3 };
	const struct wire_header event_header = { WIRE_WATCH_EVENT, 0, 0, sizeof(told) };
	char message[64];
	size_t length = sizeof(header) + 3;

	memcpy(message, &header, sizeof(header));
	memcpy(message + sizeof(header), "OK", 3);
	if (event) {
		memcpy(message + length, &event_header, sizeof(event_header));
		memcpy(message + length + sizeof(event_header), told, sizeof(told));
		length += sizeof(event_header) + sizeof(told);
	}
	if (send(client, message, length, MSG_NOSIGNAL) != (ssize_t)length)
		abort();
}

static void *fake_store(void *listening)
{
	int client = accept(*(int *)listening, NULL, NULL);
	struct wire_header header;
	char payload[64];

	while (recv(client, &header, sizeof(header), MSG_WAITALL) == sizeof(header)) {
		if (recv(client, payload, header.length, MSG_WAITALL) != (ssize_t)header.length)
			abort();
		answer(client, header.request, (enum wire_type)header.type,
		       header.type == WIRE_WRITE);
	}
	close(client);
	return NULL;
}

static void test_one_piece(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listening = socket(AF_UNIX, SOCK_STREAM, 0);
	struct rfstore_watch *watch;
	struct seen seen = { 0 };
	struct rfstore *fake;
	struct pollfd file = { .events = POLLIN };
	pthread_t thread;

	(void)state;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/fake", unit.folder);
	assert_int_equal(bind(listening, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listening, 1), 0);
	pthread_create(&thread, NULL, fake_store, &listening);
	assert_int_equal(rfstore_open(&fake, address.sun_path), 0);
	assert_int_equal(rfstore_watch(fake, "/w", note, &seen, &watch), 0);
	assert_int_equal(rfstore_write(fake, RFSTORE_NONE, "/w/x", "1", 1), 0);
	file.fd = rfstore_file(fake);
	assert_int_equal(poll(&file, 1, 0), 1);
	assert_int_equal(rfstore_dispatch(fake), 1);
	assert_string_equal(seen.last, "/w/x");
	assert_int_equal(poll(&file, 1, 0), 0);
	rfstore_close(fake);
	pthread_join(thread, NULL);
	close(listening);
	unlink(address.sun_path);
}

/* A callback uses the store, and ends its own watch. */
static struct rfstore_watch *own;

static void use_and_end(void *argument, const char *path)
{
	++*(int *)argument;
	write_text("/from-callback", path);
	rfstore_unwatch(own);
}

static void test_callback(void **state)
{
	int calls = 0;

	(void)state;
	assert_int_equal(rfstore_watch(store, "/w", use_and_end, &calls, &own), 0);
	write_text("/w", "1");
	while (!calls)
		rfstore_wait(store, 60000);
	assert_text("/from-callback", "/w");
	assert_int_equal(rfstore_wait(store, 20), 0);
	assert_int_equal(calls, 1);
}

/* It ends and comes back: values are there, watches tell, transactions fail as with a conflict. */
static void test_again(void **state)
{
	struct rfstore_transaction t;
	struct rfstore_watch *watch;
	struct seen seen = { 0 };

	(void)state;
	write_text("/kept", "1");
	assert_int_equal(rfstore_watch(store, "/w", note, &seen, &watch), 0);
	assert_int_equal(rfstore_wait(store, 60000), 1);
	assert_int_equal(rfstore_begin(store, &t), 0);
	unit_server_stop(&unit);
	unit_server_start(&unit);
	assert_text("/kept", "1");
	assert_int_equal(rfstore_write(store, t, "/t", "", 0), EAGAIN);
	assert_int_equal(rfstore_end(store, t, true), EAGAIN);
	assert_int_equal(rfstore_wait(store, 60000), 1);
	assert_int_equal(seen.calls, 2);
	assert_string_equal(seen.last, "/w");
	write_text("/w/new", "");
	assert_int_equal(rfstore_wait(store, 60000), 1);
	assert_string_equal(seen.last, "/w/new");
	rfstore_unwatch(watch);
}

/* Nobody asks for anything: who only polls finds out too. */
static void test_again_polling(void **state)
{
	struct rfstore_watch *watch;
	struct seen seen = { 0 };

	(void)state;
	assert_int_equal(rfstore_watch(store, "/w", note, &seen, &watch), 0);
	assert_int_equal(rfstore_wait(store, 60000), 1);
	unit_server_stop(&unit);
	for (int i = 0; i < 5; i++)
		assert_int_equal(rfstore_wait(store, 30), 0);
	unit_server_start(&unit);
	for (int i = 0; i < 600 && seen.calls < 2; i++)
		rfstore_wait(store, 100);
	assert_int_equal(seen.calls, 2);
	rfstore_unwatch(watch);
}

/* Many that add while the store ends and comes back: what was acknowledged has happened. */
static void test_again_threads(void **state)
{
	pthread_t thread[THREADS];
	void *failed;
	char *value;

	(void)state;
	write_text("/sum", "0");
	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, add_many, NULL);
	for (int i = 0; i < 5; i++) {
		unit_server_stop(&unit);
		unit_server_start(&unit);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], &failed);
	/* A thread gives up when it cannot know whether a commit was done; that is at most one addition each time. */
	assert_int_equal(rfstore_read(store, RFSTORE_NONE, "/sum", &value, NULL), 0);
	assert_in_range(atoi(value), 1, THREADS * ADDITIONS);
	free(value);
}

static void test_restrict(void **state)
{
	struct rfstore *guest;
	char *value;

	(void)state;
	write_text("/secret", "1");
	assert_int_equal(rfstore_open(&guest, unit.socket), 0);
	assert_int_equal(rfstore_restrict(guest, 7), 0);
	assert_int_equal(rfstore_read(guest, RFSTORE_NONE, "/secret", &value, NULL), EACCES);
	assert_int_equal(rfstore_introduce(guest, 8, 0, 0), EACCES);
	assert_int_equal(rfstore_restrict(guest, 0), EACCES);
	unit_server_stop(&unit);
	unit_server_start(&unit);
	assert_int_equal(rfstore_read(guest, RFSTORE_NONE, "/secret", &value, NULL), EACCES);
	rfstore_close(guest);
}

static void test_no_store(void **state)
{
	struct rfstore *none;
	char path[200];

	(void)state;
	assert_int_equal(rfstore_open(&none, "/tmp/there/is/none"), ENOENT);
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = 0;
	assert_int_equal(rfstore_open(&none, path), ENAMETOOLONG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_values),	  TEST(test_list),	    TEST(test_permissions),
		TEST(test_domains),	  TEST(test_transaction),   TEST(test_threads),
		TEST(test_watch),	  TEST(test_callback),	    TEST(test_again),
		TEST(test_again_polling), TEST(test_again_threads), TEST(test_restrict),
		TEST(test_no_store),	  TEST(test_one_piece),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
