// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a client can do with nodes: checked completely, then done, to the store or to a transaction's own tree.
 *
 * Interface: operation_read, operation_list, operation_get_permissions, operation_write, operation_mkdir,
 * operation_remove, operation_set_permissions.
 * What is odd: whoever may not use the folder that a missing node would be in is told EACCES, not ENOENT, so that
 * nobody learns names that are hidden. Nodes made on the way to a node have its folder's permissions.
 */
#include "operation.h"

#include <errno.h>
#include <string.h>

static struct store *store_of(const struct view *view)
{
	return view->session->store;
}

static struct node *top_of(const struct view *view)
{
	return view->transaction ? view->transaction->now : store_of(view)->top;
}

static int depend(const struct view *view, const char *path, unsigned int what)
{
	return view->transaction ? transaction_depend(view->transaction, path, what) : 0;
}

static int allowed(const struct view *view, const struct node *node, unsigned int wanted)
{
	unsigned int access = node ? store_access(store_of(view), view->session, node->content) : 0;

	return (access & wanted) == wanted ? 0 : EACCES;
}

/* The node, if it is there and may be used so; otherwise why not. */
static int find(const struct view *view, const char *path, unsigned int wanted, unsigned int what,
		struct node **node)
{
	char folder[PATH_SIZE];
	int error = depend(view, path, what);
	struct node *deepest;

	if (error)
		return error;
	*node = tree_find(top_of(view), path);
	if (*node)
		return allowed(view, *node, wanted);
	deepest = tree_find_deepest(top_of(view), path, folder);
	error = depend(view, folder, TRANSACTION_CONTENT);
	if (!error)
		error = allowed(view, deepest, wanted);
	return error ? error : ENOENT;
}

int operation_read(const struct view *view, const char *path, const struct content **content)
{
	struct node *node;
	int error = find(view, path, PERMISSION_READ, TRANSACTION_CONTENT, &node);

	if (!error)
		*content = node->content;
	return error;
}

int operation_get_permissions(const struct view *view, const char *path,
			      const struct content **content)
{
	return operation_read(view, path, content);
}

int operation_list(const struct view *view, const char *path, const struct node **out)
{
	struct node *node;
	int error =
		find(view, path, PERMISSION_READ, TRANSACTION_CONTENT | TRANSACTION_LISTING, &node);

	if (!error)
		*out = node;
	return error;
}

/* What the changes would cost the session's domain, whose nodes they would be. */
static int within_quota(const struct view *view, const struct changes *changes, int64_t nodes)
{
	struct quota *quota = &store_of(view)->quota;
	int64_t in_transaction = view->transaction ? view->transaction->nodes : 0;
	int64_t bytes = 0;

	if (!view->session->domain)
		return 0;
	for (size_t i = 0; i < changes->count; i++) {
		const struct content *content = changes->list[i].content;

		if (!content)
			continue;
		if (content->length > quota->limits.value ||
		    path_depth(changes->list[i].path) > quota->limits.depth)
			return ENOSPC;
		bytes += (int64_t)quota_node_bytes(content, 0);
	}
	if (nodes > 0)
		nodes += in_transaction;
	return quota_allows(quota, view->session->domain, nodes, bytes) ? 0 : ENOSPC;
}

/* Does the changes, which are given away. */
static int perform(const struct view *view, struct changes *changes, int64_t nodes)
{
	int error = within_quota(view, changes, nodes);

	if (!error && view->transaction)
		return transaction_change(view->transaction, changes, nodes);
	if (!error)
		error = store_commit(store_of(view), view->session->domain, changes);
	change_clear(changes);
	return error;
}

/* Content for a new node in that folder: its permissions, but owned by who makes it. */
static struct content *new_content(const struct view *view, const struct node *folder,
				   const char *value, size_t length)
{
	const struct content *like = folder->content;
	uint16_t domain = view->session->domain;
	struct content *content =
		content_new(like->permission, like->permissions, value, length, domain);

	if (domain)
		content->permission[0].domain = domain;
	return content;
}

