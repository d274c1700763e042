// SPDX-License-Identifier: BSD-2-Clause
/*
 * Nodes: made, shared by counting, freed.
 *
 * Interface: node_new, node_copy, node_get, node_put, node_update.
 * Locks: none, one thread uses a store.
 * What is odd: a tree that is dropped may be 1,500 deep and 100,000 wide, so node_put keeps what it still has
 * to free in a list through the nodes themselves.
 */
#include "node.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

uint64_t node_steps;

static struct node_name *name_new(const char *text, size_t length)
{
	struct node_name *name = memory_alloc(sizeof(*name) + length + 1);

	name->references = 1;
	name->length = (uint32_t)length;
	memcpy(name->text, text, length);
	name->text[length] = 0;
	return name;
}

static void name_put(struct node_name *name)
{
	if (--name->references == 0)
		free(name);
}

void node_update(struct node *node)
{
	const struct node *side[] = { node->left, node->right };

	node->height = 0;
	node->total = 1 + (node->children ? node->children->total : 0);
	node->name_bytes = node->name->length + 1;
	node->domains = node->children ? node->children->domains : 0;
	for (size_t i = 0; i < node->content->permissions; i++)
		node->domains |= node_domain_bit(node->content->permission[i].domain);
	for (size_t i = 0; i < 2; i++) {
		if (!side[i])
			continue;
		node->total += side[i]->total;
		node->name_bytes += side[i]->name_bytes;
		node->domains |= side[i]->domains;
		if (node->height < side[i]->height)
			node->height = side[i]->height;
	}
	node->height++;
}

struct node *node_new(const char *name, size_t length, struct content *content, uint64_t listing)
{
	struct node *node = memory_zero(sizeof(*node));

	node_steps++;
	node->references = 1;
	node->content = content_get(content);
	node->name = name_new(name, length);
	node->listing = listing;
	node_update(node);
	return node;
}

struct node *node_copy(const struct node *from)
{
	struct node *node = memory_alloc(sizeof(*node));

	node_steps++;
	*node = *from;
	node->references = 1;
	node->left = NULL;
	node->right = NULL;
	node_get(node->children);
	content_get(node->content);
	node->name->references++;
	return node;
}

/* Gives up one reference. What that was the last one of goes to the list of those to free, with what is in it. */
static void node_drop(struct node *node, struct node **dead)
{
	while (node && --node->references == 0) {
		struct node *children = node->children;

		node->children = *dead;
		*dead = node;
		node = children;
	}
}

void node_put(struct node *node)
{
	struct node *dead = NULL;

	node_drop(node, &dead);
	while (dead) {
		node = dead;
		dead = node->children;
		node_drop(node->left, &dead);
		node_drop(node->right, &dead);
		content_put(node->content);
		name_put(node->name);
		free(node);
	}
}
