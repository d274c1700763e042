/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_TRANSACTION_H
#define STORE_TRANSACTION_H

#include <stdbool.h>
#include <sys/queue.h>

#include "change.h"

struct session;

/* What a transaction has seen of a path, and so must still be so when it is committed. */
#define TRANSACTION_CONTENT 1 /* whether it is there, its value and permissions */
#define TRANSACTION_LISTING 2 /* the names in it */

struct transaction_path;
LIST_HEAD(transaction_bucket, transaction_path);

struct transaction {
	struct session *session;
	uint32_t id;
	uint64_t started;  /* commits before it */
	bool stale;	   /* it will fail */
	struct node *base; /* the tree when it started */
	struct node *now;  /* with its own changes */
	struct changes changes;
	struct transaction_bucket *paths;
	size_t path_buckets;
	size_t path_count;
	int64_t nodes; /* that its domain will have more */
	uint64_t bytes;
	TAILQ_ENTRY(transaction) in_session;
	TAILQ_ENTRY(transaction) in_store;
};

TAILQ_HEAD(transaction_list, transaction);

int transaction_start(struct session *session, uint32_t *id);

/* NULL if the session has none of that number. */
struct transaction *transaction_find(const struct session *session, uint32_t id);

/* Commits, or only ends it. EAGAIN: others have changed what it saw. */
int transaction_end(struct transaction *transaction, bool commit);
void transaction_end_all(struct session *session);

/* It depends on that (TRANSACTION_...) of that path. ENOSPC if that is too much, EAGAIN if it will fail anyway. */
int transaction_depend(struct transaction *transaction, const char *path, unsigned int what);

/* Does these changes to its tree, and keeps them for the commit. They are given away. */
int transaction_change(struct transaction *transaction, struct changes *changes, int64_t nodes);

/* It will fail; what it has is given back now. */
void transaction_spoil(struct transaction *transaction);

#endif
