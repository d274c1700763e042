/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_NODE_H
#define STORE_NODE_H

#include <stddef.h>
#include <stdint.h>

#include "content.h"

struct node_name {
	unsigned int references;
	uint32_t length;
	char text[];
};

/*
 * A node of the tree, and an element of the balanced tree that its folder keeps its nodes in. Never changed once
 * somebody else may see it, so that a tree is kept by keeping its top.
 */
struct node {
	unsigned int references;
	uint16_t height;
	uint16_t listing_writer; /* the domain that made or removed a node in this one last */
	struct node *left;
	struct node *right;
	struct node *children;
	struct content *content;
	struct node_name *name;
	uint64_t listing; /* changes when a node in this one is made or removed */
	/* Of all in this element's balanced tree: */
	uint64_t domains; /* a bit for each domain named in permissions, by number modulo 64, below too */
	uint32_t total;	     /* nodes, below too */
	uint32_t name_bytes; /* lengths of the names, each with its zero, here only */
};

/* How many nodes were looked at or copied: what tests hold to O(log n). */
extern uint64_t node_steps;

/* A node alone, with no others in it. */
struct node *node_new(const char *name, size_t length, struct content *content, uint64_t listing);

/* The same node, alone; what is in it is shared. */
struct node *node_copy(const struct node *node);

static inline struct node *node_get(struct node *node)
{
	if (node)
		node->references++;
	return node;
}

/* Frees what nobody else has; however deep and however much that is, without recursion. */
void node_put(struct node *node);

/* Counts again what an element knows of those below it. */
void node_update(struct node *node);

static inline uint64_t node_domain_bit(uint16_t domain)
{
	return domain ? 1UL << (domain % 64) : 0;
}

#endif
