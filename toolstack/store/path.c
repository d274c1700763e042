// SPDX-License-Identifier: BSD-2-Clause
/*
 * Paths: which are allowed, which folder one is in, which names it is made of.
 *
 * Interface: path_resolve, path_is_special, path_depth, path_parent, path_next.
 * What is odd: the tree has an invisible top, in which the root is called "" and the special nodes stand
 * beside it, so that no code but this knows that they are special.
 */
#include "path.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool path_is_allowed(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("-/_@", c));
}

/* Absolute, of allowed characters, no name empty. */
static bool path_is_valid(const char *path)
{
	size_t length = strlen(path);

	if (length > WIRE_PATH_MAX || (length > 1 && path[length - 1] == '/') || strstr(path, "//"))
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!path_is_allowed(path[i]))
			return false;
	}
	return true;
}

int path_resolve(char out[PATH_SIZE], const char *given, unsigned int domain, bool special,
		 size_t *prefix)
{
	size_t length = strlen(given);
	int start = 0;

	if (!length || (given[0] == '@' && (!special || strchr(given, '/'))))
		return EINVAL;
	if (given[0] != '/' && given[0] != '@') {
		if (length > WIRE_RELATIVE_MAX)
			return EINVAL;
		start = snprintf(out, PATH_SIZE, "/local/domain/%u/", domain);
	}
	if (length > (size_t)WIRE_PATH_MAX - (size_t)start)
		return EINVAL;
	memcpy(out + start, given, length + 1);
	if (prefix)
		*prefix = (size_t)start;
	return path_is_valid(out) ? 0 : EINVAL;
}

bool path_is_special(const char *path)
{
	return strcmp(path, PATH_INTRODUCED) == 0 || strcmp(path, PATH_RELEASED) == 0;
}

size_t path_depth(const char *path)
{
	size_t depth = 0;

	for (; *path; path++)
		depth += path[0] == '/' && path[1];
	return depth;
}

bool path_parent(char out[PATH_SIZE], const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t length;

	if (!slash || path[1] == 0)
		return false;
	length = slash == path ? 1 : (size_t)(slash - path);
	memmove(out, path, length);
	out[length] = 0;
	return true;
}

const char *path_next(const char **cursor, size_t *length)
{
	const char *name = *cursor;

	if (!name)
		return NULL;
	*length = strcspn(name, "/");
	*cursor = name[*length] && name[*length + 1] ? name + *length + 1 : NULL;
	return name;
}
