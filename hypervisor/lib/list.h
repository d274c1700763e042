/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LIB_LIST_H
#define LIB_LIST_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Doubly linked circular lists whose links live in the members. The head is a node too: an empty
 * list points at itself, and so does a node that is on no list.
 */
struct list_node {
	struct list_node *next;
	struct list_node *previous;
};

#define LIST_INIT(head)                                                                            \
	{                                                                                          \
		&(head), &(head)                                                                   \
	}

#define list_entry(node, type, member) ((type *)((char *)(node)-offsetof(type, member)))

#define list_for_each(node, head)                                                                  \
	for ((node) = (head)->next; (node) != (head); (node) = (node)->next)

/* For loops that remove the node they are at. */
#define list_for_each_safe(node, after, head)                                                      \
	for ((node) = (head)->next, (after) = (node)->next; (node) != (head);                      \
	     (node) = (after), (after) = (node)->next)

static inline void list_init(struct list_node *node)
{
	node->next = node;
	node->previous = node;
}

static inline bool list_empty(const struct list_node *head)
{
	return head->next == head;
}

/* Whether a node is on a list: true only if it was initialised or removed, and not added since. */
static inline bool list_linked(const struct list_node *node)
{
	return node->next != node;
}

static inline void list_insert_after(struct list_node *place, struct list_node *node)
{
	node->next = place->next;
	node->previous = place;
	place->next->previous = node;
	place->next = node;
}

static inline void list_insert_before(struct list_node *place, struct list_node *node)
{
	list_insert_after(place->previous, node);
}

static inline void list_add_first(struct list_node *head, struct list_node *node)
{
	list_insert_after(head, node);
}

static inline void list_add_last(struct list_node *head, struct list_node *node)
{
	list_insert_before(head, node);
}

/* Leaves the node pointing at itself, so that removing it twice does no harm. */
static inline void list_remove(struct list_node *node)
{
	node->next->previous = node->previous;
	node->previous->next = node->next;
	list_init(node);
}

/* NULL when the list is empty. */
static inline struct list_node *list_first(const struct list_node *head)
{
	return list_empty(head) ? NULL : head->next;
}

static inline struct list_node *list_last(const struct list_node *head)
{
	return list_empty(head) ? NULL : head->previous;
}

static inline struct list_node *list_take_first(struct list_node *head)
{
	struct list_node *node = list_first(head);

	if (node)
		list_remove(node);
	return node;
}

static inline void list_move_first(struct list_node *head, struct list_node *node)
{
	list_remove(node);
	list_add_first(head, node);
}

static inline void list_move_last(struct list_node *head, struct list_node *node)
{
	list_remove(node);
	list_add_last(head, node);
}

/* Append every node of `from` to `head` in constant time; `from` is empty afterwards. */
static inline void list_splice_last(struct list_node *head, struct list_node *from)
{
	if (list_empty(from))
		return;
	from->next->previous = head->previous;
	head->previous->next = from->next;
	from->previous->next = head;
	head->previous = from->previous;
	list_init(from);
}

#endif
