// SPDX-License-Identifier: BSD-2-Clause
/*
 * A front end's keys, each read once and checked: docs/io.md has their ranges. What they lead to (grants, ports) is
 * found out by using it.
 */
#include <stdio.h>

#include "abi/event.h"
#include "abi/grant.h"
#include "abi/io/ring.h"
#include "backends/common/front.h"
#include "backends/common/keys.h"

#define GRANTS (RF_GRANT_PAGES * RF_GRANT_PAGE_ENTRIES - 1)

bool front_number(struct rfstore *store, const char *folder, const char *name, uint64_t least,
		  uint64_t most, uint32_t *value)
{
	uint64_t number;

	if (!keys_number(store, folder, name, least, most, &number))
		return false;
	*value = (uint32_t)number;
	return true;
}

bool front_port(struct rfstore *store, const char *folder, const char *name, uint32_t *value)
{
	return front_number(store, folder, name, 1, RF_EVENT_PORTS - 1, value);
}

bool front_grant(struct rfstore *store, const char *folder, const char *name, uint32_t *value)
{
	return front_number(store, folder, name, 0, GRANTS, value);
}

bool front_slots(struct rfstore *store, const char *folder, const char *name, uint32_t *value)
{
	return front_number(store, folder, name, RF_RING_SLOTS_MIN, RF_RING_SLOTS_MAX, value) &&
	       (*value & (*value - 1)) == 0;
}

static bool front_wrong(char *error, size_t size, const char *folder, const char *key)
{
	snprintf(error, size, "%s/%s is missing, no number, or out of range", folder, key);
	return false;
}

bool front_read(const struct front_class *class, struct rfstore *store, const char *folder,
		void *connect, char *error, size_t size)
{
	char path[KEYS_PATH];
	uint32_t version, queues;

	if (!front_number(store, folder, "version", class->version, class->version, &version))
		return front_wrong(error, size, folder, "version");
	if (!front_number(store, folder, "queues", 1, class->queues_max, &queues))
		return front_wrong(error, size, folder, "queues");
	class->read(store, folder, queues, connect);
	for (uint32_t i = 0; i < queues; i++) {
		const char *key;

		snprintf(path, sizeof(path), "%s/queue-%u", folder, i);
		key = class->read_queue(store, path, i, connect);
		if (key)
			return front_wrong(error, size, path, key);
	}
	return true;
}
