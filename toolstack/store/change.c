// SPDX-License-Identifier: BSD-2-Clause
/*
 * Lists of changes: what a transaction keeps, what is committed and goes into the journal as one.
 *
 * Interface: change_add, change_add_on_the_way, change_clear.
 */
#include "change.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

void change_add(struct changes *changes, const char *path, struct content *content)
{
	if (changes->count == changes->room) {
		changes->room = changes->room * 2 + 4;
		changes->list = memory_grow(changes->list, changes->room * sizeof(*changes->list));
	}
	changes->list[changes->count].path = memory_string(path);
	changes->list[changes->count].content = content;
	changes->list[changes->count].on_the_way = false;
	changes->count++;
}

void change_add_on_the_way(struct changes *changes, const char *path, struct content *content)
{
	change_add(changes, path, content);
	changes->list[changes->count - 1].on_the_way = true;
}

void change_clear(struct changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		free(changes->list[i].path);
		content_put(changes->list[i].content);
	}
	free(changes->list);
	memset(changes, 0, sizeof(*changes));
}
