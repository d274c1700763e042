/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_BLOCK_QUEUE_H
#define BACKENDS_BLOCK_QUEUE_H

/*
 * One queue of a connected disk: from the ring to the image and back. It belongs to the worker's only thread.
 *
 * A request's way: copied from the ring (ring.c), checked (request.c), perhaps held back by a limit, its segments found
 * in the pool or mapped, done by the image, perhaps again and again while there is no space, answered.
 */
#include <stdbool.h>
#include <sys/queue.h>

#include "backends/block/image.h"
#include "backends/block/message.h"
#include "backends/block/request.h"
#include "backends/common/limit.h"
#include "backends/common/link.h"
#include "backends/common/ring.h"

struct queue;

struct queue_request {
	struct image_work work;
	TAILQ_ENTRY(queue_request) entry; /* of those that are free, or wait for space */
	struct queue *queue;
	uint32_t id;
	unsigned maps;
	struct link_memory map[RF_BLOCK_SEGMENTS_MAX];
};

TAILQ_HEAD(queue_requests, queue_request);

/* What all queues of a disk share. */
struct queue_disk {
	struct loop loop;
	struct image image;
	struct link *link;
	struct request_rules rules;
	struct limit bytes;
	struct limit operations;
	struct message_statistics statistics;
	bool report_full;
	struct queue_requests full; /* those that wait for space */
};

struct queue {
	struct queue_disk *disk;
	struct ring ring;
	struct link_memory ring_memory;
	struct link_memory pool_memory;
	struct request_pool pool;
	struct link_port port;
	struct loop_watch watch;
	int buffer;	 /* the number under which the kernel has the pool; negative: it has not */
	unsigned active; /* at the image */
	bool stopped;	 /* nothing more is taken */
	bool held;	 /* `next` was taken from the ring, and waits for a limit */
	struct rf_block_request next;
	struct queue_request *requests;
	struct queue_requests free;
};

/* NULL, or why not; then nothing is left of it. `number` is unique among the disk's. */
const char *queue_open(struct queue *queue, struct queue_disk *disk, unsigned number,
		       const struct message_queue *wanted);
/* Takes what has come, answers what is done. False: the front end broke the ring. */
bool queue_turn(struct queue *queue);
/* Before waiting: asks for events. False: there is more to do already. */
bool queue_wait(struct queue *queue);
/* How long a limit holds a request back; zero: it does not. */
uint64_t queue_delay(const struct queue *queue, uint64_t now);
/* Does again what found no space. */
void queue_retry(struct queue_disk *disk);

/* Takes nothing more. When queue_idle(), it may be closed. */
void queue_stop(struct queue *queue);
bool queue_idle(const struct queue *queue);
void queue_close(struct queue *queue);

#endif
