// SPDX-License-Identifier: BSD-2-Clause
/*
 * Transactions: a tree of one's own, from the time of the start, and at the end all changes at once or none.
 *
 * Interface: transaction_start, transaction_find, transaction_end, transaction_end_all, transaction_depend,
 * transaction_change, transaction_spoil.
 * What is odd: nothing is copied, since trees do not change; a tree of long ago only keeps memory from being freed.
 * Conflicts are found by comparing what was seen in the first tree with what the store has now, path by path, by
 * address: equal content is the same content. Two that make different nodes in one folder do not conflict, and a
 * removal does not with what others change below it.
 */
#include "transaction.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "store.h"
#include "tree.h"

struct transaction_path {
	LIST_ENTRY(transaction_path) in_bucket;
	uint64_t hash;
	unsigned int what;
	char path[];
};

int transaction_start(struct session *session, uint32_t *id)
{
	struct store *store = session->store;
	struct account *account = quota_account(&store->quota, session->domain);
	struct transaction *transaction;

	if (session->domain && account->transactions >= store->quota.limits.transactions)
		return ENOSPC;
	do {
		*id = ++store->last_transaction;
	} while (!*id || transaction_find(session, *id));
	transaction = memory_zero(sizeof(*transaction));
	transaction->session = session;
	transaction->id = *id;
	transaction->started = store->commits;
	transaction->base = node_get(store->top);
	transaction->now = node_get(store->top);
	account->transactions++;
	TAILQ_INSERT_TAIL(&session->transactions, transaction, in_session);
	TAILQ_INSERT_TAIL(&store->transactions, transaction, in_store);
	return 0;
}

struct transaction *transaction_find(const struct session *session, uint32_t id)
{
	struct transaction *transaction;

	TAILQ_FOREACH(transaction, &session->transactions, in_session) {
		if (transaction->id == id)
			return transaction;
	}
	return NULL;
}

static void free_paths(struct transaction *transaction)
{
	struct transaction_path *path;

	for (size_t i = 0; i < transaction->path_buckets; i++) {
		while ((path = LIST_FIRST(&transaction->paths[i]))) {
			LIST_REMOVE(path, in_bucket);
			free(path);
		}
	}
	free(transaction->paths);
	transaction->paths = NULL;
	transaction->path_buckets = 0;
	transaction->path_count = 0;
}

static struct account *account_of(const struct transaction *transaction)
{
	return quota_account(&transaction->session->store->quota, transaction->session->domain);
}

void transaction_spoil(struct transaction *transaction)
{
	if (!transaction->stale)
		TAILQ_REMOVE(&transaction->session->store->transactions, transaction, in_store);
	transaction->stale = true;
	node_put(transaction->base);
	node_put(transaction->now);
	transaction->base = NULL;
	transaction->now = NULL;
	change_clear(&transaction->changes);
	free_paths(transaction);
	account_of(transaction)->bytes -= transaction->bytes;
	transaction->bytes = 0;
	transaction->nodes = 0;
}

static void end(struct transaction *transaction)
{
	transaction_spoil(transaction);
	account_of(transaction)->transactions--;
	TAILQ_REMOVE(&transaction->session->transactions, transaction, in_session);
	free(transaction);
}

void transaction_end_all(struct session *session)
{
	struct transaction *transaction;

	while ((transaction = TAILQ_FIRST(&session->transactions)))
		end(transaction);
}

static uint64_t hash_of(const char *path)
{
	uint64_t hash = 0xcbf29ce484222325UL;

	while (*path)
		hash = (hash ^ (unsigned char)*path++) * 0x100000001b3UL;
	return hash ^ hash >> 29;
}

static struct transaction_path *find_path(const struct transaction *transaction, const char *path,
					  uint64_t hash)
{
	struct transaction_path *found;

	if (!transaction->path_buckets)
		return NULL;
	LIST_FOREACH(found, &transaction->paths[hash & (transaction->path_buckets - 1)],
		     in_bucket) {
		if (found->hash == hash && strcmp(found->path, path) == 0)
			return found;
	}
	return NULL;
}

static void grow_paths(struct transaction *transaction)
{
	struct transaction_bucket *old = transaction->paths;
	size_t size = transaction->path_buckets;
	size_t grown = size ? size * 2 : 16;
	struct transaction_path *path;

	transaction->paths = memory_zero(grown * sizeof(*old));
	transaction->path_buckets = grown;
	for (size_t i = 0; i < size; i++) {
		while ((path = LIST_FIRST(&old[i]))) {
			LIST_REMOVE(path, in_bucket);
			LIST_INSERT_HEAD(&transaction->paths[path->hash & (grown - 1)], path,
					 in_bucket);
		}
	}
	free(old);
}

