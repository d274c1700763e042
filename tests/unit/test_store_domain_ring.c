// SPDX-License-Identifier: BSD-2-Clause
/*
 * The rings of domains, with a hypervisor that has one: connecting, a store that is started anew, ends of both, a
 * number that is used again.
 */
#include "store_bytes.h"

#include <errno.h>
#include <stdlib.h>

#include "toolstack/store/domain.h"
#include "toolstack/store/domain_ring.h"
#include "toolstack/store/journal.h"

#define DOMAIN	    5
#define OWN_PORT    77 /* what the store gets when it listens */
#define DOMAIN_PORT 9

/* The hypervisor: what it has of the domain, and of the store. */
static struct share hypervisor;
static struct rf_store_ring page;
static uint64_t serial;
static bool granted;
static bool listens;	  /* the domain, at DOMAIN_PORT */
static int domain_end;	  /* of the channel; the other is the store's */
static int news;	  /* where they are written */
static unsigned mappings; /* of the page */
static unsigned ports;	  /* that were given out */

static int64_t new_port(struct rf_control_event *c, uint32_t number)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	close(domain_end);
	domain_end = pair[0];
	c->file = pair[1];
	c->port = number;
	ports++;
	return 0;
}

static int64_t call(struct share *share, uint32_t command, void *argument)
{
	struct rf_control_info *info = argument;
	struct rf_control_event *event = argument;
	const uint32_t *domain = argument;

	(void)share;
	/* What is mapped stays when its owner goes. */
	if (*domain != DOMAIN || (!serial && command != RF_CONTROL_GRANT_UNMAP))
		return -ESRCH;
	switch (command) {
	case RF_CONTROL_DOMAIN_INFO:
		info->info.serial = serial;
		return 0;
	case RF_CONTROL_EVENT_LISTEN:
		return new_port(event, OWN_PORT);
	case RF_CONTROL_EVENT_CONNECT:
		return listens && event->port == DOMAIN_PORT ? new_port(event, 78) : -ENOENT;
	case RF_CONTROL_GRANT_MAP:
		mappings += granted;
		return granted ? 0 : -ENOENT;
	case RF_CONTROL_GRANT_UNMAP:
		assert_true(mappings > 0);
		mappings--;
		return 0;
	default:
		fail_msg("command %x", command);
		return -ENOSYS;
	}
}

static void *show(struct share *share, uint64_t offset, size_t size, bool write)
{
	(void)share;
	assert_true(offset == 0 && size == sizeof(page) && write);
	return &page;
}

static void hide(struct share *share, void *memory, size_t size)
{
	(void)share;
	assert_true(memory == &page && size == sizeof(page));
}

/* --- The store --- */

static char folder[64];

static void start_store(void)
{
	char error[256];
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	news = pair[0];
	hypervisor = (struct share){ .call = call, .show = show, .hide = hide, .device = pair[1] };
	server_init(&server);
	server.store.journal = journal_open(&server.store, folder, false, error, sizeof(error));
	if (!server.store.journal)
		fail_msg("%s", error);
	domain_ring_start(&server, &hypervisor);
	turn(3);
}

/* As by kill -9: the domain's port, if it had one, listens. */
static void kill_store(void)
{
	char text[256];

	if (!check_store(&server.store, text, sizeof(text)))
		fail_msg("%s", text);
	domain_ring_stop(&server);
	journal_close(server.store.journal);
	server_free(&server);
	close(news);
	close(hypervisor.device);
	assert_int_equal(mappings, 0);
	listens = true;
}

static int begin(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/test_store.XXXXXX");
	assert_non_null(mkdtemp(folder));
	memset(&page, 0, sizeof(page));
	serial = 1001;
	granted = false;
	listens = false;
	domain_end = -1;
	ports = 0;
	start_store();
	return 0;
}

