// SPDX-License-Identifier: BSD-2-Clause
/*
 * The store as a whole: commits, and whom to tell of them.
 *
 * Interface: store_init, store_free, store_commit, store_restore, store_access, store_announce.
 * Locks: none, one thread uses a store.
 * What is odd: an event goes only to who may read the node or the folder it is in, before or after.
 */
#include "store.h"

#include <string.h>

#include "journal.h"

static void restore_new(struct store *store, const char *path)
{
	static const struct permission control = { .domain = 0, .access = 0 };
	struct content *content = content_new(&control, 1, NULL, 0, 0);

	store_restore(store, path, content);
	content_put(content);
}

void store_init(struct store *store)
{
	memset(store, 0, sizeof(*store));
	quota_init(&store->quota);
	watch_init(&store->watches);
	TAILQ_INIT(&store->sessions);
	TAILQ_INIT(&store->transactions);
	quota_account(&store->quota, 0)->introduced = true;
	store->top = tree_new();
	restore_new(store, "/");
	restore_new(store, PATH_INTRODUCED);
	restore_new(store, PATH_RELEASED);
}

void store_free(struct store *store)
{
	node_put(store->top);
	watch_free(&store->watches);
	quota_free(&store->quota);
}

unsigned int store_access(const struct store *store, const struct session *session,
			  const struct content *content)
{
	return permission_access(content->permission, content->permissions, session->domain,
				 quota_target(&store->quota, session->domain));
}

/* What those who watch are told: what the path was, is, and is in. */
struct news {
	struct store *store;
	const char *path;
	const struct content *old;
	const struct content *new;
	const struct content *folder;
};

static bool may_read(const struct news *news, const struct session *session,
		     const struct content *content)
{
	return content && (store_access(news->store, session, content) & PERMISSION_READ);
}

static void tell(void *argument, struct watch *watch)
{
	const struct news *news = argument;
	const struct session *session = watch->session;

	if (may_read(news, session, news->old) || may_read(news, session, news->new) ||
	    may_read(news, session, news->folder))
		session_add_event(watch, news->path);
}

static const struct content *folder_content(struct store *store, const char *path)
{
	char folder[PATH_SIZE];
	const struct node *node = path_parent(folder, path) ? tree_find(store->top, folder) : NULL;

	return node ? node->content : NULL;
}

static void tell_all(struct store *store, const char *path, const struct content *old,
		     const struct content *new)
{
	struct news news = { store, path, old, new, NULL };

	if (!store->watches.count)
		return;
	news.folder = folder_content(store, path);
	watch_match(&store->watches, path, true, tell, &news);
}

/* Of a tree that is removed: what each node counts for, and watches of just that path. */
struct removal {
	struct store *store;
	const char *path;
	bool quiet;
	const struct content *folder;
};

static bool remove_one(void *argument, const char *path, struct node *node)
{
	const struct removal *removal = argument;
	struct news news = { removal->store, path, node->content, NULL, NULL };

	quota_remove_node(&removal->store->quota, node->content, node->name->length);
	if (!removal->quiet && strcmp(path, removal->path) != 0)
		watch_match(&removal->store->watches, path, false, tell, &news);
	return true;
}

static bool remove_path(struct store *store, const char *path, struct tree_mark mark, bool quiet)
{
	struct removal removal = { .store = store, .path = path, .quiet = quiet };
	struct node *old = tree_find(store->top, path);
	struct node *top = old ? tree_remove(store->top, path, mark) : NULL;

	if (!top)
		return false;
	node_get(old);
	node_put(store->top);
	store->top = top;
	tree_walk(old, path, 0, remove_one, &removal);
	if (!quiet)
		tell_all(store, path, old->content, NULL);
	node_put(old);
	return true;
}

static size_t name_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strlen(slash ? slash + 1 : path);
}

static bool set_path(struct store *store, const char *path, struct content *content,
		     struct tree_mark mark, bool quiet)
{
	struct node *node = tree_find(store->top, path);
	struct content *old = node ? content_get(node->content) : NULL;
	struct node *top = tree_set(store->top, path, content, mark);

	if (top) {
		node_put(store->top);
		store->top = top;
		if (old)
			quota_remove_node(&store->quota, old, name_length(path));
		quota_add_node(&store->quota, content, name_length(path));
		if (!quiet)
			tell_all(store, path, old, content);
	}
	content_put(old);
	return top;
}

static bool change_path(struct store *store, const char *path, struct content *content,
			uint16_t writer, bool quiet)
{
	struct tree_mark mark = { ++store->generation, writer };

	return content ? set_path(store, path, content, mark, quiet)
		       : remove_path(store, path, mark, quiet);
}

bool store_restore(struct store *store, const char *path, struct content *content)
{
	return change_path(store, path, content, 0, true);
}

/* Transactions of guests keep old trees, so they do not live for ever. */
static void spoil_old(struct store *store)
{
	struct transaction *next, *transaction = TAILQ_FIRST(&store->transactions);

	for (; transaction; transaction = next) {
		next = TAILQ_NEXT(transaction, in_store);
		if (store->commits - transaction->started <= store->quota.limits.transaction_age)
			return;
		if (transaction->session->domain)
			transaction_spoil(transaction);
	}
}

int store_commit(struct store *store, uint16_t writer, const struct changes *changes)
{
	int error;

	if (!changes->count)
		return 0;
	error = journal_changes(store->journal, changes);
	if (error)
		return error;
	for (size_t i = 0; i < changes->count; i++) {
		const struct change *change = &changes->list[i];

		change_path(store, change->path, change->content, writer, change->on_the_way);
	}
	store->commits++;
	spoil_old(store);
	return 0;
}

void store_announce(struct store *store, const char *special)
{
	const struct node *node = tree_find(store->top, special);

	tell_all(store, special, node ? node->content : NULL, NULL);
}
