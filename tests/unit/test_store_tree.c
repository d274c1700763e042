// SPDX-License-Identifier: BSD-2-Clause
/*
 * The store's tree: that it is balanced and true to a plain list, that old trees stay as they were, that deep
 * and wide ones are freed, and that no operation among 100,000 nodes takes more than a few dozen steps.
 */
#include "store_unit.h"

#include "toolstack/store/children.h"

#define NAMES  500
#define ROUNDS 20000
#define MANY   100000
/* 1.44 log2(100,000) = 24 levels; a few copies for each, and the folders above. */
#define STEPS  150

static struct content *content;

static int setup(void **state)
{
	static const struct permission nobody;

	(void)state;
	content = content_new(&nobody, 1, "v", 1, 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(content->references, 1);
	content_put(content);
	return 0;
}

static size_t name_of(unsigned int number, char text[16])
{
	return (size_t)snprintf(text, 16, "n%u", number * 7919U);
}

static struct node *insert(struct node *top, unsigned int number)
{
	char text[16];
	size_t length = name_of(number, text);
	struct node *next = children_insert(top, node_new(text, length, content, 0));

	node_put(top);
	return next;
}

static struct node *take_away(struct node *top, unsigned int number)
{
	char text[16];
	size_t length = name_of(number, text);
	struct node *next = children_remove(top, text, length);

	node_put(top);
	return next;
}

/* Counts the elements; each must be balanced, in order and count right. */
static unsigned int count(const struct node *node)
{
	int left = node && node->left ? node->left->height : 0;
	int right = node && node->right ? node->right->height : 0;

	if (!node)
		return 0;
	assert_in_range(left - right + 1, 0, 2);
	assert_int_equal(node->height, 1 + (left > right ? left : right));
	if (node->left)
		assert_true(strcmp(node->left->name->text, node->name->text) < 0);
	if (node->right)
		assert_true(strcmp(node->right->name->text, node->name->text) > 0);
	return 1 + count(node->left) + count(node->right);
}

static void test_children(void **state)
{
	bool there[NAMES] = { false };
	uint64_t random = 1;
	struct node *top = NULL;
	unsigned int number = 0;
	char text[16];

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		unsigned int which = (unsigned int)(unit_random(&random) % NAMES);
		size_t length = name_of(which, text);

		assert_int_equal(children_find(top, text, length) != NULL, there[which]);
		top = there[which] ? take_away(top, which) : insert(top, which);
		there[which] = !there[which];
		number += there[which] ? 1 : -1U;
		if (i % 100 == 0)
			assert_int_equal(count(top), number);
	}
	node_put(top);
}

/* Every listing, from every byte and with every room, is a part of the whole. */
static void test_list(void **state)
{
	char all[1024], part[1024];
	struct node *top = NULL;
	size_t length;

	(void)state;
	for (unsigned int i = 0; i < 40; i++)
		top = insert(top, i);
	length = children_list(top, 0, all, sizeof(all));
	assert_int_equal(length, top->name_bytes);
	for (size_t offset = 0; offset <= length + 2; offset++) {
		for (size_t room = 0; room <= length; room += 1 + room / 4) {
			size_t left = offset < length ? length - offset : 0;
			size_t got = children_list(top, offset, part, room);

			assert_int_equal(got, room < left ? room : left);
			if (got)
				assert_memory_equal(part, all + offset, got);
		}
	}
	node_put(top);
}

static struct node *set(struct node *top, const char *path)
{
	const struct tree_mark mark = { 1, 0 };
	struct node *next = tree_set(top, path, content, mark);

	assert_non_null(next);
	node_put(top);
	return next;
}

