// SPDX-License-Identifier: BSD-2-Clause
/* From the ring to the image and back (queue.h). */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "backends/block/queue.h"

static struct queue_request *queue_request(struct image_work *work)
{
	return (struct queue_request *)work;
}

/* --- Back: answering --- */

static void queue_answer(struct queue *queue, uint32_t id, uint32_t status)
{
	struct rf_block_response response = { id, status };

	if (status == RF_BLOCK_ERROR || status == RF_BLOCK_NO_SPACE)
		queue->disk->statistics.errors++;
	else if (status != RF_BLOCK_OK)
		queue->disk->statistics.refused++;
	ring_back_answer(&queue->ring, &response);
}

static uint32_t queue_status(int error)
{
	switch (error) {
	case 0:
		return RF_BLOCK_OK;
	case ENOSPC:
	case EDQUOT:
		return RF_BLOCK_NO_SPACE;
	case EOPNOTSUPP:
		return RF_BLOCK_UNSUPPORTED;
	case EROFS:
	case EPERM:
		return RF_BLOCK_READ_ONLY;
	default:
		return RF_BLOCK_ERROR;
	}
}

static void queue_unmap(struct queue_request *request)
{
	for (unsigned i = 0; i < request->maps; i++)
		link_unmap(request->queue->disk->link, &request->map[i]);
	request->maps = 0;
}

static void queue_finish(struct queue_request *request, uint32_t status)
{
	struct queue *queue = request->queue;

	queue_unmap(request);
	queue_answer(queue, request->id, status);
	TAILQ_INSERT_HEAD(&queue->free, request, entry);
}

static void queue_done(struct image_work *work, int error)
{
	struct queue_request *request = queue_request(work);
	struct queue *queue = request->queue;
	uint32_t status = queue_status(error);

	queue->active--;
	if (status == RF_BLOCK_NO_SPACE && !queue->disk->report_full)
		TAILQ_INSERT_TAIL(&queue->disk->full, request, entry);
	else
		queue_finish(request, status);
}

static void queue_start(struct queue_request *request)
{
	request->queue->active++;
	image_start(&request->queue->disk->image, &request->work);
}

void queue_retry(struct queue_disk *disk)
{
	struct queue_requests again = TAILQ_HEAD_INITIALIZER(again);
	struct queue_request *request;

	TAILQ_CONCAT(&again, &disk->full, entry);
	while ((request = TAILQ_FIRST(&again))) {
		TAILQ_REMOVE(&again, request, entry);
		queue_start(request);
	}
}

/* --- There: taking, and finding the data --- */

/* What is written to the disk is only read here, and most often granted for no more than that. */
static int queue_map_grant(struct queue_request *request, struct link_memory *map,
			   const struct rf_block_segment *segment)
{
	struct link *link = request->queue->disk->link;
	uint32_t first = segment->offset / LINK_FRAME;
	uint32_t last = (segment->offset + segment->bytes - 1) / LINK_FRAME;

	if (request->work.operation == RF_BLOCK_WRITE)
		return link_map_to_read(link, map, segment->grant, first, last - first + 1);
	return link_map(link, map, segment->grant, first, last - first + 1);
}

static void *queue_in_grant(struct queue_request *request, const struct rf_block_segment *segment)
{
	struct link_memory *map = &request->map[request->maps];

	request->queue->disk->statistics.grant_maps++;
	if (queue_map_grant(request, map, segment))
		return NULL;
	request->maps++;
	return (uint8_t *)map->address + segment->offset % LINK_FRAME;
}

static bool queue_segment(struct queue_request *request, const struct rf_block_segment *segment)
{
	struct queue *queue = request->queue;
	struct image_work *work = &request->work;
	void *address;

	if (request_in_pool(segment, &queue->pool))
		address = (uint8_t *)queue->pool_memory.address + segment->offset;
	else
		address = queue_in_grant(request, segment);
	work->piece[work->pieces++] = (struct iovec){ address, segment->bytes };
	return address;
}

