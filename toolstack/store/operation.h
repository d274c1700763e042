/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_OPERATION_H
#define STORE_OPERATION_H

#include "store.h"

/* Who does it, and in which transaction (NULL: in none). Paths are absolute and valid. 0 or an error number. */
struct view {
	struct session *session;
	struct transaction *transaction;
};

/* Good until the next change. */
int operation_read(const struct view *view, const char *path, const struct content **content);
int operation_list(const struct view *view, const char *path, const struct node **node);
int operation_get_permissions(const struct view *view, const char *path,
			      const struct content **content);

int operation_write(const struct view *view, const char *path, const char *value, size_t length);
int operation_mkdir(const struct view *view, const char *path);
int operation_remove(const struct view *view, const char *path);
int operation_set_permissions(const struct view *view, const char *path,
			      const struct permission *list, size_t count);

#endif
