// SPDX-License-Identifier: BSD-2-Clause
/*
 * The tree of all nodes: found, set, removed by path. A change gives another tree that shares what did not change.
 *
 * Interface: tree_new, tree_find, tree_find_deepest, tree_set, tree_remove, tree_walk.
 * What is odd: paths can be 1,500 names deep, so nothing here recurses; the way down is kept in an array.
 */
#include "tree.h"

#include <stdlib.h>
#include <string.h>

#include "children.h"
#include "memory.h"

/* The nodes from the top to a folder, and the name in it that a path ends with. */
struct way {
	struct node *node[PATH_DEPTH + 1];
	size_t depth;
	const char *name;
	size_t length;
};

struct node *tree_new(void)
{
	static const struct permission nobody = { .domain = 0, .access = 0 };
	struct content *content = content_new(&nobody, 1, NULL, 0, 0);
	struct node *top = node_new("", 0, content, 0);

	content_put(content);
	return top;
}

struct node *tree_find(struct node *top, const char *path)
{
	const char *cursor = strcmp(path, "/") == 0 ? "" : path;
	const char *name;
	size_t length;

	while (top && (name = path_next(&cursor, &length)))
		top = children_find(top->children, name, length);
	return top;
}

struct node *tree_find_deepest(struct node *top, const char *path, char out[PATH_SIZE])
{
	struct node *node = tree_find(top, path);

	strcpy(out, path);
	while (!node && path_parent(out, out))
		node = tree_find(top, out);
	return node;
}

/* To the folder of a path. False if it is not there. */
static bool way_find(struct way *way, struct node *top, const char *path)
{
	const char *cursor = strcmp(path, "/") == 0 ? "" : path;

	way->node[0] = top;
	way->depth = 0;
	way->name = path_next(&cursor, &way->length);
	while (cursor) {
		struct node *next =
			children_find(way->node[way->depth]->children, way->name, way->length);

		if (!next)
			return false;
		way->node[++way->depth] = next;
		way->name = path_next(&cursor, &way->length);
	}
	return true;
}

/* The node on the way at that depth, with other children. They are given away. */
static struct node *way_copy(const struct way *way, size_t depth, struct node *children)
{
	struct node *copy = node_copy(way->node[depth]);

	node_put(copy->children);
	copy->children = children;
	node_update(copy);
	return copy;
}

/* A new tree, from the folder's new children upwards. mark: the folder's listing has changed. */
static struct node *way_rebuild(const struct way *way, struct node *children,
				const struct tree_mark *mark)
{
	struct node *copy = way_copy(way, way->depth, children);

	if (mark) {
		copy->listing = mark->listing;
		copy->listing_writer = mark->writer;
	}
	for (size_t depth = way->depth; depth--;)
		copy = way_copy(way, depth, children_insert(way->node[depth]->children, copy));
	return copy;
}

static struct node *with_content(struct node *node, struct content *content)
{
	struct node *copy = node_copy(node);

	content_put(copy->content);
	copy->content = content_get(content);
	node_update(copy);
	return copy;
}

struct node *tree_set(struct node *top, const char *path, struct content *content,
		      struct tree_mark mark)
{
	struct way way;
	struct node *folder, *old, *node;

	if (!way_find(&way, top, path))
		return NULL;
	folder = way.node[way.depth];
	old = children_find(folder->children, way.name, way.length);
	node = old ? with_content(old, content)
		   : node_new(way.name, way.length, content, mark.listing);
	return way_rebuild(&way, children_insert(folder->children, node), old ? NULL : &mark);
}

struct node *tree_remove(struct node *top, const char *path, struct tree_mark mark)
{
	struct way way;
	struct node *folder;

	if (!way_find(&way, top, path))
		return NULL;
	folder = way.node[way.depth];
	if (!children_find(folder->children, way.name, way.length))
		return NULL;
	return way_rebuild(&way, children_remove(folder->children, way.name, way.length), &mark);
}

/* A walk: the nodes on the way to where it is, and the path of that. */
struct walk {
	struct node *way[PATH_DEPTH + 1];
	size_t depth;
	char path[PATH_SIZE];
	uint64_t domains;
};

static void walk_into(struct walk *walk, struct node *child)
{
	size_t length = strlen(walk->path);

	if (length && walk->path[length - 1] == '/')
		length--;
	walk->path[length] = '/';
	memcpy(walk->path + length + 1, child->name->text, child->name->length + 1U);
	walk->way[++walk->depth] = child;
}

/* The next node in order: first what is in it, then what comes after it, then after its folder. */
static bool walk_next(struct walk *walk)
{
	const struct node_name *after = NULL;
	struct node *next, *node = walk->way[walk->depth];

	for (;;) {
		next = children_next(node->children, after, walk->domains);
		if (next) {
			walk_into(walk, next);
			return true;
		}
		if (!walk->depth)
			return false;
		after = node->name;
		node = walk->way[--walk->depth];
		path_parent(walk->path, walk->path);
	}
}

bool tree_walk(struct node *node, const char *path, uint64_t domains, tree_visit *visit,
	       void *argument)
{
	struct walk *walk = memory_alloc(sizeof(*walk));
	bool going = true;

	walk->way[0] = node;
	walk->depth = 0;
	walk->domains = domains;
	strcpy(walk->path, path);
	do
		going = visit(argument, walk->path, walk->way[walk->depth]);
	while (going && walk_next(walk));
	free(walk);
	return going;
}
