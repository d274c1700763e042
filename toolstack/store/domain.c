// SPDX-License-Identifier: BSD-2-Clause
/*
 * Domains come and go.
 *
 * Interface: domain_introduce, domain_release, domain_is_introduced, domain_set_target; domain_restore,
 * domain_forget for the journal.
 * What is odd: numbers of domains are used again, so releasing one takes it out of every permission, ends every
 * transaction (which could bring one back) and removes the nodes that it owned, and its folder if it may look there.
 * What names it is found by the bits that nodes have of their domains, not by looking at every node.
 */
#include "domain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "journal.h"

bool domain_is_introduced(struct store *store, uint16_t domain)
{
	const struct account *account = quota_find(&store->quota, domain);

	return account && account->introduced;
}

void domain_restore(struct store *store, uint16_t domain, uint64_t frame, uint32_t port)
{
	struct account *account = quota_account(&store->quota, domain);

	account->introduced = true;
	account->frame = frame;
	account->port = port;
}

void domain_forget(struct store *store, uint16_t domain)
{
	struct account *account = quota_account(&store->quota, domain);

	account->introduced = false;
	account->target = PERMISSION_NOBODY;
	account->spoiled = 0;
	account->spoiled_since = 0;
	/* Nobody acts for it any more. */
	account->life++;
}

/* What has to change for a domain to be named nowhere. */
struct cleaning {
	uint16_t domain;
	struct changes changes;
	char home[32];
	char removed[PATH_SIZE]; /* the last that goes as a whole, with a slash */
};

static struct content *without(const struct content *old, uint16_t domain)
{
	static const struct permission control = { .domain = 0, .access = 0 };
	struct content *content = content_new(old->permission, old->permissions, old->value,
					      old->length, old->writer);
	uint16_t kept = 1;

	if (content_owner(old) == domain)
		content->permission[0] = control;
	for (uint16_t i = 1; i < old->permissions; i++) {
		if (old->permission[i].domain != domain)
			content->permission[kept++] = old->permission[i];
	}
	content->permissions = kept;
	return content;
}

static bool names(const struct content *content, uint16_t domain)
{
	for (size_t i = 0; i < content->permissions; i++) {
		if (content->permission[i].domain == domain)
			return true;
	}
	return false;
}

static bool clean_one(void *argument, const char *path, struct node *node)
{
	struct cleaning *cleaning = argument;
	char folder[PATH_SIZE];

	if (cleaning->removed[0] &&
	    strncmp(path, cleaning->removed, strlen(cleaning->removed)) == 0)
		return true;
	if ((content_owner(node->content) == cleaning->domain || !strcmp(path, cleaning->home)) &&
	    path_parent(folder, path)) {
		change_add(&cleaning->changes, path, NULL);
		/* The slash takes the place that the zero has in the longest path. */
		strcpy(cleaning->removed, path);
		if (strlen(path) < WIRE_PATH_MAX)
			strcat(cleaning->removed, "/");
	} else if (names(node->content, cleaning->domain)) {
		change_add(&cleaning->changes, path, without(node->content, cleaning->domain));
	}
	return true;
}

static int clean(struct store *store, uint16_t domain)
{
	static const char *const tops[] = { "/", PATH_INTRODUCED, PATH_RELEASED };
	struct cleaning cleaning = { .domain = domain };
	int error;

	snprintf(cleaning.home, sizeof(cleaning.home), "/local/domain/%u", domain);
	for (size_t i = 0; i < 3; i++)
		tree_walk(tree_find(store->top, tops[i]), tops[i], node_domain_bit(domain),
			  clean_one, &cleaning);
	error = store_commit(store, 0, &cleaning.changes);
	change_clear(&cleaning.changes);
	return error;
}

static void end_sessions(struct store *store, uint16_t domain)
{
	struct session *next, *session = TAILQ_FIRST(&store->sessions);

	for (; session; session = next) {
		next = TAILQ_NEXT(session, in_store);
		if (session->domain == domain && session->ended)
			session->ended(session);
	}
}

int domain_release(struct store *store, uint16_t domain)
{
	struct transaction *transaction;
	int error;

	if (!domain)
		return EINVAL;
	if (!domain_is_introduced(store, domain))
		return ENOENT;
	error = clean(store, domain);
	if (!error)
		error = journal_release(store->journal, domain);
	if (error)
		return error;
	while ((transaction = TAILQ_FIRST(&store->transactions)))
		transaction_spoil(transaction);
	end_sessions(store, domain);
	if (store->rings)
		store->rings->detach(store, domain);
	domain_forget(store, domain);
	store_announce(store, PATH_RELEASED);
	return 0;
}

static int introduce(struct store *store, uint16_t domain, uint64_t frame, uint32_t port)
{
	int error = journal_introduce(store->journal, domain, frame, port);

	if (error)
		return error;
	domain_restore(store, domain, frame, port);
	store_announce(store, PATH_INTRODUCED);
	return 0;
}

/* One of the hypervisor's, for which the store makes a port. Whoever had that number before is no more. */
static int introduce_own(struct store *store, uint16_t domain)
{
	uint64_t serial = store->rings->serial(store, domain);
	int error = serial ? 0 : ENOENT;

	if (!error && domain_is_introduced(store, domain))
		error = domain_release(store, domain);
	if (!error)
		error = introduce(store, domain, serial, 0);
	if (error)
		return error;
	error = store->rings->attach(store, domain);
	if (error)
		domain_release(store, domain);
	return error;
}

int domain_introduce(struct store *store, uint16_t domain, uint64_t frame, uint32_t port)
{
	if (!domain)
		return EINVAL;
	return store->rings && !port ? introduce_own(store, domain)
				     : introduce(store, domain, frame, port);
}

int domain_set_target(struct store *store, uint16_t domain, uint16_t target)
{
	int error;

	if (!domain || !target || !domain_is_introduced(store, domain) ||
	    !domain_is_introduced(store, target))
		return ENOENT;
	error = journal_target(store->journal, domain, target);
	if (!error)
		quota_set_target(&store->quota, domain, target);
	return error;
}
