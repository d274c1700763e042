/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_WATCH_H
#define STORE_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct session;

struct watch {
	struct session *session;
	char *path;    /* absolute */
	size_t prefix; /* how much of an event's path its session does not want to see */
	uint64_t hash;
	bool summed_up; /* events were too many: one for its own path stands for them */
	struct event *last;
	LIST_ENTRY(watch) in_bucket;
	TAILQ_ENTRY(watch) in_session;
	char token[];
};

LIST_HEAD(watch_bucket, watch);
TAILQ_HEAD(watch_list, watch);

/* All watches, by path. */
struct watch_table {
	struct watch_bucket *buckets;
	size_t size; /* a power of two */
	size_t count;
};

void watch_init(struct watch_table *table);
void watch_free(struct watch_table *table);

/* The session's watch of that absolute path and token, or NULL. */
struct watch *watch_find(struct watch_table *table, const struct session *session, const char *path,
			 const char *token);
struct watch *watch_add(struct watch_table *table, struct session *session, const char *path,
			size_t prefix, const char *token);
void watch_remove(struct watch_table *table, struct watch *watch);

/* Calls found for each watch of the path, and if above for each of a folder that it is in. */
typedef void watch_found(void *argument, struct watch *watch);
void watch_match(struct watch_table *table, const char *path, bool above, watch_found *found,
		 void *argument);

#endif
