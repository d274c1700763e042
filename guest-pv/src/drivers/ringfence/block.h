/* SPDX-License-Identifier: GPL-2.0 */
/* The front end of disks: what its files know of each other. */
#ifndef _RINGFENCE_BLOCK_H
#define _RINGFENCE_BLOCK_H

#include <linux/blk-mq.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <asm/ringfence/abi/io/block.h>

#include "bus.h"

/* What the back end allows: keys of its folder, checked. */
struct block_limits {
	u32 sector_size;
	u32 physical_sector_size;
	u32 queues;
	u32 slots;
	u32 pool_frames;
	u32 bytes;		/* of a request */
	u32 granularity;	/* of a discard */
	u32 sectors_max;	/* of a discard or of zeroes */
	bool read_only;
	bool flush;
	bool discard;
	bool zeroes;
	bool grants;		/* of single requests */
};

/* Frames of the pool that follow each other. */
struct block_piece {
	u16 first;
	u16 count;
};

/* Frames of the request itself that the back end was granted. */
struct block_grant {
	int number;		/* negative: not any more */
	u32 bytes;
};

/* Beside each request: where its data are while the back end has it, in the pool or in its own frames. */
struct block_command {
	struct block_piece pieces[RF_BLOCK_SEGMENTS_MAX];
	unsigned int piece_count;
	struct block_grant grants[RF_BLOCK_SEGMENTS_MAX];
	unsigned int grant_count; /* none, when the request has ended */
	bool direct;		/* the data are in these */
	bool refused;		/* so the back end did not take it: next time through the pool */
	struct list_head held;
	blk_status_t status;
};

struct block_disk;

struct block_queue {
	struct block_disk *disk;
	unsigned int number;
	unsigned int irq;		/* 0: none */

	struct rf_ring *ring;
	int ring_order;
	int ring_grant;			/* negative: it is not granted */
	void *pool;
	int pool_order;
	int pool_grant;

	spinlock_t lock;		/* of what follows, and of the ring */
	u32 requests;			/* the next one's number */
	u32 told;			/* so many the back end knows of */
	u32 responses;			/* taken */
	unsigned long *pool_taken;
	struct request **under_way;	/* by id: the back end has them */
	struct list_head held;		/* commands: answered, but the back end still uses their frames */
};

struct block_disk {
	struct rf_device *device;
	struct block_limits limits;
	struct block_queue *queues;
	unsigned int queue_count;
	atomic_t granted;		/* grants of single requests */
	struct blk_mq_tag_set tags;
	struct gendisk *disk;		/* NULL: it has never been connected */
	int index;

	struct work_struct work;	/* the states: block.c */
	struct work_struct add_work;
	struct work_struct drain_work;
	struct delayed_work held_work;	/* looks whether they are still used */
	unsigned long held_delay;
	wait_queue_head_t removal;	/* removed is set */
	bool removed;			/* the device goes */
	bool dead;			/* requests fail */
	bool paused;			/* requests are not made, and interrupts do not come */
	bool started;			/* it is being added, */
	bool added;			/* has been, */
	bool closing;			/* is being drained, */
	bool drained;			/* has been, */
	bool deleted;			/* and is no more */
	const char *broken;		/* what the back end did that it must not, or NULL */
};

/* --- block_queue.c: the rings. Those that sleep are called by one task. */

extern const struct blk_mq_ops block_queue_ops;

int block_queues_make(struct block_disk *disk);
void block_queues_destroy(struct block_disk *disk);

/* Clears the rings and grants everything. */
int block_queues_grant(struct block_disk *disk);

/* What is not used any more is not granted any more: true, all of it. */
bool block_queues_revoke(struct block_disk *disk);

/* Interrupts come, and do not. */
void block_queues_enable(struct block_disk *disk);
void block_queues_disable(struct block_disk *disk);

/* While nobody makes or takes requests: those that the back end had are made again, or fail. */
void block_queues_requeue(struct block_disk *disk);
void block_queues_fail(struct block_disk *disk);

/* In a work item, now and then: what was answered ends as soon as nobody else uses its frames. True: there is more. */
bool block_queues_end_held(struct block_disk *disk);

/* --- block_grant.c: requests whose own frames are granted. Under the queue's lock, but for the first. */

/* False: its data have to go through the pool. */
bool block_grant_request(struct block_disk *disk, struct request *rq);

/* No longer; false: something of it is still used. Asked again, it looks again. */
bool block_grant_take_back(struct block_disk *disk, struct block_command *command);

/* --- block.c */

/* From any context: the connection ends. */
void block_disk_break(struct block_disk *disk, const char *why);

/* From any context: some requests have been answered whose frames are still used. */
void block_disk_held(struct block_disk *disk);

/* --- block_keys.c: the store */

int block_keys_read(struct rf_device *device, struct block_limits *limits);
/* Shows the rings. -ENODEV: the device was taken away. */
int block_keys_offer(struct block_disk *disk);
int block_keys_sectors(struct block_disk *disk, u64 *sectors);

#endif
