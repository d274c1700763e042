/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_CHANGE_H
#define STORE_CHANGE_H

#include <stdbool.h>

#include "node.h"

/* One node set, or, without content, removed with all in it. */
struct change {
	char *path;
	struct content *content;
	bool on_the_way; /* made only because a node in it is, of which there is an event */
};

/* All that one operation or transaction does, in order. All zero is an empty list. */
struct changes {
	struct change *list;
	size_t count;
	size_t room;
};

/* content, if there is one, is given away. */
void change_add(struct changes *changes, const char *path, struct content *content);
void change_add_on_the_way(struct changes *changes, const char *path, struct content *content);
void change_clear(struct changes *changes);

#endif
