// SPDX-License-Identifier: BSD-2-Clause
/*
 * All watches, found by path: whatever changes, only the watches that want to know are looked at.
 *
 * Interface: watch_init, watch_free, watch_find, watch_add, watch_remove, watch_match.
 * What is odd: the hash of a path goes through those of all its folders, so one pass over the path finds
 * the watches of each.
 */
#include "watch.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define FIRST_SIZE    64
#define HASH_START    0xcbf29ce484222325UL
#define HASH_MULTIPLY 0x100000001b3UL

static uint64_t hash_step(uint64_t hash, char c)
{
	return (hash ^ (unsigned char)c) * HASH_MULTIPLY;
}

static uint64_t hash_of(const char *path)
{
	uint64_t hash = HASH_START;

	while (*path)
		hash = hash_step(hash, *path++);
	return hash;
}

static struct watch_bucket *bucket_of(struct watch_table *table, uint64_t hash)
{
	return &table->buckets[(hash ^ hash >> 32) & (table->size - 1)];
}

static void set_size(struct watch_table *table, size_t size)
{
	struct watch_bucket *old = table->buckets;
	size_t old_size = table->size;
	struct watch *watch;

	table->buckets = memory_zero(size * sizeof(*table->buckets));
	table->size = size;
	for (size_t i = 0; i < old_size; i++) {
		while ((watch = LIST_FIRST(&old[i]))) {
			LIST_REMOVE(watch, in_bucket);
			LIST_INSERT_HEAD(bucket_of(table, watch->hash), watch, in_bucket);
		}
	}
	free(old);
}

void watch_init(struct watch_table *table)
{
	memset(table, 0, sizeof(*table));
	set_size(table, FIRST_SIZE);
}

void watch_free(struct watch_table *table)
{
	free(table->buckets);
}

struct watch *watch_find(struct watch_table *table, const struct session *session, const char *path,
			 const char *token)
{
	struct watch *watch;

	LIST_FOREACH(watch, bucket_of(table, hash_of(path)), in_bucket) {
		if (watch->session == session && strcmp(watch->path, path) == 0 &&
		    strcmp(watch->token, token) == 0)
			return watch;
	}
	return NULL;
}

struct watch *watch_add(struct watch_table *table, struct session *session, const char *path,
			size_t prefix, const char *token)
{
	size_t length = strlen(token);
	struct watch *watch = memory_zero(sizeof(*watch) + length + 1);

	if (table->count == table->size)
		set_size(table, table->size * 2);
	memcpy(watch->token, token, length + 1);
	watch->session = session;
	watch->path = memory_string(path);
	watch->prefix = prefix;
	watch->hash = hash_of(path);
	LIST_INSERT_HEAD(bucket_of(table, watch->hash), watch, in_bucket);
	table->count++;
	return watch;
}

void watch_remove(struct watch_table *table, struct watch *watch)
{
	LIST_REMOVE(watch, in_bucket);
	table->count--;
	free(watch->path);
	free(watch);
}

/* Those of a path's first bytes, whose hash that is. */
static void match_one(struct watch_table *table, const char *path, size_t length, uint64_t hash,
		      watch_found *found, void *argument)
{
	struct watch *watch;

	LIST_FOREACH(watch, bucket_of(table, hash), in_bucket) {
		if (watch->hash == hash && strncmp(watch->path, path, length) == 0 &&
		    watch->path[length] == 0)
			found(argument, watch);
	}
}

void watch_match(struct watch_table *table, const char *path, bool above, watch_found *found,
		 void *argument)
{
	uint64_t hash = HASH_START;
	size_t length = 0;

	if (!table->count)
		return;
	while (path[length]) {
		/* Before a slash, and after the first, the path of a folder ends. */
		if (above && path[0] == '/' && length && (length == 1 || path[length] == '/'))
			match_one(table, path, length, hash, found, argument);
		hash = hash_step(hash, path[length++]);
	}
	match_one(table, path, length, hash, found, argument);
}
