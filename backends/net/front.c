// SPDX-License-Identifier: BSD-2-Clause
/* The keys of an interface's front end: what it accepts, and for each queue two rings and a pool. */
#include "backends/net/front.h"
#include "backends/net/message.h"

static const char *front_read_queue(struct rfstore *store, const char *folder, uint32_t number,
				    void *connect)
{
	struct message_queue *queue = &((struct message_connect *)connect)->queue[number];

	if (!front_port(store, folder, "port", &queue->port))
		return "port";
	if (!front_slots(store, folder, "transmit-slots", &queue->transmit_slots))
		return "transmit-slots";
	if (!front_slots(store, folder, "receive-slots", &queue->receive_slots))
		return "receive-slots";
	if (!front_grant(store, folder, "transmit-grant", &queue->transmit_grant))
		return "transmit-grant";
	if (!front_grant(store, folder, "receive-grant", &queue->receive_grant))
		return "receive-grant";
	if (!front_grant(store, folder, "pool-grant", &queue->pool_grant))
		return "pool-grant";
	if (!front_number(store, folder, "pool-frames", 1, RF_NET_POOL_MAX, &queue->pool_frames))
		return "pool-frames";
	return NULL;
}

/* What it says nothing about it does not accept. */
static void front_read_accepts(struct rfstore *store, const char *folder, uint32_t queues,
			       void *connect)
{
	struct message_connect *accepts = connect;

	accepts->queues = queues;
	front_number(store, folder, "accept-checksum", 0, 1, &accepts->checksum);
	if (!accepts->checksum)
		return;
	front_number(store, folder, "accept-tcp4", 0, 1, &accepts->tcp4);
	front_number(store, folder, "accept-tcp6", 0, 1, &accepts->tcp6);
}

const struct front_class front_interface = {
	.version = RF_NET_VERSION,
	.queues_max = RF_NET_QUEUES_MAX,
	.read = front_read_accepts,
	.read_queue = front_read_queue,
};
