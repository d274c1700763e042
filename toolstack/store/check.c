// SPDX-License-Identifier: BSD-2-Clause
/*
 * Is the store what it says it is? Every number that is kept is counted again from the tree and the sessions.
 *
 * Interface: check_store.
 * What is odd: recursion goes through the balanced trees only, so it is not deep.
 */
#include "check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "store.h"

struct check {
	struct account *accounts; /* what is found */
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
	struct account *account = &check->accounts[content_owner(node->content)];

	account->nodes++;
	account->bytes += quota_node_bytes(node->content, node->name->length);
	check_elements(check, node->children);
	if (!node->content->permissions)
		wrong(check, "has no owner", path);
	return check->good;
}

static void count_session(struct check *check, const struct session *session)
{
	struct account *account = &check->accounts[session->domain];
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
	const struct account *found = &check->accounts[domain];
	const struct account *kept = quota_find(&check->store->quota, (uint16_t)domain);
	char name[32];

	if (!kept)
		kept = &none;
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

bool check_store(struct store *store, char *text, size_t size)
{
	static const char *const tops[] = { "/", PATH_INTRODUCED, PATH_RELEASED };
	struct check check = { .store = store, .text = text, .size = size, .good = true };
	const struct session *session;

	snprintf(text, size, "OK");
	check.accounts = memory_zero(QUOTA_DOMAINS * sizeof(*check.accounts));
	for (size_t i = 0; i < 3; i++)
		tree_walk(tree_find(store->top, tops[i]), tops[i], 0, count_node, &check);
	check_elements(&check, store->top->children);
	TAILQ_FOREACH(session, &store->sessions, in_store)
		count_session(&check, session);
	for (unsigned int i = 0; i < QUOTA_DOMAINS && check.good; i++)
		compare(&check, i);
	free(check.accounts);
	return check.good;
}
