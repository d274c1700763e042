/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_TREE_H
#define STORE_TREE_H

#include <stdbool.h>

#include "node.h"
#include "path.h"

/* top: a node that nobody sees, with the root "" and the special nodes in it. */
struct node *tree_new(void);

struct node *tree_find(struct node *top, const char *path);

/* The path's deepest node that is there, and which folder or node that is. */
struct node *tree_find_deepest(struct node *top, const char *path, char out[PATH_SIZE]);

/* What a change leaves in the folder when a node is made or removed. */
struct tree_mark {
	uint64_t listing;
	uint16_t writer;
};

/* The tree with that content at that path. The folder must be there. */
struct node *tree_set(struct node *top, const char *path, struct content *content,
		      struct tree_mark mark);

/* The tree without the path and all in it. It must be there. */
struct node *tree_remove(struct node *top, const char *path, struct tree_mark mark);

/*
 * Visits all in the tree at path, folders first, and path itself; those outside domains are left out, with what is in
 * them, unless domains is 0. A visit that returns false ends it.
 */
typedef bool tree_visit(void *argument, const char *path, struct node *node);
bool tree_walk(struct node *node, const char *path, uint64_t domains, tree_visit *visit,
	       void *argument);

#endif
