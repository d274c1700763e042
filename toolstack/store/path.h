/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_PATH_H
#define STORE_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "client/wire.h"

#define PATH_SIZE	(WIRE_PATH_MAX + 1)
#define PATH_DEPTH	(WIRE_PATH_MAX / 2 + 1) /* names in a path, with the root's */
#define PATH_INTRODUCED "@introduceDomain"
#define PATH_RELEASED	"@releaseDomain"

/*
 * The absolute path that domain's client means, or EINVAL. A relative one is below the domain's own folder, whose
 * length with the slash is then in *prefix, else 0. With special, names that begin with @ are paths.
 */
int path_resolve(char out[PATH_SIZE], const char *given, unsigned int domain, bool special,
		 size_t *prefix);

/* One of the two special nodes, which have permissions. */
bool path_is_special(const char *path);

/* How many names it has, without the root's. */
size_t path_depth(const char *path);

/* The folder that a path, which may be out, is in; false for the root and for special nodes. */
bool path_parent(char out[PATH_SIZE], const char *path);

/*
 * The names on the way from the top: first one that is empty for "/...", or a special node's whole name.
 * cursor starts as the path. NULL after the last.
 */
const char *path_next(const char **cursor, size_t *length);

#endif