/* False: a grant of this request cannot be mapped. */
static bool queue_segments(struct queue_request *request, const struct rf_block_request *from)
{
	struct image_work *work = &request->work;

	work->pieces = 0;
	for (unsigned i = 0; i < from->segments; i++) {
		if (!queue_segment(request, &from->segment[i]))
			return false;
	}
	work->buffer = !request->maps ? request->queue->buffer : -1;
	return true;
}

static void queue_fill(struct queue_request *request, const struct rf_block_request *from)
{
	struct image_work *work = &request->work;

	request->id = from->id;
	work->operation = from->operation;
	work->durable = from->flags & RF_BLOCK_FUA;
	work->keep = from->flags & RF_BLOCK_KEEP;
	work->offset = from->sector * RF_BLOCK_SECTOR;
	work->bytes = (uint64_t)from->sectors * RF_BLOCK_SECTOR;
	work->done = queue_done;
}

static void queue_count(struct queue_disk *disk, const struct rf_block_request *from)
{
	uint64_t bytes = (uint64_t)from->sectors * RF_BLOCK_SECTOR;

	disk->statistics.requests[from->operation]++;
	disk->statistics.bytes[from->operation] += bytes;
	if (request_has_data(from))
		limit_use(&disk->bytes, bytes, loop_now());
}

/* There are as many requests as slots, and the ring lets no more be taken: one is free. */
static void queue_perform(struct queue *queue, const struct rf_block_request *from)
{
	struct queue_request *request = TAILQ_FIRST(&queue->free);
	uint32_t status = request_check(from, &queue->disk->rules, &queue->pool);

	if (status) {
		queue_answer(queue, from->id, status);
		return;
	}
	TAILQ_REMOVE(&queue->free, request, entry);
	queue_count(queue->disk, from);
	queue_fill(request, from);
	if (queue_segments(request, from))
		queue_start(request);
	else
		queue_finish(request, RF_BLOCK_INVALID);
}

uint64_t queue_delay(const struct queue *queue, uint64_t now)
{
	uint64_t bytes = limit_wait(&queue->disk->bytes, now);
	uint64_t operations = limit_wait(&queue->disk->operations, now);

	if (!queue->held)
		return 0;
	return bytes > operations ? bytes : operations;
}

/* RING_NONE: there is none, or a limit holds it back. */
static enum ring_result queue_take(struct queue *queue)
{
	enum ring_result result = RING_TAKEN;

	if (!queue->held)
		result = ring_back_take(&queue->ring, &queue->next);
	if (result != RING_TAKEN)
		return result;
	queue->held = true;
	if (queue_delay(queue, loop_now()))
		return RING_NONE;
	limit_use(&queue->disk->operations, 1, loop_now());
	queue->held = false;
	queue_perform(queue, &queue->next);
	return RING_TAKEN;
}

static enum ring_result queue_take_all(struct queue *queue)
{
	enum ring_result result = RING_TAKEN;

	for (unsigned i = 0; i < queue->ring.shape.slots && result == RING_TAKEN; i++)
		result = queue_take(queue);
	return result;
}

static void queue_publish(struct queue *queue)
{
	if (!ring_back_publish(&queue->ring))
		return;
	queue->disk->statistics.events_out++;
	link_send(queue->disk->link, &queue->port);
}

/* The threshold lies behind, as it is: there are no events until queue_wait(). */
bool queue_turn(struct queue *queue)
{
	enum ring_result result;

	if (queue->stopped)
		return true;
	result = queue_take_all(queue);
	queue_publish(queue);
	return result != RING_BROKEN;
}

bool queue_wait(struct queue *queue)
{
	return queue->stopped || queue->held || !ring_back_wait(&queue->ring, 1);
}

