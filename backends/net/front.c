// SPDX-License-Identifier: BSD-2-Clause
/*
 * A front end's keys, each read once and checked: docs/io.md has their ranges. What they lead to (grants, ports) is
 * found out by using it.
 */
#include <stdio.h>

#include "abi/event.h"
#include "abi/grant.h"
#include "backends/net/front.h"
#include "backends/common/keys.h"

#define GRANTS (RF_GRANT_PAGES * RF_GRANT_PAGE_ENTRIES - 1)

static bool front_number(struct rfstore *store, const char *folder, const char *name,
			 uint64_t least, uint64_t most, uint32_t *value)
{
	uint64_t number;

	if (!keys_number(store, folder, name, least, most, &number))
		return false;
	*value = (uint32_t)number;
	return true;
}

static bool front_slots(struct rfstore *store, const char *folder, const char *name,
			uint32_t *value)
{
	return front_number(store, folder, name, RF_RING_SLOTS_MIN, RF_RING_SLOTS_MAX, value) &&
	       (*value & (*value - 1)) == 0;
}

/* The key that is wrong, or NULL. */
static const char *front_queue(struct rfstore *store, const char *folder,
			       struct message_queue *queue)
{
	if (!front_number(store, folder, "port", 1, RF_EVENT_PORTS - 1, &queue->port))
		return "port";
	if (!front_slots(store, folder, "transmit-slots", &queue->transmit_slots))
		return "transmit-slots";
	if (!front_slots(store, folder, "receive-slots", &queue->receive_slots))
		return "receive-slots";
	if (!front_number(store, folder, "transmit-grant", 0, GRANTS, &queue->transmit_grant))
		return "transmit-grant";
	if (!front_number(store, folder, "receive-grant", 0, GRANTS, &queue->receive_grant))
		return "receive-grant";
	if (!front_number(store, folder, "pool-grant", 0, GRANTS, &queue->pool_grant))
		return "pool-grant";
	if (!front_number(store, folder, "pool-frames", 1, RF_NET_POOL_MAX, &queue->pool_frames))
		return "pool-frames";
	return NULL;
}

/* What it says nothing about it does not accept. */
static void front_accepts(struct rfstore *store, const char *folder,
			  struct message_connect *connect)
{
	connect->checksum = connect->tcp4 = connect->tcp6 = 0;
	front_number(store, folder, "accept-checksum", 0, 1, &connect->checksum);
	if (!connect->checksum)
		return;
	front_number(store, folder, "accept-tcp4", 0, 1, &connect->tcp4);
	front_number(store, folder, "accept-tcp6", 0, 1, &connect->tcp6);
}

static bool front_wrong(char *error, size_t size, const char *folder, const char *key)
{
	snprintf(error, size, "%s/%s is missing, no number, or out of range", folder, key);
	return false;
}

bool front_read(struct rfstore *store, const char *folder, struct message_connect *connect,
		char *error, size_t size)
{
	char path[KEYS_PATH];
	uint64_t version;

	if (!keys_number(store, folder, "version", RF_NET_VERSION, RF_NET_VERSION, &version))
		return front_wrong(error, size, folder, "version");
	if (!front_number(store, folder, "queues", 1, RF_NET_QUEUES_MAX, &connect->queues))
		return front_wrong(error, size, folder, "queues");
	front_accepts(store, folder, connect);
	for (uint32_t i = 0; i < connect->queues; i++) {
		const char *key;

		snprintf(path, sizeof(path), "%s/queue-%u", folder, i);
		key = front_queue(store, path, &connect->queue[i]);
		if (key)
			return front_wrong(error, size, path, key);
	}
	return true;
}
