/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_QUOTA_H
#define STORE_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "node.h"

#define QUOTA_DOMAINS 65536
#define QUOTA_GROUP   256

/* What a domain other than 0 may have. */
struct quota_limits {
	uint32_t nodes;
	uint32_t watches;
	uint32_t transactions;
	uint32_t transaction_paths; /* that one transaction looks at or changes */
	uint32_t transaction_age;   /* commits of others that a transaction may live through */
	uint32_t depth;		    /* names in a path that it makes or changes */
	uint32_t value;		    /* bytes of a node's */
	uint32_t permissions;	    /* of a node */
	uint32_t bytes;		    /* of nodes, watches and transactions together */
	uint32_t outstanding;	 /* replies it has not read, before no request is taken any more */
	uint32_t event_bytes;	 /* events it has not read, before they are summed up */
	uint32_t conflict_burst; /* transactions of others it may spoil at once */
	uint32_t conflict_pause; /* milliseconds it waits after the next; then twice as long each time */
	uint32_t conflict_forgiven; /* milliseconds after which one is forgotten */
};

extern const struct quota_limits quota_defaults;

/* What a domain has. */
struct account {
	uint32_t nodes;
	uint32_t watches;
	uint32_t transactions;
	uint64_t bytes;
	uint32_t spoiled;	/* transactions of others, above what time has forgiven */
	uint64_t spoiled_since; /* time forgives from then on; until then it waits */
	bool introduced;
	uint64_t frame;
	uint32_t port;
	uint32_t target; /* the domain it acts for, or PERMISSION_NOBODY */
	uint64_t target_life;
	uint64_t life; /* how often a domain of that number has gone */
};

struct quota {
	struct quota_limits limits;
	struct account **
		groups[QUOTA_DOMAINS / QUOTA_GROUP]; /* of accounts by domain; most are not there */
};

void quota_init(struct quota *quota);
void quota_free(struct quota *quota);

/* Made, if need be. */
struct account *quota_account(struct quota *quota, uint16_t domain);

/* NULL if it has nothing and never had. */
const struct account *quota_find(const struct quota *quota, uint16_t domain);

/* Whom a domain acts for, or PERMISSION_NOBODY: nor for another that has the number of one that has gone. */
uint32_t quota_target(const struct quota *quota, uint16_t domain);
void quota_set_target(struct quota *quota, uint16_t domain, uint16_t target);

/* What a node of that content and name costs its owner. */
uint64_t quota_node_bytes(const struct content *content, size_t name_length);
void quota_add_node(struct quota *quota, const struct content *content, size_t name_length);
void quota_remove_node(struct quota *quota, const struct content *content, size_t name_length);

/* May it have so many more nodes and bytes? Domain 0 may. */
bool quota_allows(struct quota *quota, uint16_t domain, int64_t nodes, int64_t bytes);

/* A transaction of another failed by that domain's doing. */
void quota_spoiled(struct quota *quota, uint16_t domain, uint64_t now);

/* Milliseconds until its requests are taken again; 0 for at once. */
uint64_t quota_pause(struct quota *quota, uint16_t domain, uint64_t now);

#endif