static void queue_event(struct loop_watch *watch)
{
	struct queue *queue = (struct queue *)((char *)watch - offsetof(struct queue, watch));
	uint64_t count;

	/* The ring is looked at in any case. */
	if (read(watch->file, &count, sizeof(count)) > 0)
		queue->disk->statistics.events_in++;
}

/* --- Opening and closing --- */

static bool queue_requests(struct queue *queue, uint32_t slots)
{
	queue->requests = calloc(slots, sizeof(*queue->requests));
	if (!queue->requests)
		return false;
	for (uint32_t i = 0; i < slots; i++) {
		queue->requests[i].queue = queue;
		TAILQ_INSERT_TAIL(&queue->free, &queue->requests[i], entry);
	}
	return true;
}

static const char *queue_map(struct queue *queue, const struct message_queue *wanted)
{
	struct link *link = queue->disk->link;
	struct ring_shape shape = { wanted->slots, sizeof(struct rf_block_request),
				    sizeof(struct rf_block_response) };

	if (link_map(link, &queue->ring_memory, wanted->ring_grant, 0,
		     rf_ring_frames(shape.slots, shape.request_bytes, shape.response_bytes)))
		return "its ring cannot be mapped";
	if (wanted->pool_frames &&
	    link_map(link, &queue->pool_memory, wanted->pool_grant, 0, wanted->pool_frames))
		return "its pool cannot be mapped";
	return ring_back_open(&queue->ring, queue->ring_memory.address, shape);
}

static const char *queue_open_all(struct queue *queue, const struct message_queue *wanted)
{
	const char *wrong = queue_map(queue, wanted);

	if (wrong)
		return wrong;
	queue->pool.grant = wanted->pool_grant;
	queue->pool.bytes = wanted->pool_frames * LINK_FRAME;
	if (!queue_requests(queue, wanted->slots))
		return "there is no memory for its requests";
	if (link_connect(queue->disk->link, &queue->port, wanted->port))
		return "its port does not listen";
	return NULL;
}

static void queue_register(struct queue *queue, unsigned number)
{
	queue->buffer = -1;
	if (queue->pool.bytes &&
	    loop_buffer(&queue->disk->loop, number, queue->pool_memory.address, queue->pool.bytes))
		queue->buffer = (int)number;
}

const char *queue_open(struct queue *queue, struct queue_disk *disk, unsigned number,
		       const struct message_queue *wanted)
{
	const char *wrong;

	*queue = (struct queue){ .disk = disk, .port = { .file = -1 }, .buffer = -1 };
	TAILQ_INIT(&queue->free);
	wrong = queue_open_all(queue, wanted);
	if (wrong) {
		queue_close(queue);
		return wrong;
	}
	queue_register(queue, number);
	loop_watch(&disk->loop, &queue->watch, queue->port.file, queue_event);
	return NULL;
}

static void queue_forget_full(struct queue *queue)
{
	struct queue_requests *full = &queue->disk->full;
	struct queue_request *request = TAILQ_FIRST(full);

	while (request) {
		struct queue_request *next = TAILQ_NEXT(request, entry);

		if (request->queue == queue) {
			TAILQ_REMOVE(full, request, entry);
			queue_unmap(request);
		}
		request = next;
	}
}

void queue_stop(struct queue *queue)
{
	if (queue->stopped)
		return;
	queue->stopped = true;
	loop_unwatch(&queue->watch);
}

bool queue_idle(const struct queue *queue)
{
	return queue->stopped && !queue->active && !queue->watch.armed;
}

void queue_close(struct queue *queue)
{
	struct link *link = queue->disk->link;

	queue_forget_full(queue);
	if (queue->buffer >= 0)
		loop_buffer(&queue->disk->loop, (unsigned)queue->buffer, NULL, 0);
	link_disconnect(link, &queue->port);
	link_unmap(link, &queue->pool_memory);
	link_unmap(link, &queue->ring_memory);
	free(queue->requests);
	queue->requests = NULL;
}
