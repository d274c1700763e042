/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_STORE_MODEL_H
#define UNIT_STORE_MODEL_H

/*
 * A second store, as simple as can be: an array of the 40 nodes that names of a, b and c, three deep, can make. A
 * transaction copies all of it. It says what the real store must do and answer.
 */
#include "unit.h"

#include <errno.h>

#include "toolstack/store/permission.h"
#include "toolstack/store/transaction.h"

#define MODEL_NODES 40
#define MODEL_VALUE 8
#define MODEL_LIST  3
#define MODEL_LOG   256
#define MODEL_QUOTA 12

struct model_node {
	bool there;
	char value[MODEL_VALUE];
	struct permission list[MODEL_LIST];
	size_t count;
	unsigned int content; /* another number for each change */
	unsigned int listing;
};

struct model_state {
	struct model_node node[MODEL_NODES];
};

struct model_change {
	int index;
	struct model_node node; /* as it is after */
};

struct model_transaction {
	uint16_t domain;
	struct model_state base;
	struct model_state now;
	unsigned int seen[MODEL_NODES];
	struct model_change log[MODEL_LOG];
	size_t changes;
};

static unsigned int model_number;

/* 0 is the root, then a, b, c, then aa, ab, ... */
static inline int model_parent(int index)
{
	return (index - 1) / 3;
}

static inline void model_path(int index, char path[16])
{
	char name[3] = { '/', (char)('a' + (index + 2) % 3), 0 };

	if (!index) {
		strcpy(path, "/");
		return;
	}
	path[0] = 0;
	if (model_parent(index))
		model_path(model_parent(index), path);
	strcat(path, name);
}

static inline unsigned int model_access(const struct model_node *node, uint16_t domain)
{
	if (!domain || node->list[0].domain == domain)
		return PERMISSION_ALL;
	for (size_t i = 1; i < node->count; i++) {
		if (node->list[i].domain == domain)
			return node->list[i].access;
	}
	return node->list[0].access;
}

/* What was looked at is marked in seen, which may be NULL. */
static inline int model_find(const struct model_state *state, int index, uint16_t domain,
			     unsigned int wanted, unsigned int what, unsigned int *seen)
{
	int at = index;

	while (!state->node[at].there)
		at = model_parent(at);
	if (seen) {
		seen[index] |= what;
		seen[at] |= TRANSACTION_CONTENT | (at == index ? what : 0);
	}
	if ((model_access(&state->node[at], domain) & wanted) != wanted)
		return EACCES;
	return at == index ? 0 : ENOENT;
}

static inline int model_owned(const struct model_state *state, uint16_t domain)
{
	int count = 0;

	for (int i = 0; i < MODEL_NODES; i++)
		count += state->node[i].there && state->node[i].list[0].domain == domain;
	return count;
}

static inline int model_missing(const struct model_state *state, int index)
{
	int count = 0;

	for (; !state->node[index].there; index = model_parent(index))
		count++;
	return count;
}

static inline void model_log(struct model_transaction *t, int index, const struct model_node *node)
{
	if (!t)
		return;
	assert_true(t->changes < MODEL_LOG);
	t->log[t->changes].index = index;
	t->log[t->changes++].node = *node;
}

/* A change of one node, in a state; a node that comes or goes changes its folder's listing. */
static inline void model_apply(struct model_state *state, int index, const struct model_node *node)
{
	unsigned int listing = state->node[index].listing;

	if (node->there != state->node[index].there)
		state->node[model_parent(index)].listing = ++model_number;
	if (!state->node[index].there)
		listing = ++model_number;
	state->node[index] = *node;
	state->node[index].listing = listing;
	if (node->there)
		return;
	for (int child = 3 * index + 1; child <= 3 * index + 3 && child < MODEL_NODES; child++) {
		if (state->node[child].there)
			model_apply(state, child, node);
	}
}