/* The paths on the way from a folder that is there down to a path, and last the path itself. */
static int64_t add_missing(const struct view *view, struct changes *changes, const char *path,
			   const char *folder, const struct node *node)
{
	size_t at = strcmp(folder, "/") == 0 ? 0 : strlen(folder);
	char part[PATH_SIZE];

	strcpy(part, path);
	for (char *slash = strchr(part + at + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		change_add_on_the_way(changes, part, new_content(view, node, NULL, 0));
		*slash = '/';
	}
	return (int64_t)changes->count + 1;
}

static int create(const struct view *view, const char *path, const char *value, size_t length)
{
	struct changes changes = { .count = 0 };
	char folder[PATH_SIZE];
	struct node *node = tree_find_deepest(top_of(view), path, folder);
	int64_t count;
	int error = depend(view, folder, TRANSACTION_CONTENT);

	if (!error)
		error = node ? allowed(view, node, PERMISSION_WRITE) : EINVAL;
	if (error)
		return error;
	count = add_missing(view, &changes, path, folder, node);
	change_add(&changes, path, new_content(view, node, value, length));
	return perform(view, &changes, count);
}

/* The same node with other content. */
static int replace(const struct view *view, const char *path, const struct permission *list,
		   size_t count, const char *value, size_t length)
{
	struct changes changes = { .count = 0 };

	change_add(&changes, path, content_new(list, count, value, length, view->session->domain));
	return perform(view, &changes, 0);
}

int operation_write(const struct view *view, const char *path, const char *value, size_t length)
{
	struct node *node;
	int error = find(view, path, PERMISSION_WRITE, TRANSACTION_CONTENT, &node);

	if (error == ENOENT)
		return create(view, path, value, length);
	if (error)
		return error;
	return replace(view, path, node->content->permission, node->content->permissions, value,
		       length);
}

int operation_mkdir(const struct view *view, const char *path)
{
	struct node *node;
	int error = find(view, path, PERMISSION_WRITE, TRANSACTION_CONTENT, &node);

	return error == ENOENT ? create(view, path, NULL, 0) : error;
}

/* How many nodes of the session's own domain a removal takes away. */
struct own_nodes {
	uint16_t domain;
	int64_t count;
};

static bool count_own(void *argument, const char *path, struct node *node)
{
	struct own_nodes *own = argument;

	(void)path;
	own->count += content_owner(node->content) == own->domain;
	return true;
}

static int remove_node(const struct view *view, const char *path, struct node *node)
{
	struct own_nodes own = { view->session->domain, 0 };
	struct changes changes = { .count = 0 };

	/* Only a transaction counts for itself what its commit will. */
	if (view->transaction && own.domain)
		tree_walk(node, path, node_domain_bit(own.domain), count_own, &own);
	change_add(&changes, path, NULL);
	return perform(view, &changes, -own.count);
}

int operation_remove(const struct view *view, const char *path)
{
	char folder[PATH_SIZE];
	struct node *node;
	int error;

	if (!path_parent(folder, path))
		return EINVAL;
	error = find(view, path, PERMISSION_WRITE, TRANSACTION_CONTENT, &node);
	if (!error)
		return remove_node(view, path, node);
	/* What is not there is gone, if its folder is there. */
	return error == ENOENT && tree_find(top_of(view), folder) ? 0 : error;
}

int operation_set_permissions(const struct view *view, const char *path,
			      const struct permission *list, size_t count)
{
	uint16_t domain = view->session->domain;
	const struct content *old;
	struct node *node;
	int error =
		find(view, path, PERMISSION_OWNER | PERMISSION_WRITE, TRANSACTION_CONTENT, &node);

	if (error)
		return error;
	old = node->content;
	/* Only domain 0 gives nodes away: they count for their owner. */
	if (domain && content_owner(old) != list[0].domain)
		return EPERM;
	if (domain && count > store_of(view)->quota.limits.permissions)
		return ENOSPC;
	return replace(view, path, list, count, old->value, old->length);
}
