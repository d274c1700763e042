// SPDX-License-Identifier: BSD-2-Clause
/*
 * Is the store what it says it is? Every number that is kept is counted again from the tree and the sessions.
 *
 * Interface: check_store.
 * What is odd: recursion goes through the balanced trees only, so it is not deep.
 */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "store.h"

struct check {
	struct quota found;
	struct store *store;
	char *text;
	size_t size;
	bool good;
};

static void wrong(struct check *check, const char *what, const char *where)
{
	if (check->good)
		snprintf(check->text, check->size, "%s: %s", where, what);
	check->good = false;
}

static int height(const struct node *node)
{
	return node ? node->height : 0;
}

/* An element's own numbers, by those of the ones beside it. */
static void check_element(struct check *check, struct node *node)
{
	struct node again = *node;
	int difference = height(node->left) - height(node->right);

	node_update(&again);
	if (again.height != node->height || again.total != node->total ||
	    again.name_bytes != node->name_bytes || again.domains != node->domains)
		wrong(check, "counts are wrong", node->name->text);
	if (difference < -1 || difference > 1)
		wrong(check, "not balanced", node->name->text);
	if ((node->left && strcmp(node->left->name->text, node->name->text) >= 0) ||
	    (node->right && strcmp(node->right->name->text, node->name->text) <= 0))
		wrong(check, "not in order", node->name->text);
}

static void check_elements(struct check *check, struct node *node)
{
	if (!node)
		return;
	check_element(check, node);
	check_elements(check, node->left);
	check_elements(check, node->right);
}

static bool count_node(void *argument, const char *path, struct node *node)
{
	struct check *check = argument;

	quota_add_node(&check->found, node->content, node->name->length);
	check_elements(check, node->children);
	if (!node->content->permissions)
		wrong(check, "has no owner", path);
	return check->good;
}

static void count_session(struct check *check, const struct session *session)
{
	struct account *account = quota_account(&check->found, session->domain);
	const struct transaction *transaction;
	const struct watch *watch;

	TAILQ_FOREACH(watch, &session->watches, in_session) {
		account->watches++;
		account->bytes += sizeof(*watch) + strlen(watch->path) + strlen(watch->token) + 2;
	}
	TAILQ_FOREACH(transaction, &session->transactions, in_session) {
		account->transactions++;
		account->bytes += transaction->bytes;
	}
}

static void compare(struct check *check, unsigned int domain)
{
	static const struct account none;
	const struct account *found = quota_find(&check->found, (uint16_t)domain);
	const struct account *kept = quota_find(&check->store->quota, (uint16_t)domain);
	char name[32];

	if (!kept)
		kept = &none;
	if (!found)
		found = &none;
	snprintf(name, sizeof(name), "domain %u", domain);
	if (kept->nodes != found->nodes)
		wrong(check, "number of nodes is wrong", name);
	if (kept->bytes != found->bytes)
		wrong(check, "number of bytes is wrong", name);
	if (kept->watches != found->watches)
		wrong(check, "number of watches is wrong", name);
	if (kept->transactions != found->transactions)
		wrong(check, "number of transactions is wrong", name);
}

/* Of all domains that have something, by either count. */
static void compare_all(struct check *check)
{
	for (unsigned int domain = 0; domain < QUOTA_DOMAINS; domain++) {
		unsigned int group = domain / QUOTA_GROUP;

		if (check->found.groups[group] || check->store->quota.groups[group])
			compare(check, domain);
		else
			domain += QUOTA_GROUP - 1;
	}
}

bool check_store(struct store *store, char *text, size_t size)
{
	static const char *const tops[] = { "/", PATH_INTRODUCED, PATH_RELEASED };
	struct check check = { .store = store, .text = text, .size = size, .good = true };
	const struct session *session;

	snprintf(text, size, "OK");
	quota_init(&check.found);
	for (size_t i = 0; i < 3; i++)
		tree_walk(tree_find(store->top, tops[i]), tops[i], 0, count_node, &check);
	check_elements(&check, store->top->children);
	TAILQ_FOREACH(session, &store->sessions, in_store)
		count_session(&check, session);
	compare_all(&check);
	quota_free(&check.found);
	return check.good;
}
