// SPDX-License-Identifier: BSD-2-Clause
/*
 * The store against a model of it: random operations of domain 0 and of guests, outside transactions and in several at
 * once, with permissions and a quota that is small. Every answer must be the model's, and now and then everything.
 */
#include "store_unit.h"

#include "store_model.h"
#include "toolstack/store/children.h"

#define STEPS	     60000
#define TRANSACTIONS 3

struct pair {
	struct transaction *real;
	struct model_transaction model;
};

static struct store_unit unit;
static struct model_state state;
static struct pair pairs[TRANSACTIONS];
static uint64_t seed;
static unsigned int outcomes[3]; /* commits, conflicts, over quota */
static unsigned int refused, done;

static unsigned int any(unsigned int below)
{
	return (unsigned int)(unit_random(&seed) % below);
}

static struct session *session_of(uint16_t domain)
{
	return domain ? &unit.guest[domain - 1] : &unit.control;
}

/* Who does it, and where. */
struct actor {
	uint16_t domain;
	struct model_transaction *t; /* NULL: outside */
	struct view view;
};

static struct actor any_actor(void)
{
	struct pair *pair = any(2) ? &pairs[any(TRANSACTIONS)] : NULL;
	struct actor actor = { .domain = (uint16_t)any(3) };

	if (pair && pair->real && pair->model.changes < MODEL_LOG - 4) {
		actor.domain = pair->model.domain;
		actor.t = &pair->model;
		actor.view.transaction = pair->real;
	}
	actor.view.session = session_of(actor.domain);
	return actor;
}

static struct model_state *state_of(const struct actor *actor)
{
	return actor->t ? &actor->t->now : &state;
}

static void compare_answer(int real, int model)
{
	if (real != model)
		fail_msg("the store says %d, the model %d", real, model);
	if (real)
		refused++;
	else
		done++;
}

static void do_write(const struct actor *actor, int index, const char *path)
{
	char value[MODEL_VALUE];

	snprintf(value, sizeof(value), "%u", any(100000));
	compare_answer(operation_write(&actor->view, path, value, strlen(value)),
		       model_write(&state, actor->t, index, actor->domain, value));
}

static void do_mkdir(const struct actor *actor, int index, const char *path)
{
	compare_answer(operation_mkdir(&actor->view, path),
		       model_write(&state, actor->t, index, actor->domain, NULL));
}

static void do_remove(const struct actor *actor, int index, const char *path)
{
	compare_answer(operation_remove(&actor->view, path),
		       model_remove(&state, actor->t, index, actor->domain));
}

static void do_read(const struct actor *actor, int index, const char *path)
{
	const struct model_node *node = &state_of(actor)->node[index];
	const struct content *content;
	int error = operation_read(&actor->view, path, &content);

	compare_answer(error, model_find(state_of(actor), index, actor->domain, PERMISSION_READ,
					 TRANSACTION_CONTENT, actor->t ? actor->t->seen : NULL));
	if (error)
		return;
	assert_int_equal(content->length, strlen(node->value));
	assert_memory_equal(content->value, node->value, content->length);
	assert_int_equal(content->permissions, node->count);
	assert_memory_equal(content->permission, node->list, node->count * sizeof(node->list[0]));
}

/* Names that the model has there, in order. */
static size_t model_names(const struct model_state *from, int index, char *out)
{
	size_t length = 0;

	for (int child = 3 * index + 1; child <= 3 * index + 3 && child < MODEL_NODES; child++) {
		if (!from->node[child].there)
			continue;
		out[length++] = (char)('a' + (child + 2) % 3);
		out[length++] = 0;
	}
	return length;
}

static void do_list(const struct actor *actor, int index, const char *path)
{
	char expected[16], names[16];
	const struct node *node;
	int error = operation_list(&actor->view, path, &node);
	size_t length;

	compare_answer(error, model_find(state_of(actor), index, actor->domain, PERMISSION_READ,
					 TRANSACTION_CONTENT | TRANSACTION_LISTING,
					 actor->t ? actor->t->seen : NULL));
	if (error)
		return;
	length = model_names(state_of(actor), index, expected);
	assert_int_equal(children_list(node->children, 0, names, sizeof(names)), length);
	if (length)
		assert_memory_equal(names, expected, length);
}

