// SPDX-License-Identifier: BSD-2-Clause
/*
 * Bytes that wait: what a client has sent in part, what it has not read yet, a record of the journal.
 *
 * Interface: buffer_reserve, buffer_added, buffer_add, buffer_take, buffer_free, buffer_length, buffer_data.
 * What is odd: an empty buffer gives back what it had beyond a page.
 */
#include "buffer.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define KEPT 4096

char *buffer_reserve(struct buffer *buffer, size_t bytes)
{
	size_t length = buffer_length(buffer);

	if (buffer->room - buffer->end >= bytes)
		return buffer->data + buffer->end;
	if (buffer->start) {
		memmove(buffer->data, buffer->data + buffer->start, length);
		buffer->start = 0;
		buffer->end = length;
	}
	if (buffer->room - length < bytes) {
		buffer->room = (length + bytes) * 2;
		buffer->data = memory_grow(buffer->data, buffer->room);
	}
	return buffer->data + buffer->end;
}

void buffer_added(struct buffer *buffer, size_t bytes)
{
	buffer->end += bytes;
}

void buffer_add(struct buffer *buffer, const void *data, size_t bytes)
{
	if (!bytes)
		return;
	memcpy(buffer_reserve(buffer, bytes), data, bytes);
	buffer->end += bytes;
}

void buffer_take(struct buffer *buffer, size_t bytes)
{
	buffer->start += bytes;
	if (buffer->start < buffer->end)
		return;
	buffer->start = 0;
	buffer->end = 0;
	if (buffer->room > KEPT)
		buffer_free(buffer);
}

void buffer_free(struct buffer *buffer)
{
	free(buffer->data);
	memset(buffer, 0, sizeof(*buffer));
}