static int finish(void **state)
{
	char command[96];

	(void)state;
	kill_store();
	close(domain_end);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

static const char *value_of(const char *path)
{
	struct node *node = tree_find(server.store.top, path);

	return node ? (const char *)node->content->value : NULL;
}

static void announce(void)
{
	const uint64_t one = 1;

	assert_int_equal(write(news, &one, sizeof(one)), sizeof(one));
	turn(3);
}

/* A second later. */
static void look(void)
{
	server.extra->looked = 0;
	turn(3);
}

/* --- The domain --- */

static void send_event(void)
{
	const uint64_t one = 1;

	assert_int_equal(write(domain_end, &one, sizeof(one)), sizeof(one));
	turn(4);
}

/* What the domain does at its start, but for the event. */
static void grant_page(void)
{
	page.connection = RF_STORE_RECONNECT;
	granted = true;
}

static void assert_served(void)
{
	static const char path[] = "store/port";
	const struct wire_header header = { WIRE_READ, 3, 0, sizeof(path) };
	struct wire_header reply;

	assert_int_equal(page.connection, RF_STORE_CONNECTED);
	assert_int_equal(page.request_producer | page.reply_producer, 0);
	memcpy(page.request, &header, sizeof(header));
	memcpy(page.request + sizeof(header), path, sizeof(path));
	page.request_producer = sizeof(header) + sizeof(path);
	send_event();
	memcpy(&reply, page.reply, sizeof(reply));
	assert_int_equal(reply.type, WIRE_READ);
	assert_int_equal(page.reply_producer, sizeof(reply) + reply.length);
	assert_memory_equal(page.reply + sizeof(reply), "77", 2);
}

static void introduce_and_connect(void)
{
	assert_int_equal(domain_introduce(&server.store, DOMAIN, 0, 0), 0);
	grant_page();
	send_event();
	assert_served();
}

/* --- Tests --- */

static void test_connect(void **state)
{
	(void)state;
	assert_int_equal(domain_introduce(&server.store, 6, 0, 0), ENOENT);
	assert_int_equal(domain_introduce(&server.store, DOMAIN, 0, 0), 0);
	assert_int_equal(memcmp(value_of("/local/domain/5/store/port"), "77", 2), 0);
	turn(3);
	/* The event of its connecting comes before it has granted. */
	send_event();
	assert_int_equal(page.connection, RF_STORE_CONNECTED);
	assert_int_equal(page.features, 0);
	grant_page();
	look();
	assert_served();
	assert_int_equal(mappings, 1);
	assert_int_equal(server.extra->look, -1);
}

/* A port that listens for us in the page, as of a domain that found no store. */
static void test_named_port(void **state)
{
	(void)state;
	assert_int_equal(domain_introduce(&server.store, DOMAIN, 0, 0), 0);
	grant_page();
	look();
	assert_int_equal(page.connection, RF_STORE_RECONNECT);
	assert_int_equal(server.extra->look, 1000);
	page.port = 4000;
	listens = true;
	look();
	assert_int_equal(page.connection, RF_STORE_RECONNECT);
	page.port = DOMAIN_PORT;
	look();
	assert_served();
	assert_int_equal(mappings, 1);
}

static void test_restart(void **state)
{
	(void)state;
	introduce_and_connect();
	page.port = DOMAIN_PORT;
	kill_store();
	start_store();
	assert_int_equal(page.connection, RF_STORE_RESTARTED);
	page.connection = RF_STORE_RECONNECT;
	send_event();
	assert_served();
	/* And before it had connected. */
	kill_store();
	page.port = 0;
	start_store();
	assert_int_equal(page.connection, RF_STORE_CONNECTED);
	page.port = DOMAIN_PORT;
	look();
	assert_int_equal(page.connection, RF_STORE_RESTARTED);
}

static void assert_gone(void)
{
	assert_null(value_of("/local/domain/5"));
	assert_false(domain_is_introduced(&server.store, DOMAIN));
	assert_true(TAILQ_EMPTY(&server.connections));
	assert_int_equal(mappings, 0);
	assert_int_equal(server.extra->look, -1);
}

static void test_end_of_domain(void **state)
{
	(void)state;
	introduce_and_connect();
	announce();
	assert_non_null(value_of("/local/domain/5/store/port"));
	serial = 0;
	announce();
	assert_gone();
	/* The same number, while nobody told of the end. */
	serial = 1002;
	page.connection = RF_STORE_CONNECTED;
	introduce_and_connect();
	serial = 1003;
	introduce_and_connect();
	assert_int_equal(mappings, 1);
	assert_int_equal(ports, 3);
}

static void test_end_while_away(void **state)
{
	(void)state;
	introduce_and_connect();
	page.port = DOMAIN_PORT;
	kill_store();
	serial = 1002;
	start_store();
	assert_gone();
}

static void test_release(void **state)
{
	(void)state;
	introduce_and_connect();
	assert_int_equal(domain_release(&server.store, DOMAIN), 0);
	turn(3);
	assert_gone();
	/* One that waits. */
	granted = false;
	assert_int_equal(domain_introduce(&server.store, DOMAIN, 0, 0), 0);
	turn(3);
	assert_int_equal(domain_release(&server.store, DOMAIN), 0);
	turn(3);
	assert_gone();
	assert_int_equal(recv(domain_end, &(uint64_t){ 0 }, 8, 0), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_connect),	  TEST(test_named_port),     TEST(test_restart),
		TEST(test_end_of_domain), TEST(test_end_while_away), TEST(test_release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
