/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "change.h"
#include "quota.h"
#include "session.h"
#include "tree.h"

struct journal;

struct store;

/* The hypervisor's domains, by whoever has their rings. */
struct store_rings {
	/* What tells the domain from all others that have or had its number; 0: there is none of that number. */
	uint64_t (*serial)(struct store *store, uint16_t domain);
	/* It may connect from now on. 0 or an error number. */
	int (*attach)(struct store *store, uint16_t domain);
	/* It may not any more. What was connected is a session, and ends as such. */
	void (*detach)(struct store *store, uint16_t domain);
};

/* A store: the tree, who has what in it, who watches it. */
struct store {
	struct node *top;
	uint64_t generation;
	uint64_t commits;
	uint64_t now; /* milliseconds, by whoever runs the store */
	uint32_t last_transaction;
	struct quota quota;
	struct watch_table watches;
	struct session_list sessions;
	struct transaction_list
		transactions;		 /* that are not stale, of all sessions, the oldest first */
	struct journal *journal;	 /* NULL: nothing is kept */
	const struct store_rings *rings; /* NULL: there are no domains but in name */
	int (*upgrade)(struct store *store, const char *program); /* by whoever runs the store */
};

/* Empty but for the root and the special nodes, which only domain 0 may use. */
void store_init(struct store *store);

/* Sessions must have ended. */
void store_free(struct store *store);

/* Does all changes: to the tree, what is counted, the journal, and tells those who watch. 0, or nothing is done. */
int store_commit(struct store *store, uint16_t writer, const struct changes *changes);

/* Does a change that the journal has: no more than the tree and what is counted. False if it cannot be. */
bool store_restore(struct store *store, const char *path, struct content *content);

/* What the session may do with a node. */
unsigned int store_access(const struct store *store, const struct session *session,
			  const struct content *content);

/* A special node's event. */
void store_announce(struct store *store, const char *special);

#endif
