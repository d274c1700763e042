/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_BLOCK_DISK_H
#define BACKENDS_BLOCK_DISK_H

/*
 * The worker's side of a disk: an image, the queues of a front end, limits and counts; what the monitor says
 * (message.h).
 */
#include "backends/block/queue.h"
#include "backends/common/worker.h"

/* What a worker of a disk opens. */
struct disk_source {
	const char *image;
	const char *format;
	bool read_only;
};

/* Its source is a struct disk_source. */
extern const struct worker_class disk_worker;

struct disk {
	struct queue_disk common;
	struct queue queue[RF_BLOCK_QUEUES_MAX];
	unsigned queues; /* open ones; zero: not connected */
	bool releasing;	 /* they are being closed */
	bool ended;	 /* the monitor is gone */
	bool paused;	 /* it knows that there is no space */
	int socket;
	struct loop_watch monitor;
	struct loop_timer delay; /* for a limit */
	struct loop_timer full;	 /* for space */
	struct loop_timer report;
	struct message_statistics reported;
};

/* disk->common has the loop, open, and the link; path and kind of the image are set. False: the text says why. */
bool disk_open(struct disk *disk, int socket, char *error, size_t size);
/* The monitor may have it published. */
void disk_tell_ready(const struct disk *disk);
/* Until disk->ended: waits until there is something to do, and does it. */
void disk_turn(struct disk *disk);
/* The same without waiting, after the loop's turn. */
void disk_look(struct disk *disk);

#endif