static void do_permit(const struct actor *actor, int index, const char *path)
{
	struct permission list[MODEL_LIST];
	size_t count = 1 + any(MODEL_LIST);

	for (size_t i = 0; i < count; i++)
		list[i] = (struct permission){ (uint16_t)any(3), (uint16_t)any(4) };
	/* Mostly one's own. */
	if (any(4))
		list[0].domain = actor->domain;
	compare_answer(operation_set_permissions(&actor->view, path, list, count),
		       model_permit(&state, actor->t, index, actor->domain, list, count));
}

static void do_transaction(struct pair *pair)
{
	bool commit = any(4);
	int error;

	if (!pair->real) {
		pair->model = (struct model_transaction){ .domain = (uint16_t)any(3),
							  .base = state,
							  .now = state };
		pair->real = unit_begin(session_of(pair->model.domain));
		return;
	}
	error = transaction_end(pair->real, commit);
	pair->real = NULL;
	if (!commit)
		return;
	compare_answer(error, model_commit(&state, &pair->model));
	outcomes[error == EAGAIN ? 1 : error ? 2 : 0]++;
}

static void step(void)
{
	struct actor actor = any_actor();
	int index = (int)any(any(3) ? 13 : MODEL_NODES);
	char path[16];

	model_path(index, path);
	switch (any(12)) {
	case 0 ... 2:
		return do_write(&actor, index, path);
	case 3:
		return do_mkdir(&actor, index, path);
	case 4:
		return do_remove(&actor, index, path);
	case 5 ... 6:
		return do_read(&actor, index, path);
	case 7:
		return do_list(&actor, index, path);
	case 8:
		return do_permit(&actor, index, path);
	default:
		return do_transaction(&pairs[any(TRANSACTIONS)]);
	}
}

/* All nodes, as domain 0 sees them. */
static void compare_all(void)
{
	const struct actor control = { .view = { .session = &unit.control } };
	char path[16];

	for (int i = 0; i < MODEL_NODES; i++) {
		model_path(i, path);
		do_read(&control, i, path);
	}
	for (uint16_t domain = 1; domain < 3; domain++)
		assert_int_equal(quota_account(&unit.store.quota, domain)->nodes,
				 model_owned(&state, domain));
	unit_check(&unit);
}

static void run(uint64_t first)
{
	seed = first;
	memset(&state, 0, sizeof(state));
	memset(pairs, 0, sizeof(pairs));
	state.node[0] = (struct model_node){ .there = true, .count = 1 };
	unit_start(&unit);
	unit.store.quota.limits.nodes = MODEL_QUOTA;
	for (int i = 0; i < STEPS; i++) {
		step();
		if (i % 1000 == 0)
			compare_all();
		/* A guest's world must not end for good by what domain 0 has forbidden. */
		if (i % 2000 == 0) {
			const struct actor control = { .view = { .session = &unit.control } };
			const struct permission open = { 0, PERMISSION_READ | PERMISSION_WRITE };

			compare_answer(operation_set_permissions(&control.view, "/", &open, 1),
				       model_permit(&state, NULL, 0, 0, &open, 1));
		}
	}
	compare_all();
	unit_end(&unit);
}

static void test_model(void **unused)
{
	(void)unused;
	for (uint64_t first = 1; first <= 4; first++)
		run(first);
	print_message("%u done, %u refused; %u commits, %u conflicts, %u over quota\n", done,
		      refused, outcomes[0], outcomes[1], outcomes[2]);
	/* It was a test of all of these. */
	assert_true(done > 10000 && refused > 10000);
	assert_true(outcomes[0] > 100 && outcomes[1] > 100 && outcomes[2] > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_model) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
