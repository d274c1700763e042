/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_BUFFER_H
#define STORE_BUFFER_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that are added at the end and taken from the start. All zero is an empty one. */
struct buffer {
	char *data;
	size_t start;
	size_t end;
	size_t room;
};

/* Room for that many bytes at the end, which buffer_added() then takes into the buffer. */
char *buffer_reserve(struct buffer *buffer, size_t bytes);
void buffer_added(struct buffer *buffer, size_t bytes);
void buffer_add(struct buffer *buffer, const void *data, size_t bytes);
void buffer_take(struct buffer *buffer, size_t bytes);
void buffer_free(struct buffer *buffer);

static inline size_t buffer_length(const struct buffer *buffer)
{
	return buffer->end - buffer->start;
}

static inline const char *buffer_data(const struct buffer *buffer)
{
	return buffer->data + buffer->start;
}

#endif
