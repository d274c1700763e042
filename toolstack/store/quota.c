// SPDX-License-Identifier: BSD-2-Clause
/*
 * What each domain has in the store, and how much it may have.
 *
 * Interface: quota_init, quota_free, quota_account, quota_find, quota_target, quota_set_target;
 * quota_node_bytes, quota_add_node, quota_remove_node, quota_allows; quota_spoiled, quota_pause.
 * What is odd: nothing limits domain 0, which is who one would go to. A domain that spoils others' transactions
 * is not refused anything; its requests wait, longer and longer, so that the others get done.
 */
#include "quota.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define PAUSE_DOUBLINGS 6

const struct quota_limits quota_defaults = {
	.nodes = 1000,
	.watches = 128,
	.transactions = 10,
	.transaction_paths = 1024,
	.transaction_age = 4096,
	.depth = 64,
	.value = 2048,
	.permissions = 5,
	.bytes = 2560 << 10,
	.outstanding = 20,
	.event_bytes = 256 << 10,
	.conflict_burst = 5,
	.conflict_pause = 50,
	.conflict_forgiven = 4000,
};

void quota_init(struct quota *quota)
{
	memset(quota, 0, sizeof(*quota));
	quota->limits = quota_defaults;
}

void quota_free(struct quota *quota)
{
	for (size_t group = 0; group < QUOTA_DOMAINS / QUOTA_GROUP; group++) {
		for (size_t i = 0; i < QUOTA_GROUP && quota->groups[group]; i++)
			free(quota->groups[group][i]);
		free(quota->groups[group]);
	}
}

struct account *quota_account(struct quota *quota, uint16_t domain)
{
	struct account ***group = &quota->groups[domain / QUOTA_GROUP];
	struct account **account;

	if (!*group)
		*group = memory_zero(QUOTA_GROUP * sizeof(**group));
	account = &(*group)[domain % QUOTA_GROUP];
	if (!*account) {
		*account = memory_zero(sizeof(**account));
		(*account)->target = PERMISSION_NOBODY;
	}
	return *account;
}

const struct account *quota_find(const struct quota *quota, uint16_t domain)
{
	struct account *const *group = quota->groups[domain / QUOTA_GROUP];

	return group ? group[domain % QUOTA_GROUP] : NULL;
}

uint32_t quota_target(const struct quota *quota, uint16_t domain)
{
	const struct account *account = quota_find(quota, domain);
	const struct account *target;

	if (!account || account->target == PERMISSION_NOBODY)
		return PERMISSION_NOBODY;
	target = quota_find(quota, (uint16_t)account->target);
	return target->life == account->target_life ? account->target : PERMISSION_NOBODY;
}

void quota_set_target(struct quota *quota, uint16_t domain, uint16_t target)
{
	struct account *account = quota_account(quota, domain);

	account->target = target;
	account->target_life = quota_account(quota, target)->life;
}

uint64_t quota_node_bytes(const struct content *content, size_t name_length)
{
	return sizeof(struct node) + sizeof(struct node_name) + sizeof(*content) + name_length + 1 +
	       content->permissions * sizeof(content->permission[0]) + content->length;
}

void quota_add_node(struct quota *quota, const struct content *content, size_t name_length)
{
	struct account *account = quota_account(quota, content_owner(content));

	account->nodes++;
	account->bytes += quota_node_bytes(content, name_length);
}

void quota_remove_node(struct quota *quota, const struct content *content, size_t name_length)
{
	struct account *account = quota_account(quota, content_owner(content));

	account->nodes--;
	account->bytes -= quota_node_bytes(content, name_length);
}

bool quota_allows(struct quota *quota, uint16_t domain, int64_t nodes, int64_t bytes)
{
	const struct account *account = quota_account(quota, domain);

	if (domain == 0)
		return true;
	/* Whoever has too much may still have less. */
	return (nodes <= 0 || account->nodes + nodes <= quota->limits.nodes) &&
	       (bytes <= 0 || (int64_t)account->bytes + bytes <= quota->limits.bytes);
}

/* Time forgives, but not while the domain is waiting. */
static void forgive(struct quota *quota, struct account *account, uint64_t now)
{
	uint64_t forgiven;

	if (now <= account->spoiled_since)
		return;
	forgiven = (now - account->spoiled_since) / quota->limits.conflict_forgiven;
	if (forgiven >= account->spoiled) {
		account->spoiled = 0;
		account->spoiled_since = now;
		return;
	}
	account->spoiled -= (uint32_t)forgiven;
	account->spoiled_since += forgiven * quota->limits.conflict_forgiven;
}

/* Twice as long each time: so there is a pause that is long enough for whoever it disturbs, however slow that is. */
void quota_spoiled(struct quota *quota, uint16_t domain, uint64_t now)
{
	struct account *account = quota_account(quota, domain);
	uint32_t above;

	if (domain == 0)
		return;
	forgive(quota, account, now);
	account->spoiled++;
	if (account->spoiled <= quota->limits.conflict_burst)
		return;
	above = account->spoiled - quota->limits.conflict_burst - 1;
	if (above > PAUSE_DOUBLINGS) {
		above = PAUSE_DOUBLINGS;
		account->spoiled--;
	}
	account->spoiled_since = now + ((uint64_t)quota->limits.conflict_pause << above);
}

uint64_t quota_pause(struct quota *quota, uint16_t domain, uint64_t now)
{
	const struct account *account = quota_find(quota, domain);

	if (!account || account->spoiled_since <= now)
		return 0;
	return account->spoiled_since - now;
}
