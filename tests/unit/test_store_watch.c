// SPDX-License-Identifier: BSD-2-Clause
/*
 * Watches of the store: who is told of what, who is not, how much is kept for those who do not listen.
 */
#include "store_unit.h"

static struct store_unit unit;

static int setup(void **state)
{
	(void)state;
	unit_start(&unit);
	assert_int_equal(unit_permit(&unit.control, "/", "r0"), 0);
	assert_int_equal(unit_write(&unit.control, "/a/b/c", "1"), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unit_end(&unit);
	return 0;
}

/* The next event, or "" for none. */
static void assert_event(struct session *session, const char *path, const char *token)
{
	const char *told_path = "", *told_token = "";

	if (session_next_event(session, &told_path, &told_token)) {
		assert_string_equal(told_path, path);
		assert_string_equal(told_token, token);
		session_took_event(session);
	} else {
		assert_string_equal("", path);
	}
}

static void assert_quiet(struct session *session)
{
	assert_event(session, "", "");
}

/* Set, and told of itself. */
static void watch(struct session *session, const char *path, const char *token)
{
	assert_int_equal(session_watch(session, path, 0, token), 0);
	assert_event(session, path, token);
}

static void test_where(void **state)
{
	struct session *control = &unit.control;

	(void)state;
	watch(control, "/a/b", "t");
	assert_int_equal(unit_write(control, "/a", "2"), 0);
	assert_int_equal(unit_write(control, "/a/bb", "2"), 0);
	assert_quiet(control);
	assert_int_equal(unit_write(control, "/a/b", "2"), 0);
	assert_event(control, "/a/b", "t");
	assert_int_equal(unit_write(control, "/a/b/c", "2"), 0);
	assert_event(control, "/a/b/c", "t");
	/* One event for all that is made on the way. */
	assert_int_equal(unit_write(control, "/a/b/d/e/f", "2"), 0);
	assert_event(control, "/a/b/d/e/f", "t");
	assert_int_equal(unit_permit(control, "/a/b/d", "r1"), 0);
	assert_event(control, "/a/b/d", "t");
	assert_int_equal(unit_remove(control, "/a/b/d"), 0);
	assert_event(control, "/a/b/d", "t");
	assert_quiet(control);
}

/* A folder is removed: its watch is told of itself, once; the root's of the folder. */
static void test_removal(void **state)
{
	struct session *control = &unit.control;

	(void)state;
	watch(control, "/a/b/c", "deep");
	watch(control, "/a/b/none", "none");
	watch(control, "/", "root");
	assert_int_equal(unit_remove(control, "/a"), 0);
	assert_event(control, "/a/b/c", "deep");
	assert_event(control, "/a", "root");
	assert_quiet(control);
	/* Nothing is there, nothing changes. */
	assert_int_equal(unit_remove(control, "/a"), 0);
	assert_quiet(control);
}

static void test_nothing_happened(void **state)
{
	struct session *control = &unit.control;
	const struct view view = { control, NULL };
	const struct content *content;
	const struct node *node;

	(void)state;
	watch(control, "/", "t");
	assert_int_equal(operation_mkdir(&view, "/a/b"), 0);
	assert_int_equal(operation_read(&view, "/a/b", &content), 0);
	assert_int_equal(operation_list(&view, "/a/b", &node), 0);
	assert_int_equal(unit_write(&unit.guest[0], "/a/b", "x"), EACCES);
	assert_quiet(control);
}

static void test_add_and_remove(void **state)
{
	struct session *control = &unit.control;

	(void)state;
	watch(control, "/a", "t");
	watch(control, "/a", "u");
	assert_int_equal(session_watch(control, "/a", 0, "t"), EEXIST);
	watch(&unit.guest[0], "/a", "t");
	assert_int_equal(unit_write(control, "/a", "2"), 0);
	assert_int_equal(session_unwatch(control, "/a", "t"), 0);
	assert_event(control, "/a", "u");
	assert_quiet(control);
	assert_int_equal(session_unwatch(control, "/a", "t"), ENOENT);
	assert_int_equal(session_unwatch(control, "/a/b", "u"), ENOENT);
	session_reset(control);
	assert_int_equal(unit_write(control, "/a", "2"), 0);
	assert_quiet(control);
}

/* Enough of them that the table grows, and that their order could matter. */
static void test_many(void **state)
{
	char path[32];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "/w/%d", i);
		watch(&unit.control, path, "t");
	}
	for (int i = 999; i >= 0; i--) {
		snprintf(path, sizeof(path), "/w/%d", i);
		assert_int_equal(unit_write(&unit.control, path, ""), 0);
		assert_event(&unit.control, path, "t");
	}
	assert_quiet(&unit.control);
}

/* Relative paths are told as they were given. */
static void test_relative(void **state)
{
	struct session *guest = &unit.guest[0];
	const size_t prefix = strlen("/local/domain/1/");

	(void)state;
	assert_int_equal(unit_write(&unit.control, "/local/domain/1/x", ""), 0);
	assert_int_equal(unit_permit(&unit.control, "/local/domain/1/x", "r1"), 0);
	assert_int_equal(session_watch(guest, "/local/domain/1/x", prefix, "t"), 0);
	assert_event(guest, "x", "t");
	assert_int_equal(unit_write(&unit.control, "/local/domain/1/x/y", ""), 0);
	assert_event(guest, "x/y", "t");
}