/* global: the store's state. t: NULL outside transactions, and then state is global. */
static inline bool model_quota(const struct model_state *global, const struct model_transaction *t,
			       uint16_t domain, int more)
{
	int mine = t ? model_owned(&t->now, domain) - model_owned(&t->base, domain) : 0;

	return !domain || mine + more <= 0 ||
	       model_owned(global, domain) + mine + more <= MODEL_QUOTA;
}

static inline void model_make(struct model_state *state, struct model_transaction *t, int index,
			      uint16_t domain, const char *value)
{
	struct model_node node;

	if (!state->node[model_parent(index)].there)
		model_make(state, t, model_parent(index), domain, "");
	node = state->node[model_parent(index)];
	node.content = ++model_number;
	snprintf(node.value, sizeof(node.value), "%s", value);
	if (domain)
		node.list[0].domain = domain;
	model_apply(state, index, &node);
	model_log(t, index, &node);
}

/* value NULL: only make it. */
static inline int model_write(struct model_state *global, struct model_transaction *t, int index,
			      uint16_t domain, const char *value)
{
	struct model_state *state = t ? &t->now : global;
	int error = model_find(state, index, domain, PERMISSION_WRITE, TRANSACTION_CONTENT,
			       t ? t->seen : NULL);
	struct model_node node = state->node[index];

	if (error == ENOENT) {
		if (!model_quota(global, t, domain, model_missing(state, index)))
			return ENOSPC;
		model_make(state, t, index, domain, value ? value : "");
		return 0;
	}
	if (error || !value)
		return error;
	node.content = ++model_number;
	snprintf(node.value, sizeof(node.value), "%s", value);
	model_apply(state, index, &node);
	model_log(t, index, &node);
	return 0;
}

static inline int model_remove(struct model_state *global, struct model_transaction *t, int index,
			       uint16_t domain)
{
	const struct model_node gone = { .there = false };
	struct model_state *state = t ? &t->now : global;
	int error;

	if (!index)
		return EINVAL;
	error = model_find(state, index, domain, PERMISSION_WRITE, TRANSACTION_CONTENT,
			   t ? t->seen : NULL);
	if (error == ENOENT && state->node[model_parent(index)].there)
		return 0;
	if (error)
		return error;
	model_apply(state, index, &gone);
	model_log(t, index, &gone);
	return 0;
}

static inline int model_permit(struct model_state *global, struct model_transaction *t, int index,
			       uint16_t domain, const struct permission *list, size_t count)
{
	struct model_state *state = t ? &t->now : global;
	int error = model_find(state, index, domain, PERMISSION_WRITE | PERMISSION_OWNER,
			       TRANSACTION_CONTENT, t ? t->seen : NULL);
	struct model_node node = state->node[index];

	if (error)
		return error;
	if (domain && node.list[0].domain != list[0].domain)
		return EPERM;
	memcpy(node.list, list, count * sizeof(*list));
	node.count = count;
	node.content = ++model_number;
	model_apply(state, index, &node);
	model_log(t, index, &node);
	return 0;
}

static inline bool model_unchanged(const struct model_node *before, const struct model_node *now,
				   unsigned int seen)
{
	if (!seen || (!before->there && !now->there))
		return true;
	return before->there == now->there &&
	       (!(seen & TRANSACTION_CONTENT) || before->content == now->content) &&
	       (!(seen & TRANSACTION_LISTING) || before->listing == now->listing);
}

static inline int model_commit(struct model_state *global, const struct model_transaction *t)
{
	for (int i = 0; i < MODEL_NODES; i++) {
		if (!model_unchanged(&t->base.node[i], &global->node[i], t->seen[i]))
			return EAGAIN;
	}
	if (!model_quota(global, t, t->domain, 0))
		return ENOSPC;
	for (size_t i = 0; i < t->changes; i++)
		model_apply(global, t->log[i].index, &t->log[i].node);
	return 0;
}

#endif
