// SPDX-License-Identifier: BSD-2-Clause
/* A queue's memory, port and turns; what goes and what comes is in transmit.c and receive.c. */
#include <stddef.h>
#include <unistd.h>

#include "backends/net/queue.h"

static void queue_event(struct loop_watch *watch)
{
	struct queue *queue = (struct queue *)((char *)watch - offsetof(struct queue, watch));
	uint64_t count;

	/* The rings are looked at in any case. */
	if (read(watch->file, &count, sizeof(count)) > 0)
		queue->interface->statistics.events_in++;
}

static const char *queue_map_ring(struct link *link, struct link_memory *memory, struct ring *ring,
				  uint32_t grant, struct ring_shape shape)
{
	if (link_map(link, memory, grant, 0,
		     rf_ring_frames(shape.slots, shape.request_bytes, shape.response_bytes)))
		return "a ring cannot be mapped";
	return ring_back_open(ring, memory->address, shape);
}

static const char *queue_map(struct queue *queue, const struct message_queue *wanted)
{
	struct link *link = queue->interface->link;
	struct ring_shape transmit = { wanted->transmit_slots,
				       sizeof(struct rf_net_transmit_request),
				       sizeof(struct rf_net_transmit_response) };
	struct ring_shape receive = { wanted->receive_slots, sizeof(struct rf_net_receive_request),
				      sizeof(struct rf_net_receive_response) };
	const char *wrong = queue_map_ring(link, &queue->transmit.memory, &queue->transmit.ring,
					   wanted->transmit_grant, transmit);

	if (!wrong)
		wrong = queue_map_ring(link, &queue->receive.memory, &queue->receive.ring,
				       wanted->receive_grant, receive);
	if (!wrong && link_map(link, &queue->pool, wanted->pool_grant, 0, wanted->pool_frames))
		wrong = "its pool cannot be mapped";
	return wrong;
}

const char *queue_open(struct queue *queue, struct queue_interface *interface, unsigned number,
		       const struct message_queue *wanted)
{
	const char *wrong;

	*queue = (struct queue){ .interface = interface, .number = number, .port = { .file = -1 } };
	wrong = queue_map(queue, wanted);
	if (!wrong && link_connect(interface->link, &queue->port, wanted->port))
		wrong = "its port does not listen";
	if (wrong) {
		queue_close(queue);
		return wrong;
	}
	queue->pool_bytes = wanted->pool_frames * LINK_FRAME;
	loop_watch(&interface->loop, &queue->watch, queue->port.file, queue_event);
	receive_start(queue);
	return NULL;
}

bool queue_turn(struct queue *queue)
{
	queue->more = false;
	return queue->stopped || (transmit_turn(queue) && receive_turn(queue));
}

uint64_t queue_delay(const struct queue *queue, uint64_t now)
{
	uint64_t transmit = transmit_delay(queue, now);
	uint64_t receive = receive_delay(queue, now);

	if (queue->stopped)
		return 0;
	if (!transmit || (receive && receive < transmit))
		return receive;
	return transmit;
}

void queue_stop(struct queue *queue)
{
	if (queue->stopped)
		return;
	queue->stopped = true;
	queue->more = false;
	loop_unwatch(&queue->watch);
	receive_stop(queue);
}

bool queue_idle(const struct queue *queue)
{
	return queue->stopped && !queue->watch.armed && !queue->receive.watch.armed;
}

void queue_close(struct queue *queue)
{
	struct link *link = queue->interface->link;

	link_disconnect(link, &queue->port);
	link_unmap(link, &queue->pool);
	link_unmap(link, &queue->receive.memory);
	link_unmap(link, &queue->transmit.memory);
}