/* Names that one may not read are not told, but to those who could before. */
static void test_hidden(void **state)
{
	struct session *control = &unit.control, *guest = &unit.guest[0];

	(void)state;
	assert_int_equal(unit_write(control, "/secret", ""), 0);
	assert_int_equal(unit_permit(control, "/secret", "n0"), 0);
	watch(guest, "/secret", "t");
	watch(guest, "/", "root");
	assert_int_equal(unit_write(control, "/secret/name", "x"), 0);
	assert_quiet(guest);
	assert_int_equal(unit_permit(control, "/secret/name", "n0 r1"), 0);
	assert_event(guest, "/secret/name", "root");
	assert_event(guest, "/secret/name", "t");
	assert_int_equal(unit_permit(control, "/secret/name", "n0"), 0);
	assert_event(guest, "/secret/name", "root");
	assert_event(guest, "/secret/name", "t");
	assert_int_equal(unit_write(control, "/secret/name", "y"), 0);
	assert_int_equal(unit_remove(control, "/secret/name"), 0);
	assert_quiet(guest);
	/* Its folder may be read, so that its name is known. */
	assert_int_equal(unit_remove(control, "/secret"), 0);
	assert_event(guest, "/secret", "root");
	assert_event(guest, "/secret", "t");
}

static void test_transaction(void **state)
{
	struct transaction *t = unit_begin(&unit.control);
	const struct view view = { &unit.control, t };

	(void)state;
	watch(&unit.control, "/t", "t");
	assert_int_equal(operation_write(&view, "/t/1", "", 0), 0);
	assert_int_equal(operation_write(&view, "/t/2", "", 0), 0);
	assert_quiet(&unit.control);
	assert_int_equal(transaction_end(t, true), 0);
	assert_event(&unit.control, "/t/1", "t");
	assert_event(&unit.control, "/t/2", "t");
	t = unit_begin(&unit.control);
	assert_int_equal(operation_write(&(struct view){ &unit.control, t }, "/t/3", "", 0), 0);
	assert_int_equal(transaction_end(t, false), 0);
	assert_quiet(&unit.control);
}

static void test_special(void **state)
{
	(void)state;
	watch(&unit.control, PATH_INTRODUCED, "in");
	watch(&unit.control, PATH_RELEASED, "out");
	watch(&unit.guest[0], PATH_INTRODUCED, "in");
	watch(&unit.guest[1], PATH_INTRODUCED, "in");
	assert_int_equal(unit_permit(&unit.control, PATH_INTRODUCED, "n0 r2"), 0);
	assert_event(&unit.control, PATH_INTRODUCED, "in");
	assert_event(&unit.guest[1], PATH_INTRODUCED, "in");
	assert_int_equal(domain_introduce(&unit.store, 7, 1, 2), 0);
	assert_event(&unit.control, PATH_INTRODUCED, "in");
	assert_event(&unit.guest[1], PATH_INTRODUCED, "in");
	assert_quiet(&unit.guest[0]);
	assert_int_equal(domain_release(&unit.store, 7), 0);
	assert_event(&unit.control, PATH_RELEASED, "out");
	assert_quiet(&unit.control);
}

/* The same event twice is one; what is too much is summed up; nothing is lost, and little is kept. */
static void test_overflow(void **state)
{
	struct session *guest = &unit.guest[0];
	size_t limit = unit.store.quota.limits.event_bytes;
	char path[64];

	(void)state;
	watch(guest, "/a", "t");
	watch(guest, "/b", "u");
	for (int i = 0; i < 10; i++)
		assert_int_equal(unit_write(&unit.control, "/a/b", "x"), 0);
	assert_event(guest, "/a/b", "t");
	assert_quiet(guest);
	assert_int_equal(unit_write(&unit.control, "/b", "x"), 0);
	for (int i = 0; i < 20000; i++) {
		snprintf(path, sizeof(path), "/a/b/%d", i);
		assert_int_equal(unit_write(&unit.control, path, "x"), 0);
		assert_true(guest->event_bytes <= limit);
	}
	assert_event(guest, "/b", "u");
	assert_event(guest, "/a", "t");
	assert_quiet(guest);
	assert_int_equal(unit_write(&unit.control, "/a/b", "x"), 0);
	assert_event(guest, "/a/b", "t");
	assert_quiet(guest);
}

static void test_quota(void **state)
{
	struct session *guest = &unit.guest[0];
	char path[32], token[WIRE_TOKEN_MAX + 2];

	(void)state;
	for (uint32_t i = 0; i < unit.store.quota.limits.watches; i++) {
		snprintf(path, sizeof(path), "/%u", i);
		assert_int_equal(session_watch(guest, path, 0, "t"), 0);
	}
	assert_int_equal(session_watch(guest, "/more", 0, "t"), E2BIG);
	session_reset(guest);
	assert_int_equal(session_watch(guest, "/more", 0, "t"), 0);
	memset(token, 't', sizeof(token));
	token[WIRE_TOKEN_MAX + 1] = 0;
	assert_int_equal(session_watch(guest, "/long", 0, token), E2BIG);
	token[WIRE_TOKEN_MAX] = 0;
	assert_int_equal(session_watch(guest, "/long", 0, token), 0);
}

static void test_restrict(void **state)
{
	struct session session;

	(void)state;
	session_init(&session, &unit.store, 0);
	assert_int_equal(session_watch(&session, "/a", 0, "t"), 0);
	assert_int_equal(session_restrict(&session, 5), EBUSY);
	session_reset(&session);
	assert_int_equal(session_restrict(&session, 5), 0);
	assert_int_equal(session_restrict(&session, 0), EPERM);
	assert_int_equal(session_restrict(&session, 6), EPERM);
	assert_int_equal(unit_write(&session, "/a", ""), EACCES);
	session_end(&session);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_where),	   TEST(test_removal),	   TEST(test_nothing_happened),
		TEST(test_add_and_remove), TEST(test_many),	   TEST(test_relative),
		TEST(test_hidden),	   TEST(test_transaction), TEST(test_special),
		TEST(test_overflow),	   TEST(test_quota),	   TEST(test_restrict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