static void test_old_trees(void **state)
{
	struct node *top = set(tree_new(), "/");
	const struct tree_mark mark = { 1, 0 };
	struct node *old, *gone;

	(void)state;
	top = set(set(top, "/a"), "/a/b");
	old = node_get(top);
	top = set(top, "/a/c");
	gone = tree_remove(top, "/a", mark);
	assert_null(tree_find(old, "/a/c"));
	assert_non_null(tree_find(old, "/a/b"));
	assert_non_null(tree_find(top, "/a/c"));
	assert_null(tree_find(gone, "/a"));
	assert_non_null(tree_find(gone, "/"));
	assert_null(tree_set(gone, "/a/b", content, mark));
	assert_null(tree_remove(gone, "/a", mark));
	assert_null(tree_remove(gone, "/a/b", mark));
	node_put(old);
	node_put(gone);
	node_put(top);
}

/* The deepest that a path can be; freeing it and walking through it may not recurse. */
static bool count_visit(void *argument, const char *path, struct node *node)
{
	(void)path;
	(void)node;
	++*(unsigned int *)argument;
	return true;
}

static void test_deep(void **state)
{
	struct node *top = set(tree_new(), "/");
	char path[PATH_SIZE] = "";
	unsigned int visits = 0;

	(void)state;
	for (int depth = 0; depth < WIRE_PATH_MAX / 2; depth++) {
		strcat(path, "/a");
		top = set(top, path);
	}
	assert_int_equal(strlen(path), WIRE_PATH_MAX);
	assert_true(tree_walk(tree_find(top, "/"), "/", 0, count_visit, &visits));
	assert_int_equal(visits, WIRE_PATH_MAX / 2 + 1);
	node_put(top);
}

/* Of a walk that looks for one domain. */
static void test_walk_domain(void **state)
{
	static const struct permission five[] = { { 0, 0 }, { 5, PERMISSION_READ } };
	struct content *named = content_new(five, 2, "", 0, 0);
	const struct tree_mark mark = { 1, 0 };
	struct node *next, *top = set(set(tree_new(), "/"), "/d");
	unsigned int visits = 0;
	char path[32];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "/d/%d", i);
		top = set(top, path);
	}
	next = tree_set(top, "/d/500", named, mark);
	node_steps = 0;
	tree_walk(tree_find(next, "/"), "/", node_domain_bit(5), count_visit, &visits);
	/* The root, the folder and the node; and none of the others was looked at one by one. */
	assert_int_equal(visits, 3);
	assert_true(node_steps < 100);
	visits = 0;
	tree_walk(tree_find(next, "/"), "/", node_domain_bit(6), count_visit, &visits);
	assert_int_equal(visits, 1);
	content_put(named);
	node_put(next);
	node_put(top);
}

static void assert_few_steps(struct session *session, const char *path, uint64_t *most)
{
	const struct view view = { session, NULL };
	const struct content *read;
	const struct node *node;

	node_steps = 0;
	assert_int_equal(operation_write(&view, path, "1", 1), 0);
	assert_int_equal(operation_read(&view, path, &read), 0);
	assert_int_equal(operation_list(&view, path, &node), 0);
	assert_int_equal(operation_remove(&view, path), 0);
	assert_int_equal(operation_write(&view, path, "2", 1), 0);
	if (node_steps > *most)
		*most = node_steps;
}

/* Flat and in folders, at 1,000 nodes and at 100,000. */
static void test_steps(void **state)
{
	struct store_unit unit;
	uint64_t few = 0, many = 0;
	char path[64];

	(void)state;
	unit_start(&unit);
	for (unsigned int i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), i % 2 ? "/flat/%u" : "/d/%u/x", i);
		if (i < MANY / 100)
			assert_few_steps(&unit.control, path, &few);
		else if (i % 500 < 2)
			assert_few_steps(&unit.control, path, &many);
		else
			assert_int_equal(unit_write(&unit.control, path, "1"), 0);
	}
	print_message("most steps of five operations: %lu, then %lu\n", few, many);
	assert_true(many <= 5 * STEPS);
	/* A hundred times the nodes, 6.6 levels more. */
	assert_true(many <= 2 * few);
	unit_end(&unit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_children),    cmocka_unit_test(test_list),
		cmocka_unit_test(test_old_trees),   cmocka_unit_test(test_deep),
		cmocka_unit_test(test_walk_domain), cmocka_unit_test(test_steps),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