/* May it keep so many bytes more? They are counted as its domain's. */
static bool charge(struct transaction *transaction, uint64_t bytes)
{
	if (!quota_allows(&transaction->session->store->quota, transaction->session->domain, 0,
			  (int64_t)bytes))
		return false;
	transaction->bytes += bytes;
	account_of(transaction)->bytes += bytes;
	return true;
}

static int add_path(struct transaction *transaction, const char *path, uint64_t hash,
		    unsigned int what)
{
	const struct quota_limits *limits = &transaction->session->store->quota.limits;
	size_t size = sizeof(struct transaction_path) + strlen(path) + 1;
	struct transaction_path *added;

	if ((transaction->session->domain &&
	     transaction->path_count >= limits->transaction_paths) ||
	    !charge(transaction, size))
		return ENOSPC;
	if (transaction->path_count == transaction->path_buckets)
		grow_paths(transaction);
	added = memory_alloc(size);
	added->hash = hash;
	added->what = what;
	strcpy(added->path, path);
	LIST_INSERT_HEAD(&transaction->paths[hash & (transaction->path_buckets - 1)], added,
			 in_bucket);
	transaction->path_count++;
	return 0;
}

int transaction_depend(struct transaction *transaction, const char *path, unsigned int what)
{
	uint64_t hash = hash_of(path);
	struct transaction_path *known;

	if (transaction->stale)
		return EAGAIN;
	known = find_path(transaction, path, hash);
	if (!known)
		return add_path(transaction, path, hash, what);
	known->what |= what;
	return 0;
}

/* Does one change to its tree, and takes it over. */
static void change(struct transaction *transaction, struct change *change)
{
	struct store *store = transaction->session->store;
	struct tree_mark mark = { ++store->generation, transaction->session->domain };
	struct node *old = transaction->now;

	transaction->now = change->content ? tree_set(old, change->path, change->content, mark)
					   : tree_remove(old, change->path, mark);
	node_put(old);
	change_add(&transaction->changes, change->path,
		   change->content ? content_get(change->content) : NULL);
	transaction->changes.list[transaction->changes.count - 1].on_the_way = change->on_the_way;
}

static uint64_t cost(const struct changes *changes)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < changes->count; i++) {
		const struct change *change = &changes->list[i];

		bytes += sizeof(*change) + strlen(change->path) + 1;
		if (change->content)
			bytes += quota_node_bytes(change->content, 0);
	}
	return bytes;
}

int transaction_change(struct transaction *transaction, struct changes *changes, int64_t nodes)
{
	int error = charge(transaction, cost(changes)) ? 0 : ENOSPC;

	for (size_t i = 0; i < changes->count && !error; i++)
		change(transaction, &changes->list[i]);
	if (!error)
		transaction->nodes += nodes;
	change_clear(changes);
	return error;
}

/* Who made or removed the path last: who changed its folder, or the deepest that is still there. */
static uint16_t folder_writer(struct node *top, const char *path)
{
	char folder[PATH_SIZE], deepest[PATH_SIZE];

	if (!path_parent(folder, path))
		return 0;
	return tree_find_deepest(top, folder, deepest)->listing_writer;
}

/* Is that as it was? If not, *culprit is who changed it. */
static bool unchanged(const struct transaction *transaction, const struct transaction_path *path,
		      uint16_t *culprit)
{
	struct node *top = transaction->session->store->top;
	const struct node *before = tree_find(transaction->base, path->path);
	const struct node *now = tree_find(top, path->path);

	if (!before && !now)
		return true;
	if (!before || !now) {
		*culprit = folder_writer(top, path->path);
		return false;
	}
	*culprit = now->content->writer;
	if ((path->what & TRANSACTION_CONTENT) && before->content != now->content)
		return false;
	*culprit = now->listing_writer;
	return !(path->what & TRANSACTION_LISTING) || before->listing == now->listing;
}

static bool all_unchanged(const struct transaction *transaction, uint16_t *culprit)
{
	const struct transaction_path *path;

	if (transaction->base == transaction->session->store->top)
		return true;
	for (size_t i = 0; i < transaction->path_buckets; i++) {
		LIST_FOREACH(path, &transaction->paths[i], in_bucket) {
			if (!unchanged(transaction, path, culprit))
				return false;
		}
	}
	return true;
}

static int commit(struct transaction *transaction)
{
	struct session *session = transaction->session;
	struct store *store = session->store;
	uint16_t culprit = 0;

	if (transaction->stale)
		return EAGAIN;
	if (!all_unchanged(transaction, &culprit)) {
		if (culprit != session->domain)
			quota_spoiled(&store->quota, culprit, store->now);
		return EAGAIN;
	}
	/* Bytes are counted as the domain's already, those of the changes. */
	if (!quota_allows(&store->quota, session->domain, transaction->nodes, 0))
		return ENOSPC;
	return store_commit(store, session->domain, &transaction->changes);
}

int transaction_end(struct transaction *transaction, bool wanted)
{
	int error = wanted ? commit(transaction) : 0;

	end(transaction);
	return error;
}
