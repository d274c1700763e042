// SPDX-License-Identifier: BSD-2-Clause
/* The keys of a disk's front end: a ring for each queue, and a pool if it likes. */
#include "backends/block/front.h"
#include "backends/block/message.h"

static const char *front_read_pool(struct rfstore *store, const char *folder,
				   struct message_queue *queue)
{
	queue->pool_frames = 0;
	if (!front_grant(store, folder, "pool-grant", &queue->pool_grant))
		return NULL;
	if (!front_number(store, folder, "pool-frames", 1, RF_BLOCK_POOL_MAX, &queue->pool_frames))
		return "pool-frames";
	return NULL;
}

static const char *front_read_queue(struct rfstore *store, const char *folder, uint32_t number,
				    void *connect)
{
	struct message_queue *queue = &((struct message_connect *)connect)->queue[number];

	if (!front_port(store, folder, "port", &queue->port))
		return "port";
	if (!front_slots(store, folder, "slots", &queue->slots))
		return "slots";
	if (!front_grant(store, folder, "ring-grant", &queue->ring_grant))
		return "ring-grant";
	return front_read_pool(store, folder, queue);
}

static void front_read_disk(struct rfstore *store, const char *folder, uint32_t queues,
			    void *connect)
{
	(void)store;
	(void)folder;
	((struct message_connect *)connect)->queues = queues;
}

const struct front_class front_disk = {
	.version = RF_BLOCK_VERSION,
	.queues_max = RF_BLOCK_QUEUES_MAX,
	.read = front_read_disk,
	.read_queue = front_read_queue,
};
