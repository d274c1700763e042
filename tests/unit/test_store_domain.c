// SPDX-License-Identifier: BSD-2-Clause
/*
 * Domains and quotas of the store: what a guest may have and do, what is left of it when it goes, a number used again.
 */
#include "store_unit.h"

static struct store_unit unit;

/* Of the sanitizer that unit tests are built with; its headers are not in every package of it. */
size_t __sanitizer_get_current_allocated_bytes(void);

static int setup(void **state)
{
	(void)state;
	unit_start(&unit);
	for (uint16_t i = 1; i <= UNIT_GUESTS; i++)
		assert_int_equal(domain_introduce(&unit.store, i, 0, 0), 0);
	assert_int_equal(unit_write(&unit.control, "/1", ""), 0);
	assert_int_equal(unit_permit(&unit.control, "/1", "n1"), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unit_end(&unit);
	return 0;
}

static const struct account *account_of(uint16_t domain)
{
	return quota_account(&unit.store.quota, domain);
}

static void test_nodes(void **state)
{
	struct session *guest = &unit.guest[0];
	uint32_t limit = unit.store.quota.limits.nodes;
	char path[32];

	(void)state;
	for (uint32_t i = 1; i < limit; i++) {
		snprintf(path, sizeof(path), "/1/%u", i);
		assert_int_equal(unit_write(guest, path, ""), 0);
	}
	assert_int_equal(account_of(1)->nodes, limit);
	assert_int_equal(unit_write(guest, "/1/more", ""), ENOSPC);
	assert_int_equal(unit_write(guest, "/1/5", "a value is no node"), 0);
	assert_int_equal(unit_write(&unit.guest[1], "/1/5", ""), EACCES);
	assert_int_equal(unit_remove(guest, "/1/5"), 0);
	/* Two at once would be one too many. */
	assert_int_equal(unit_write(guest, "/1/a/b", ""), ENOSPC);
	assert_int_equal(unit_error(guest, "/1/a"), ENOENT);
	assert_int_equal(unit_write(guest, "/1/more", ""), 0);
}

static void test_sizes(void **state)
{
	struct session *guest = &unit.guest[0];
	char value[WIRE_PAYLOAD_MAX];

	(void)state;
	memset(value, 'v', sizeof(value));
	value[unit.store.quota.limits.value + 1] = 0;
	assert_int_equal(unit_write(guest, "/1/v", value), ENOSPC);
	assert_int_equal(unit_write(&unit.control, "/1/c", value), 0);
	value[unit.store.quota.limits.value] = 0;
	assert_int_equal(unit_write(guest, "/1/v", value), 0);
	assert_int_equal(unit_permit(guest, "/1/v", "n1 r0 r2 r3 r4"), 0);
	assert_int_equal(unit_permit(guest, "/1/v", "n1 r0 r2 r3 r4 r5"), ENOSPC);
	assert_int_equal(unit_permit(&unit.control, "/1/v", "n1 r0 r2 r3 r4 r5"), 0);
}

static void test_bytes(void **state)
{
	struct session *guest = &unit.guest[0];
	uint32_t limit = 50000;
	char path[32], value[1000];
	int error = 0, count = 0;

	(void)state;
	unit.store.quota.limits.bytes = limit;
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = 0;
	while (!error && count < 100) {
		snprintf(path, sizeof(path), "/1/%d", count++);
		error = unit_write(guest, path, value);
	}
	assert_int_equal(error, ENOSPC);
	assert_in_range(account_of(1)->bytes, limit - 2000, limit);
}

/* A deep path costs the square of its depth to make, so a guest's is not: but domain 0's may be as deep as can be. */
static void test_depth(void **state)
{
	char path[PATH_SIZE] = "/1";

	(void)state;
	for (uint32_t i = 1; i < unit.store.quota.limits.depth; i++)
		strcat(path, "/d");
	assert_int_equal(unit_write(&unit.guest[0], path, ""), 0);
	strcat(path, "/d");
	assert_int_equal(unit_write(&unit.guest[0], path, ""), ENOSPC);
	assert_int_equal(unit_remove(&unit.guest[0], "/1/d"), 0);
	while (strlen(path) < WIRE_PATH_MAX)
		strcat(path, "/d");
	assert_int_equal(unit_write(&unit.control, path, ""), 0);
	unit_check(&unit);
	assert_int_equal(unit_error(&unit.guest[0], path), 0);
	assert_int_equal(unit_write(&unit.guest[0], path, "x"), ENOSPC);
	assert_int_equal(unit_remove(&unit.guest[0], "/1/d"), 0);
	assert_int_equal(account_of(1)->nodes, 1);
}

/* Who owns what a guest makes, and who may give away. */
static void test_owner(void **state)
{
	struct session *guest = &unit.guest[0];
	const struct view view = { guest, NULL };
	const struct content *content;

	(void)state;
	assert_int_equal(unit_permit(&unit.control, "/1", "r0 b1"), 0);
	assert_int_equal(unit_write(guest, "/1/mine", ""), 0);
	assert_int_equal(operation_get_permissions(&view, "/1/mine", &content), 0);
	assert_int_equal(content_owner(content), 1);
	assert_int_equal(content->permission[0].access, PERMISSION_READ);
	assert_int_equal(content->permissions, 2);
	/* Made by domain 0, a node is like its folder. */
	assert_int_equal(unit_write(&unit.control, "/1/mine/below", ""), 0);
	assert_int_equal(operation_get_permissions(&view, "/1/mine/below", &content), 0);
	assert_int_equal(content_owner(content), 1);
	assert_int_equal(unit_permit(guest, "/1/mine", "n2"), EPERM);
	assert_int_equal(unit_permit(guest, "/1/mine", "n0"), EPERM);
	/* To be allowed to write is not to own. */
	assert_int_equal(unit_permit(guest, "/1", "b0"), EACCES);
	assert_int_equal(unit_permit(&unit.control, "/1/mine", "n2"), 0);
	assert_int_equal(unit_permit(guest, "/1/mine", "n1"), EACCES);
	assert_int_equal(account_of(2)->nodes, 1);
}

/* Nobody learns names where it may not look. */
static void test_hidden_names(void **state)
{
	struct session *guest = &unit.guest[1];

	(void)state;
	assert_int_equal(unit_write(&unit.control, "/1/there", ""), 0);
	assert_int_equal(unit_error(guest, "/1/there"), EACCES);
	assert_int_equal(unit_error(guest, "/1/not-there"), EACCES);
	assert_int_equal(unit_error(guest, "/1/not/there"), EACCES);
	assert_int_equal(unit_remove(guest, "/1/not-there"), EACCES);
	assert_int_equal(unit_write(guest, "/1/not-there", ""), EACCES);
	assert_int_equal(unit_error(&unit.guest[0], "/1/not-there"), ENOENT);
}

/* The node above all others is one as others are: a guest changes nothing of it, and makes nothing in it. */
static void test_root(void **state)
{
	struct session *guest = &unit.guest[0];

	(void)state;
	assert_int_equal(unit_write(guest, "/", "x"), EACCES);
	assert_int_equal(unit_write(guest, "/new", "x"), EACCES);
	assert_int_equal(unit_write(guest, "/new/below", "x"), EACCES);
	assert_int_equal(unit_permit(guest, "/", "n1"), EACCES);
	assert_int_not_equal(unit_remove(guest, "/"), 0);
	assert_int_equal(unit_remove(&unit.control, "/"), EINVAL);
	unit_assert_value(&unit.control, "/", "");
	assert_int_equal(unit_error(&unit.control, "/new"), ENOENT);
}

static void test_target(void **state)
{
	struct session *helper = &unit.guest[1];

	(void)state;
	assert_int_equal(unit_write(helper, "/1/x", ""), EACCES);
	assert_int_equal(domain_set_target(&unit.store, 2, 9), ENOENT);
	assert_int_equal(domain_set_target(&unit.store, 9, 1), ENOENT);
	assert_int_equal(domain_set_target(&unit.store, 2, 0), ENOENT);
	assert_int_equal(domain_set_target(&unit.store, 2, 1), 0);
	assert_int_equal(unit_write(helper, "/1/x", ""), 0);
	/* When either of them goes, that is over. */
	assert_int_equal(domain_release(&unit.store, 1), 0);
	assert_int_equal(unit_write(&unit.control, "/1", ""), 0);
	assert_int_equal(unit_permit(&unit.control, "/1", "n1"), 0);
	assert_int_equal(unit_write(helper, "/1/x", ""), EACCES);
}

static void test_introduce(void **state)
{
	(void)state;
	assert_int_equal(domain_introduce(&unit.store, 0, 0, 0), EINVAL);
	assert_int_equal(domain_release(&unit.store, 0), EINVAL);
	assert_true(domain_is_introduced(&unit.store, 0));
	assert_false(domain_is_introduced(&unit.store, 9));
	assert_int_equal(domain_release(&unit.store, 9), ENOENT);
	assert_int_equal(domain_introduce(&unit.store, 9, 1, 2), 0);
	assert_true(domain_is_introduced(&unit.store, 9));
	assert_int_equal(domain_release(&unit.store, 9), 0);
	assert_false(domain_is_introduced(&unit.store, 9));
}

static bool names_one(void *argument, const char *path, struct node *node)
{
	(void)argument;
	for (size_t i = 0; i < node->content->permissions; i++) {
		if (node->content->permission[i].domain == 1)
			fail_msg("%s still names domain 1", path);
	}
	return true;
}

/* Its nodes go, with those of others in them; where it is only named, its name goes. */
static void test_release(void **state)
{
	struct session *guest = &unit.guest[0];

	(void)state;
	assert_int_equal(unit_write(guest, "/1/a/b", ""), 0);
	assert_int_equal(unit_write(&unit.control, "/1/a/c", ""), 0);
	assert_int_equal(unit_permit(&unit.control, "/1/a/c", "n0"), 0);
	assert_int_equal(unit_write(&unit.control, "/kept", "value"), 0);
	assert_int_equal(unit_permit(&unit.control, "/kept", "n2 b1 r3"), 0);
	/* 65 has the same bit. */
	assert_int_equal(unit_write(&unit.control, "/other", ""), 0);
	assert_int_equal(unit_permit(&unit.control, "/other", "n65 r65"), 0);
	assert_int_equal(unit_permit(&unit.control, PATH_RELEASED, "n0 r1"), 0);
	assert_int_equal(domain_release(&unit.store, 1), 0);
	assert_int_equal(unit_error(&unit.control, "/1"), ENOENT);
	unit_assert_value(&unit.control, "/kept", "value");
	assert_int_equal(unit_error(&unit.guest[2], "/kept"), 0);
	unit_assert_value(&unit.control, "/other", "");
	tree_walk(tree_find(unit.store.top, "/"), "/", 0, names_one, NULL);
	tree_walk(tree_find(unit.store.top, PATH_RELEASED), PATH_RELEASED, 0, names_one, NULL);
	assert_int_equal(account_of(1)->nodes, 0);
	assert_int_equal(account_of(1)->bytes, 0);
}

/* What it owns cannot go: the root. */
static void test_release_root(void **state)
{
	(void)state;
	assert_int_equal(unit_permit(&unit.control, "/", "b1 r1"), 0);
	assert_int_equal(domain_release(&unit.store, 1), 0);
	tree_walk(tree_find(unit.store.top, "/"), "/", 0, names_one, NULL);
	unit_assert_value(&unit.control, "/", "");
	assert_int_equal(unit_write(&unit.guest[1], "/x", ""), EACCES);
}

/* A transaction that began before cannot bring back what went. */
static void test_release_in_transaction(void **state)
{
	struct transaction *t = unit_begin(&unit.control);
	const struct view view = { &unit.control, t };
	const struct permission list = { 1, 0 };

	(void)state;
	assert_int_equal(operation_write(&view, "/late", "", 0), 0);
	assert_int_equal(operation_set_permissions(&view, "/late", &list, 1), 0);
	assert_int_equal(domain_release(&unit.store, 1), 0);
	assert_int_equal(transaction_end(t, true), EAGAIN);
	assert_int_equal(account_of(1)->nodes, 0);
}

/* The same number a thousand times, each starting with nothing. */
static void test_again(void **state)
{
	char path[32];
	size_t size = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct session session;

		assert_int_equal(domain_introduce(&unit.store, 9, 0, 0), 0);
		session_init(&session, &unit.store, 9);
		assert_int_equal(account_of(9)->nodes, 0);
		assert_int_equal(unit_error(&session, "/1"), EACCES);
		assert_int_equal(unit_write(&unit.control, "/9", ""), 0);
		assert_int_equal(unit_permit(&unit.control, "/9", "n9"), 0);
		assert_int_equal(unit_permit(&unit.control, "/1", "n1 r9"), 0);
		snprintf(path, sizeof(path), "/9/%d", i);
		assert_int_equal(unit_write(&session, path, "x"), 0);
		assert_int_equal(session_watch(&session, path, 0, "t"), 0);
		unit_begin(&session);
		assert_int_equal(domain_release(&unit.store, 9), 0);
		session_end(&session);
		assert_int_equal(account_of(9)->bytes, 0);
		assert_int_equal(account_of(9)->watches, 0);
		assert_int_equal(account_of(9)->transactions, 0);
		if (i == 100)
			size = __sanitizer_get_current_allocated_bytes();
	}
	/* Nor does the daemon keep anything else of it. */
	assert_int_equal(__sanitizer_get_current_allocated_bytes(), size);
	assert_int_equal(unit_error(&unit.control, "/9"), ENOENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nodes),   TEST(test_sizes),	     TEST(test_bytes),
		TEST(test_depth),   TEST(test_owner),	     TEST(test_hidden_names),
		TEST(test_root),    TEST(test_target),	     TEST(test_introduce),
		TEST(test_release), TEST(test_release_root), TEST(test_release_in_transaction),
		TEST(test_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
