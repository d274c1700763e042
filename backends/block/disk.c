// SPDX-License-Identifier: BSD-2-Clause
/*
 * The worker of a disk: it opens the image, and then in each turn it handles what the kernel is done with and what the
 * monitor says, looks at every queue, and sets timers for what has to wait.
 *
 * A queue's memory is given back only when nothing of it is at the image any more: releasing takes as long as that.
 */
#include <stdio.h>
#include <string.h>

#include "backends/block/disk.h"

#define FULL_RETRY   500000000ULL
#define REPORT_EVERY 2000000000ULL
#define ENTRIES	     256 /* sent at once; any number may be under way */

static void disk_describe(struct disk *disk)
{
	const struct image *image = &disk->common.image;
	struct request_rules *rules = &disk->common.rules;

	*rules = (struct request_rules){
		.sectors = image->bytes / RF_BLOCK_SECTOR,
		.sector_size = image->sector_size,
		.bytes_max = RF_BLOCK_BYTES_MAX,
		.sectors_max = UINT32_MAX & ~7U,
		.read_only = image->read_only,
		.flush = image->flush,
		.discard = image->discard,
		.write_zeroes = image->write_zeroes,
		.grants = disk->common.link->single_grants,
	};
	rules->sectors -= rules->sectors % (image->sector_size / RF_BLOCK_SECTOR);
}

void disk_tell_ready(const struct disk *disk)
{
	const struct image *image = &disk->common.image;
	const struct request_rules *rules = &disk->common.rules;
	const struct message_ready ready = {
		.sectors = rules->sectors,
		.sector_size = rules->sector_size,
		.physical_size = image->physical_size,
		.discard_granularity = image->discard_granularity,
		.read_only = rules->read_only,
		.flush = rules->flush,
		.discard = rules->discard,
		.write_zeroes = rules->write_zeroes,
		.grants = rules->grants,
	};

	message_send(disk->socket, MESSAGE_READY, &ready, sizeof(ready));
}

/* --- Connecting --- */

static void disk_release(struct disk *disk)
{
	disk->releasing = true;
	for (unsigned i = 0; i < disk->queues; i++)
		queue_stop(&disk->queue[i]);
}

static void disk_connect(struct disk *disk, const struct message_connect *connect)
{
	const char *wrong = NULL;

	for (unsigned i = 0; i < connect->queues && !wrong; i++) {
		wrong = queue_open(&disk->queue[i], &disk->common, i, &connect->queue[i]);
		if (!wrong)
			disk->queues++;
	}
	message_tell(disk->socket, MESSAGE_CONNECTED, wrong);
	if (wrong)
		disk_release(disk);
}

static bool disk_idle(const struct disk *disk)
{
	for (unsigned i = 0; i < disk->queues; i++) {
		if (!queue_idle(&disk->queue[i]))
			return false;
	}
	return true;
}

static void disk_released(struct disk *disk)
{
	for (unsigned i = 0; i < disk->queues; i++)
		queue_close(&disk->queue[i]);
	disk->queues = 0;
	disk->releasing = false;
	message_tell(disk->socket, MESSAGE_RELEASED, NULL);
}

static void disk_broken(struct disk *disk, unsigned number)
{
	char text[MESSAGE_TEXT];

	snprintf(text, sizeof(text), "queue %u: its number of requests is out of range", number);
	message_tell(disk->socket, MESSAGE_BROKEN, text);
	disk_release(disk);
}

/* --- What the monitor says --- */

static void disk_limit(struct disk *disk, const struct message_limits *limits)
{
	uint64_t now = loop_now();

	limit_set(&disk->common.bytes, limits->bytes, limits->bytes_burst, now);
	limit_set(&disk->common.operations, limits->operations, limits->operations_burst, now);
	disk->common.report_full = limits->report_full;
}

static void disk_resize(struct disk *disk)
{
	if (!image_resize(&disk->common.image))
		return;
	disk_describe(disk);
	disk_tell_ready(disk);
}

static void disk_handle(struct disk *disk, const struct message *message)
{
	if (message->kind == MESSAGE_CONNECT && !disk->queues)
		disk_connect(disk, message_content(message));
	else if (message->kind == MESSAGE_RELEASE)
		disk_release(disk);
	else if (message->kind == MESSAGE_LIMITS)
		disk_limit(disk, message_content(message));
	else if (message->kind == MESSAGE_RESIZE)
		disk_resize(disk);
}

static void disk_monitor(struct loop_watch *watch)
{
	struct disk *disk = (struct disk *)((char *)watch - offsetof(struct disk, monitor));
	struct message message;
	int result = message_receive(disk->socket, &message);

	if (result < 0)
		disk->ended = true;
	else if (result)
		disk_handle(disk, &message);
}

