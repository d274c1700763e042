// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a node holds: a value, permissions, and who wrote them.
 *
 * Interface: content_new, content_get, content_put, content_owner.
 * Locks: none, one thread uses a store.
 */
#include "content.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

struct content *content_new(const struct permission *list, size_t count, const char *value,
			    size_t length, uint16_t writer)
{
	size_t bytes = count * sizeof(*list);
	struct content *content = memory_alloc(sizeof(*content) + bytes + length);
	char *text = (char *)content->permission + bytes;

	memcpy(content->permission, list, bytes);
	if (length)
		memcpy(text, value, length);
	content->references = 1;
	content->writer = writer;
	content->permissions = (uint16_t)count;
	content->length = (uint32_t)length;
	content->value = text;
	return content;
}

void content_put(struct content *content)
{
	if (content && --content->references == 0)
		free(content);
}
