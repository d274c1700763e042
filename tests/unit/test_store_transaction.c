// SPDX-License-Identifier: BSD-2-Clause
/*
 * Transactions of the store: what they see, what conflicts and what does not, what is left of those that fail,
 * who is made to wait for spoiling others'.
 */
#include "store_unit.h"

static struct store_unit unit;

static int setup(void **state)
{
	(void)state;
	unit_start(&unit);
	assert_int_equal(unit_permit(&unit.control, "/", "b0"), 0);
	assert_int_equal(unit_write(&unit.control, "/a", "1"), 0);
	assert_int_equal(unit_write(&unit.control, "/b/c", "2"), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unit_end(&unit);
	return 0;
}

static int write_in(struct transaction *transaction, const char *path, const char *value)
{
	const struct view view = { transaction->session, transaction };

	return operation_write(&view, path, value, strlen(value));
}

static void list_in(struct transaction *transaction, const char *path)
{
	const struct view view = { transaction->session, transaction };
	const struct node *node;

	assert_int_equal(operation_list(&view, path, &node), 0);
}

/* It sees the past and itself; others see it at its end. */
static void test_isolation(void **state)
{
	struct transaction *t = unit_begin(&unit.control);

	(void)state;
	assert_int_equal(unit_write(&unit.control, "/other", "3"), 0);
	assert_int_equal(write_in(t, "/new/node", "4"), 0);
	unit_assert_in(&unit.control, t, "/a", "1");
	unit_assert_in(&unit.control, t, "/new/node", "4");
	assert_int_equal(unit_error(&unit.control, "/new"), ENOENT);
	assert_int_equal(transaction_end(t, true), 0);
	unit_assert_value(&unit.control, "/new/node", "4");
	unit_assert_value(&unit.control, "/new", "");
	unit_assert_value(&unit.control, "/other", "3");
}

static void test_abort(void **state)
{
	struct transaction *t = unit_begin(&unit.control);
	const struct view view = { &unit.control, t };

	(void)state;
	assert_int_equal(operation_remove(&view, "/b"), 0);
	assert_int_equal(write_in(t, "/a", "9"), 0);
	assert_int_equal(transaction_end(t, false), 0);
	unit_assert_value(&unit.control, "/a", "1");
	unit_assert_value(&unit.control, "/b/c", "2");
}

/* Of two that write what the other has read, one fails: whatever order would explain both, there is none. */
static void test_write_skew(void **state)
{
	struct transaction *one = unit_begin(&unit.control);
	struct transaction *two = unit_begin(&unit.control);

	(void)state;
	unit_assert_in(&unit.control, one, "/a", "1");
	unit_assert_in(&unit.control, two, "/b/c", "2");
	assert_int_equal(write_in(one, "/b/c", "one"), 0);
	assert_int_equal(write_in(two, "/a", "two"), 0);
	assert_int_equal(transaction_end(one, true), 0);
	assert_int_equal(transaction_end(two, true), EAGAIN);
	unit_assert_value(&unit.control, "/a", "1");
}

static void test_conflicts(void **state)
{
	struct transaction *t = unit_begin(&unit.control);

	(void)state;
	/* The same value again is a change: somebody wanted it to be that. */
	unit_assert_in(&unit.control, t, "/a", "1");
	assert_int_equal(unit_write(&unit.control, "/a", "1"), 0);
	assert_int_equal(transaction_end(t, true), EAGAIN);
	/* What was missing is there. */
	t = unit_begin(&unit.control);
	assert_int_equal(write_in(t, "/x", "t"), 0);
	assert_int_equal(unit_write(&unit.control, "/x", "other"), 0);
	assert_int_equal(transaction_end(t, true), EAGAIN);
	unit_assert_value(&unit.control, "/x", "other");
	/* What was listed has one more. */
	t = unit_begin(&unit.control);
	list_in(t, "/b");
	assert_int_equal(unit_write(&unit.control, "/b/d", ""), 0);
	assert_int_equal(transaction_end(t, true), EAGAIN);
	/* The folder is gone, or another. */
	t = unit_begin(&unit.control);
	assert_int_equal(write_in(t, "/b/e", ""), 0);
	assert_int_equal(unit_remove(&unit.control, "/b"), 0);
	assert_int_equal(unit_write(&unit.control, "/b/c", ""), 0);
	assert_int_equal(transaction_end(t, true), EAGAIN);
}

static void test_no_conflicts(void **state)
{
	struct transaction *one = unit_begin(&unit.control);
	struct transaction *two = unit_begin(&unit.control);
	struct transaction *three = unit_begin(&unit.control);
	const struct view view = { &unit.control, three };

	(void)state;
	/* Two nodes in one folder, while values beside them change. */
	assert_int_equal(write_in(one, "/b/one", "1"), 0);
	assert_int_equal(write_in(two, "/b/two", "2"), 0);
	assert_int_equal(unit_write(&unit.control, "/b/c", "3"), 0);
	assert_int_equal(transaction_end(one, true), 0);
	assert_int_equal(transaction_end(two, true), 0);
	unit_assert_value(&unit.control, "/b/one", "1");
	unit_assert_value(&unit.control, "/b/two", "2");
	/* A removal is one of whatever is there by then. */
	assert_int_equal(operation_remove(&view, "/b"), 0);
	assert_int_equal(unit_write(&unit.control, "/b/c", "4"), 0);
	assert_int_equal(transaction_end(three, true), 0);
	assert_int_equal(unit_error(&unit.control, "/b"), ENOENT);
}

/* Numbers, and what a session may do with another's. */
static void test_numbers(void **state)
{
	struct session *guest = &unit.guest[0];
	uint32_t first, next;

	(void)state;
	unit.store.last_transaction = UINT32_MAX - 1;
	assert_int_equal(transaction_start(guest, &first), 0);
	assert_int_equal(transaction_start(guest, &next), 0);
	assert_int_equal(first, UINT32_MAX);
	assert_int_equal(next, 1);
	unit.store.last_transaction = UINT32_MAX - 1;
	assert_int_equal(transaction_start(guest, &first), 0);
	assert_int_equal(first, 2);
	assert_null(transaction_find(&unit.guest[1], 2));
	session_reset(guest);
	assert_null(transaction_find(guest, 2));
}

static void test_quotas(void **state)
{
	struct session *guest = &unit.guest[0];
	struct quota_limits *limits = &unit.store.quota.limits;
	struct transaction *t;
	char path[32];
	uint32_t id;

	(void)state;
	for (uint32_t i = 0; i < limits->transactions; i++)
		assert_int_equal(transaction_start(guest, &id), 0);
	assert_int_equal(transaction_start(guest, &id), ENOSPC);
	assert_int_equal(transaction_start(&unit.guest[1], &id), 0);
	session_reset(guest);
	limits->transaction_paths = 20;
	t = unit_begin(guest);
	for (int i = 0; i < 19; i++) {
		snprintf(path, sizeof(path), "/q%d", i);
		assert_int_equal(write_in(t, path, ""), 0);
	}
	assert_int_equal(write_in(t, "/one-too-many", ""), ENOSPC);
	/* One operation more or less: the others are good. */
	assert_int_equal(transaction_end(t, true), 0);
	unit_assert_value(guest, "/q18", "");
	assert_int_equal(unit_error(guest, "/one-too-many"), ENOENT);
}

/* Others used the quota while it was open, by making nodes that are its domain's. */
static void test_quota_at_commit(void **state)
{
	struct session *guest = &unit.guest[0];
	struct transaction *t = unit_begin(guest);

	(void)state;
	unit.store.quota.limits.nodes = 2;
	assert_int_equal(write_in(t, "/g1", ""), 0);
	assert_int_equal(write_in(t, "/g2", ""), 0);
	assert_int_equal(write_in(t, "/g3", ""), ENOSPC);
	assert_int_equal(unit_write(guest, "/g4", ""), 0);
	assert_int_equal(transaction_end(t, true), ENOSPC);
	assert_int_equal(unit_error(guest, "/g1"), ENOENT);
	assert_int_equal(quota_account(&unit.store.quota, 1)->nodes, 1);
}

/* Bytes that a transaction holds count, and come back. */
static void test_bytes(void **state)
{
	struct session *guest = &unit.guest[0];
	const struct account *account = quota_account(&unit.store.quota, 1);
	struct transaction *t = unit_begin(guest);
	char value[2000];
	int error = 0, count = 0;

	(void)state;
	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = 0;
	unit.store.quota.limits.bytes = 100000;
	while (!error && count++ < 1000)
		error = write_in(t, "/same", value);
	assert_int_equal(error, ENOSPC);
	assert_true(account->bytes > 90000 && account->bytes <= 100000);
	unit_check(&unit);
	assert_int_equal(transaction_end(t, true), 0);
	assert_true(account->bytes < 3000);
}

/* One that is left open keeps an old tree, but not for ever. */
static void test_age(void **state)
{
	struct transaction *old = unit_begin(&unit.guest[0]);
	struct transaction *control = unit_begin(&unit.control);

	(void)state;
	unit.store.quota.limits.transaction_age = 10;
	for (int i = 0; i < 12; i++)
		assert_int_equal(unit_write(&unit.control, "/a", "x"), 0);
	assert_true(old->stale);
	assert_null(old->base);
	assert_int_equal(write_in(old, "/b", ""), EAGAIN);
	assert_int_equal(transaction_end(old, true), EAGAIN);
	assert_int_equal(transaction_end(control, true), 0);
}

/* A guest's write spoils domain 0's transactions: it waits, more and more, and time forgives. */
static void test_spoiling(void **state)
{
	struct session *guest = &unit.guest[0];
	const struct quota_limits *limits = &unit.store.quota.limits;
	uint64_t wait = 0;

	(void)state;
	assert_int_equal(unit_write(guest, "/g", ""), 0);
	unit.store.now = 1000;
	for (uint32_t i = 0; i <= limits->conflict_burst; i++) {
		struct transaction *t = unit_begin(&unit.control);

		assert_int_equal(quota_pause(&unit.store.quota, 1, 1000), 0);
		unit_assert_in(&unit.control, t, "/g", "");
		assert_int_equal(unit_write(guest, "/g", ""), 0);
		assert_int_equal(transaction_end(t, true), EAGAIN);
	}
	wait = quota_pause(&unit.store.quota, 1, 1000);
	assert_int_equal(wait, limits->conflict_pause);
	assert_int_equal(quota_pause(&unit.store.quota, 1, 1000 + wait - 1), 1);
	assert_int_equal(quota_pause(&unit.store.quota, 1, 1000 + wait), 0);
	assert_int_equal(quota_pause(&unit.store.quota, 2, 1000), 0);
	assert_int_equal(quota_pause(&unit.store.quota, 0, 1000), 0);
}

/* However long a transaction takes, up to seconds, it succeeds after a few that were spoiled. */
static void test_spoiling_slow(void **state)
{
	struct session *guest = &unit.guest[0];

	(void)state;
	assert_int_equal(unit_write(guest, "/g", ""), 0);
	for (uint64_t length = 10; length <= 2000; length *= 2) {
		unsigned tries = 1;

		unit.store.now += 100000;
		for (bool done = false; !done; tries += !done) {
			struct transaction *t = unit_begin(&unit.control);

			unit_assert_in(&unit.control, t, "/g", "");
			/* It writes as soon as it may, within the transaction. */
			if (quota_pause(&unit.store.quota, 1, unit.store.now) < length)
				assert_int_equal(unit_write(guest, "/g", ""), 0);
			unit.store.now += length;
			done = transaction_end(t, true) == 0;
			assert_true(tries < 15);
		}
	}
	/* And at the end it is forgiven. */
	unit.store.now += 100000;
	quota_spoiled(&unit.store.quota, 1, unit.store.now);
	assert_int_equal(quota_pause(&unit.store.quota, 1, unit.store.now), 0);
}

/* Who it was, for each kind of conflict; one's own domain is not blamed. */
static void test_culprit(void **state)
{
	struct account *account = quota_account(&unit.store.quota, 1);
	struct session *guest = &unit.guest[0];
	struct transaction *t = unit_begin(&unit.control);

	(void)state;
	unit.store.now = 1000;
	assert_int_equal(write_in(t, "/made", ""), 0);
	assert_int_equal(unit_write(guest, "/made", ""), 0);
	assert_int_equal(transaction_end(t, true), EAGAIN);
	assert_int_equal(account->spoiled, 1);
	t = unit_begin(&unit.control);
	unit_assert_in(&unit.control, t, "/made", "");
	assert_int_equal(unit_remove(guest, "/made"), 0);
	assert_int_equal(transaction_end(t, true), EAGAIN);
	assert_int_equal(account->spoiled, 2);
	t = unit_begin(&unit.control);
	list_in(t, "/");
	assert_int_equal(unit_write(guest, "/made", ""), 0);
	assert_int_equal(transaction_end(t, true), EAGAIN);
	assert_int_equal(account->spoiled, 3);
	t = unit_begin(guest);
	unit_assert_in(guest, t, "/made", "");
	assert_int_equal(unit_write(guest, "/made", ""), 0);
	assert_int_equal(transaction_end(t, true), EAGAIN);
	assert_int_equal(account->spoiled, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_isolation),	  TEST(test_abort),	      TEST(test_write_skew),
		TEST(test_conflicts),	  TEST(test_no_conflicts),    TEST(test_numbers),
		TEST(test_quotas),	  TEST(test_quota_at_commit), TEST(test_bytes),
		TEST(test_age),		  TEST(test_spoiling),	      TEST(test_culprit),
		TEST(test_spoiling_slow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
