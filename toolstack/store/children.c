// SPDX-License-Identifier: BSD-2-Clause
/*
 * The nodes in one folder: a height-balanced (AVL) tree that is never changed, only copied along the way.
 *
 * Interface: children_find, children_insert, children_remove, children_list, children_next.
 * What is odd: elements count the bytes of the names below them, so that a listing starts at any byte
 * without going through what comes before. Recursion is as deep as the balanced tree is high, 1.5 log2 n.
 */
#include "children.h"

#include <string.h>

static int compare(const char *name, size_t length, const struct node *node)
{
	size_t other = node->name->length;
	int order = memcmp(name, node->name->text, length < other ? length : other);

	node_steps++;
	if (order)
		return order;
	return length < other ? -1 : length > other;
}

struct node *children_find(struct node *top, const char *name, size_t length)
{
	while (top) {
		int order = compare(name, length, top);

		if (!order)
			return top;
		top = order < 0 ? top->left : top->right;
	}
	return NULL;
}

static int height(const struct node *node)
{
	return node ? node->height : 0;
}

/* node's like with these on its sides, which are given away. */
static struct node *build(const struct node *node, struct node *left, struct node *right)
{
	struct node *copy = node_copy(node);

	copy->left = left;
	copy->right = right;
	node_update(copy);
	return copy;
}

/* As build, where the left side is too high by one. */
static struct node *lower_left(const struct node *node, struct node *left, struct node *right)
{
	struct node *inner = left->right;
	struct node *top;

	if (height(left->left) >= height(inner))
		top = build(left, node_get(left->left), build(node, node_get(inner), right));
	else
		top = build(inner, build(left, node_get(left->left), node_get(inner->left)),
			    build(node, node_get(inner->right), right));
	node_put(left);
	return top;
}

/* The mirror image. */
static struct node *lower_right(const struct node *node, struct node *left, struct node *right)
{
	struct node *inner = right->left;
	struct node *top;

	if (height(right->right) >= height(inner))
		top = build(right, build(node, left, node_get(inner)), node_get(right->right));
	else
		top = build(inner, build(node, left, node_get(inner->left)),
			    build(right, node_get(inner->right), node_get(right->right)));
	node_put(right);
	return top;
}

static struct node *balance(const struct node *node, struct node *left, struct node *right)
{
	if (height(left) > height(right) + 1)
		return lower_left(node, left, right);
	if (height(right) > height(left) + 1)
		return lower_right(node, left, right);
	return build(node, left, right);
}

struct node *children_insert(struct node *top, struct node *node)
{
	int order;

	if (!top)
		return node;
	order = compare(node->name->text, node->name->length, top);
	if (order < 0)
		return balance(top, children_insert(top->left, node), node_get(top->right));
	if (order > 0)
		return balance(top, node_get(top->left), children_insert(top->right, node));
	node->left = node_get(top->left);
	node->right = node_get(top->right);
	node_update(node);
	return node;
}

static struct node *first(struct node *top)
{
	while (top && top->left)
		top = top->left;
	return top;
}

/* The two sides of an element that goes. */
static struct node *merge(struct node *left, struct node *right)
{
	struct node *next = first(right);

	if (!left || !right)
		return node_get(left ? left : right);
	return balance(next, node_get(left),
		       children_remove(right, next->name->text, next->name->length));
}

struct node *children_remove(struct node *top, const char *name, size_t length)
{
	int order = compare(name, length, top);

	if (order < 0)
		return balance(top, children_remove(top->left, name, length), node_get(top->right));
	if (order > 0)
		return balance(top, node_get(top->left), children_remove(top->right, name, length));
	return merge(top->left, top->right);
}

/* What is left out of one name, and copied of it. */
static size_t list_one(const struct node *node, size_t offset, char *out, size_t room)
{
	size_t bytes = node->name->length + 1U;

	node_steps++;
	if (offset >= bytes)
		return 0;
	bytes -= offset;
	if (bytes > room)
		bytes = room;
	memcpy(out, node->name->text + offset, bytes);
	return bytes;
}

size_t children_list(const struct node *top, size_t offset, char *out, size_t room)
{
	size_t before, own, done;

	if (!top || !room || offset >= top->name_bytes)
		return 0;
	before = top->left ? top->left->name_bytes : 0;
	own = before + top->name->length + 1U;
	done = children_list(top->left, offset, out, room);
	if (offset < own)
		done += list_one(top, offset > before ? offset - before : 0, out + done,
				 room - done);
	return done +
	       children_list(top->right, offset > own ? offset - own : 0, out + done, room - done);
}

/* Of the element itself and what is in it, not of others in its tree. */
static bool names_domain(const struct node *node, uint64_t domains)
{
	uint64_t named = node->children ? node->children->domains : 0;

	for (size_t i = 0; i < node->content->permissions; i++)
		named |= node_domain_bit(node->content->permission[i].domain);
	return !domains || (named & domains);
}

struct node *children_next(struct node *top, const struct node_name *name, uint64_t domains)
{
	struct node *found;

	if (!top || (domains && !(top->domains & domains)))
		return NULL;
	if (name && compare(name->text, name->length, top) >= 0)
		return children_next(top->right, name, domains);
	found = children_next(top->left, name, domains);
	if (found)
		return found;
	return names_domain(top, domains) ? top : children_next(top->right, NULL, domains);
}
