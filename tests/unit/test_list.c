// SPDX-License-Identifier: BSD-2-Clause
/* Lists: each operation, then random ones against an array. */
#include "unit.h"

#include "list.h"

struct item {
	int number;
	struct list_node node;
};

static void check_order(struct list_node *head, const int *numbers, size_t count)
{
	struct list_node *node;
	size_t i = 0;

	list_for_each(node, head) {
		assert_true(i < count);
		assert_int_equal(list_entry(node, struct item, node)->number, numbers[i++]);
		assert_ptr_equal(node->next->previous, node);
		assert_ptr_equal(node->previous->next, node);
	}
	assert_int_equal(i, count);
	assert_int_equal(list_empty(head), count == 0);
}

static void test_operations(void **state)
{
	struct list_node head = LIST_INIT(head), other = LIST_INIT(other);
	struct item items[4];

	(void)state;
	assert_null(list_first(&head));
	assert_null(list_last(&head));
	assert_null(list_take_first(&head));
	for (int i = 0; i < 4; i++) {
		items[i].number = i;
		list_init(&items[i].node);
		assert_false(list_linked(&items[i].node));
	}
	list_add_first(&head, &items[1].node);
	list_add_first(&head, &items[0].node);
	list_add_last(&head, &items[3].node);
	list_insert_before(&items[3].node, &items[2].node);
	check_order(&head, (int[]){ 0, 1, 2, 3 }, 4);
	assert_true(list_linked(&items[2].node));
	assert_ptr_equal(list_last(&head), &items[3].node);
	list_move_last(&head, &items[0].node);
	list_move_first(&head, &items[2].node);
	check_order(&head, (int[]){ 2, 1, 3, 0 }, 4);
	assert_ptr_equal(list_take_first(&head), &items[2].node);
	list_remove(&items[3].node);
	list_remove(&items[3].node);
	check_order(&head, (int[]){ 1, 0 }, 2);
	list_splice_last(&head, &other);
	list_add_last(&other, &items[2].node);
	list_add_last(&other, &items[3].node);
	list_splice_last(&head, &other);
	check_order(&head, (int[]){ 1, 0, 2, 3 }, 4);
	check_order(&other, NULL, 0);
	list_splice_last(&other, &head);
	check_order(&other, (int[]){ 1, 0, 2, 3 }, 4);
	check_order(&head, NULL, 0);
}

static void test_remove_while_walking(void **state)
{
	struct list_node head = LIST_INIT(head), *node, *after;
	struct item items[6];

	(void)state;
	for (int i = 0; i < 6; i++) {
		items[i].number = i;
		list_add_last(&head, &items[i].node);
	}
	list_for_each_safe(node, after, &head) {
		if (list_entry(node, struct item, node)->number % 2)
			list_remove(node);
	}
	check_order(&head, (int[]){ 0, 2, 4 }, 3);
	list_for_each_safe(node, after, &head) {
		list_remove(node);
	}
	check_order(&head, NULL, 0);
}

/* Delete entry `at` of an array, insert `number` in front or at the end. */
static void model_move(int *model, size_t count, int number, bool first)
{
	size_t at = 0;

	while (model[at] != number)
		at++;
	memmove(model + at, model + at + 1, (count - at - 1) * sizeof(*model));
	if (first)
		memmove(model + 1, model, (count - 1) * sizeof(*model));
	model[first ? 0 : count - 1] = number;
}

static void test_random_moves(void **state)
{
	enum { COUNT = 9 };
	struct list_node head = LIST_INIT(head);
	struct item items[COUNT];
	int model[COUNT];
	uint64_t random = 7;

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		model[i] = items[i].number = i;
		list_add_last(&head, &items[i].node);
	}
	for (int round = 0; round < 10000; round++) {
		int number = (int)(unit_random(&random) % COUNT);
		bool first = unit_random(&random) % 2;

		if (first)
			list_move_first(&head, &items[number].node);
		else
			list_move_last(&head, &items[number].node);
		model_move(model, COUNT, number, first);
		check_order(&head, model, COUNT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_operations),
		cmocka_unit_test(test_remove_while_walking),
		cmocka_unit_test(test_random_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