/* --- Timers --- */

static void disk_delayed(struct loop_timer *timer)
{
	/* The queues are looked at in every turn. */
	(void)timer;
}

static void disk_retry(struct loop_timer *timer)
{
	struct disk *disk = (struct disk *)((char *)timer - offsetof(struct disk, full));

	if (TAILQ_EMPTY(&disk->common.full)) {
		disk->paused = false;
		message_tell(disk->socket, MESSAGE_PAUSED, NULL);
		return;
	}
	queue_retry(&disk->common);
	loop_timer(&disk->common.loop, &disk->full, FULL_RETRY, disk_retry);
}

static void disk_report(struct loop_timer *timer)
{
	struct disk *disk = (struct disk *)((char *)timer - offsetof(struct disk, report));
	struct message_statistics now = disk->common.statistics;

	for (unsigned i = 0; i < disk->queues; i++)
		now.under_way += ring_back_open_requests(&disk->queue[i].ring);
	if (memcmp(&now, &disk->reported, sizeof(now)) != 0)
		message_send(disk->socket, MESSAGE_STATISTICS, &now, sizeof(now));
	disk->reported = now;
	loop_timer(&disk->common.loop, &disk->report, REPORT_EVERY, disk_report);
}

static void disk_set_timers(struct disk *disk)
{
	uint64_t delay = 0;

	for (unsigned i = 0; i < disk->queues && !delay; i++)
		delay = queue_delay(&disk->queue[i], loop_now());
	if (delay)
		loop_timer(&disk->common.loop, &disk->delay, delay, disk_delayed);
	if (TAILQ_EMPTY(&disk->common.full) || disk->paused)
		return;
	disk->paused = true;
	message_tell(disk->socket, MESSAGE_PAUSED, "there is no space for the image");
	loop_timer(&disk->common.loop, &disk->full, FULL_RETRY, disk_retry);
}

/* --- A turn --- */

bool disk_open(struct disk *disk, int socket, char *error, size_t size)
{
	disk->socket = socket;
	TAILQ_INIT(&disk->common.full);
	disk->common.image.loop = &disk->common.loop;
	if (!image_open(&disk->common.image, error, size))
		return false;
	disk_describe(disk);
	loop_watch(&disk->common.loop, &disk->monitor, socket, disk_monitor);
	loop_timer(&disk->common.loop, &disk->report, REPORT_EVERY, disk_report);
	return true;
}

static void disk_turn_queues(struct disk *disk)
{
	for (unsigned i = 0; i < disk->queues; i++) {
		if (!queue_turn(&disk->queue[i])) {
			disk_broken(disk, i);
			return;
		}
	}
}

static bool disk_may_wait(struct disk *disk)
{
	bool may = true;

	for (unsigned i = 0; i < disk->queues; i++)
		may &= queue_wait(&disk->queue[i]);
	return may;
}

void disk_look(struct disk *disk)
{
	disk_turn_queues(disk);
	if (disk->releasing && disk_idle(disk))
		disk_released(disk);
	disk_set_timers(disk);
}

/* What was just started is often done already, when the disk is fast: then there are no events to be asked for. */
void disk_turn(struct disk *disk)
{
	if (!loop_turn(&disk->common.loop, false) && disk_may_wait(disk))
		loop_turn(&disk->common.loop, true);
	disk_look(disk);
}

/* --- Its process --- */

static bool disk_set_image(struct image *image, const struct disk_source *source, char *error,
			   size_t size)
{
	image->kind = image_kind(source->format);
	image->path = source->image;
	image->read_only = source->read_only;
	if (!image->kind)
		snprintf(error, size, "%s: no format of images", source->format);
	return image->kind;
}

static bool disk_begin(void *served, int socket, const struct worker_options *options, char *error,
		       size_t size)
{
	struct disk *disk = served;
	struct queue_disk *common = &disk->common;

	return worker_open_loop(&common->loop, ENTRIES, RF_BLOCK_QUEUES_MAX, error, size) &&
	       worker_open_link(&common->link, options, error, size) &&
	       disk_set_image(&common->image, options->source, error, size) &&
	       disk_open(disk, socket, error, size);
}

static void disk_serve(void *served)
{
	struct disk *disk = served;

	/* Not before the jail is closed: until then it may still fail. */
	disk_tell_ready(disk);
	while (!disk->ended)
		disk_turn(disk);
}

const struct worker_class disk_worker = {
	.bytes = sizeof(struct disk),
	.open = disk_begin,
	.serve = disk_serve,
};
