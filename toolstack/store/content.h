/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_CONTENT_H
#define STORE_CONTENT_H

#include <stddef.h>
#include <stdint.h>

#include "permission.h"

/* A node's value and permissions. Never changed: another takes its place. */
struct content {
	unsigned int references;
	uint16_t writer; /* the domain that wrote it */
	uint16_t permissions;
	uint32_t length;
	const char *value;
	struct permission permission[];
};

struct content *content_new(const struct permission *list, size_t count, const char *value,
			    size_t length, uint16_t writer);

static inline struct content *content_get(struct content *content)
{
	content->references++;
	return content;
}

void content_put(struct content *content);

static inline uint16_t content_owner(const struct content *content)
{
	return content->permission[0].domain;
}

#endif
