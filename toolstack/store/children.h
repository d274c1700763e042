/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_CHILDREN_H
#define STORE_CHILDREN_H

#include "node.h"

/* top is a balanced tree of nodes by name, or NULL for none. It is only looked at; what comes back is its owner's. */
struct node *children_find(struct node *top, const char *name, size_t length);

/* With that node, which is given away, in the place of one with its name. */
struct node *children_insert(struct node *top, struct node *node);

/* Without the node of that name, which must be there. */
struct node *children_remove(struct node *top, const char *name, size_t length);

/* Names with their zeros, from that byte of all such on, as many bytes as there is room for. How many. */
size_t children_list(const struct node *top, size_t offset, char *out, size_t room);

/*
 * The first node, in order of names, that comes after that name (NULL: of all); NULL after the last. With domains, only
 * those that name one of them in permissions, or have something below that does.
 */
struct node *children_next(struct node *top, const struct node_name *name, uint64_t domains);

#endif
