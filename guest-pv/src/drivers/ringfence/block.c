// SPDX-License-Identifier: GPL-2.0
/*
 * The front end of disks: the states of its two ends (docs/io.md), and the disk as Linux sees it. Rings are
 * block_queue.c's, keys of the store block_keys.c's.
 *
 * One work item does all that follows from a state, so nothing of it runs twice at once. It never
 * waits for a request, since it is what brings back a back end that has died: adding the disk, which
 * reads its partition table, and draining one that goes, which waits for what was read ahead, have work
 * items of their own.
 *
 * kill_requests() may run beside the work item: requests that the back end had are taken out of
 * under_way by an exchange, so each ends once.
 *
 * When the back end dies the disk is paused: its queue is quiescent, what had no response is put
 * back there, and is made again when there is a new back end. Whoever uses the disk sees nothing but
 * that it takes time.
 */
#include <linux/blkdev.h>
#include <linux/ctype.h>
#include <linux/delay.h>
#include <linux/idr.h>
#include <linux/init.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "block.h"

#define POOL_FRAMES_MIN	16
#define RETRY_MS	1000	/* what the store refused is tried again */
#define IN_USE_MS	10	/* how often is looked whether grants are in use */
#define HELD_LAST	(HZ / 10) /* so often, in the end, whether those of requests are */

static DEFINE_IDA(numbers);
static struct workqueue_struct *work_queue;

static void look_again(struct block_disk *disk)
{
	if (!READ_ONCE(disk->removed))
		queue_work(work_queue, &disk->work);
}

void block_disk_break(struct block_disk *disk, const char *why)
{
	WRITE_ONCE(disk->broken, why);
	look_again(disk);
}

/* --- Requests that were answered, but whose frames the back end still uses */

/* Soon: most often it is about to let go of them. */
void block_disk_held(struct block_disk *disk)
{
	WRITE_ONCE(disk->held_delay, 1);
	mod_delayed_work(work_queue, &disk->held_work, 0);
}

static void held_work(struct work_struct *work)
{
	struct block_disk *disk = container_of(work, struct block_disk, held_work.work);
	unsigned long delay = READ_ONCE(disk->held_delay);

	if (!block_queues_end_held(disk))
		return;
	if (delay < HELD_LAST && 2 * delay >= HELD_LAST)
		dev_warn_ratelimited(&disk->device->dev,
				     "the back end still uses frames of what it has answered\n");
	WRITE_ONCE(disk->held_delay, min_t(unsigned long, 2 * delay, HELD_LAST));
	queue_delayed_work(work_queue, &disk->held_work, delay);
}

/* --- Requests that go on, and that do not */

static void pause_requests(struct block_disk *disk)
{
	if (disk->paused)
		return;
	disk->paused = true;
	if (disk->disk)
		blk_mq_quiesce_queue(disk->disk->queue);
	block_queues_disable(disk);
}

static void go_on(struct request_queue *queue)
{
	blk_mq_unquiesce_queue(queue);
	blk_mq_start_stopped_hw_queues(queue, true);
	blk_mq_kick_requeue_list(queue);
}

static void resume_requests(struct block_disk *disk)
{
	if (!disk->paused)
		return;
	disk->paused = false;
	block_queues_enable(disk);
	if (disk->disk)
		go_on(disk->disk->queue);
}

/* From now on requests fail, and so do those that the back end has. */
static void kill_requests(struct block_disk *disk)
{
	WRITE_ONCE(disk->dead, true);
	if (!disk->disk || READ_ONCE(disk->deleted))
		return;
	blk_mark_disk_dead(disk->disk);
	blk_mq_quiesce_queue(disk->disk->queue);
	block_queues_disable(disk);
	block_queues_fail(disk);
	go_on(disk->disk->queue);
}

/* It is over; the disk stays, and gives errors, until the device is taken away. */
static void fail(struct block_disk *disk, enum rf_state state, const char *why)
{
	kill_requests(disk);
	resume_requests(disk);
	rf_device_fail(disk->device, state, "%s", why);
}

/* --- The disk */

static int open_disk(struct block_device *device, fmode_t mode)
{
	struct block_disk *disk = device->bd_disk->private_data;

	return READ_ONCE(disk->dead) ? -ENXIO : 0;
}

/* The last who had it open may be what a back end that wants to close waits for. */
static void release_disk(struct gendisk *gendisk, fmode_t mode)
{
	look_again(gendisk->private_data);
}

static void free_disk(struct gendisk *gendisk)
{
	struct block_disk *disk = gendisk->private_data;

	ida_free(&numbers, disk->index);
	kfree(disk);
}

static const struct block_device_operations operations = {
	.owner		= THIS_MODULE,
	.open		= open_disk,
	.release	= release_disk,
	.free_disk	= free_disk,
};

static void set_limits(struct request_queue *queue, const struct block_limits *limits)
{
	blk_queue_logical_block_size(queue, limits->sector_size);
	blk_queue_physical_block_size(queue, limits->physical_sector_size);
	blk_queue_max_hw_sectors(queue, limits->bytes / SECTOR_SIZE);
	/* They are copied, so it does not matter how many there are. */
	blk_queue_max_segments(queue, USHRT_MAX);
	blk_queue_max_segment_size(queue, UINT_MAX);
	blk_queue_write_cache(queue, limits->flush, limits->flush);
	blk_queue_flag_set(QUEUE_FLAG_NONROT, queue);
	if (limits->discard) {
		blk_queue_max_discard_sectors(queue, limits->sectors_max);
		queue->limits.discard_granularity = max(limits->granularity, limits->sector_size);
	}
	if (limits->zeroes)
		blk_queue_max_write_zeroes_sectors(queue, limits->sectors_max);
}

static bool is_name(const char *name)
{
	const char *at = name;

	while (isalnum(*at))
		at++;
	return at != name && !*at && at - name < DISK_NAME_LEN - 8;
}

/* What the toolstack wants it to be called, or rfd and a number. */
static void set_name(const struct block_disk *disk, struct gendisk *gendisk)
{
	char *name = rf_store_read(RF_STORE_ALONE, disk->device->folder, "name");

	if (!IS_ERR(name) && is_name(name))
		strscpy(gendisk->disk_name, name, DISK_NAME_LEN);
	else
		snprintf(gendisk->disk_name, DISK_NAME_LEN, "rfd%d", disk->index);
	if (!IS_ERR(name))
		kfree(name);
}

static int make_tags(struct block_disk *disk)
{
	disk->tags = (struct blk_mq_tag_set){
		.ops		= &block_queue_ops,
		.nr_hw_queues	= disk->queue_count,
		.queue_depth	= disk->limits.slots,
		.numa_node	= NUMA_NO_NODE,
		.cmd_size	= sizeof(struct block_command),
		.flags		= BLK_MQ_F_SHOULD_MERGE,
		.driver_data	= disk,
	};
	return blk_mq_alloc_tag_set(&disk->tags);
}

static int make_disk(struct block_disk *disk)
{
	struct gendisk *gendisk;
	u64 sectors;
	int error = block_keys_sectors(disk, &sectors);

	if (!error)
		error = make_tags(disk);
	if (error)
		return error;
	gendisk = blk_mq_alloc_disk(&disk->tags, disk);
	if (IS_ERR(gendisk)) {
		blk_mq_free_tag_set(&disk->tags);
		return PTR_ERR(gendisk);
	}
	gendisk->fops = &operations;
	gendisk->private_data = disk;
	set_limits(gendisk->queue, &disk->limits);
	set_capacity(gendisk, sectors);
	set_disk_ro(gendisk, disk->limits.read_only);
	set_name(disk, gendisk);
	/* As all that is paused. */
	blk_mq_quiesce_queue(gendisk->queue);
	disk->disk = gendisk;
	return 0;
}

/* It reads the partition table, for which all the rest must go on. */
static void add_disk_work(struct work_struct *work)
{
	struct block_disk *disk = container_of(work, struct block_disk, add_work);
	int error = device_add_disk(&disk->device->dev, disk->disk, NULL);

	if (error) {
		dev_err(&disk->device->dev, "%s: no disk: %d\n", disk->disk->disk_name, error);
		return;
	}
	WRITE_ONCE(disk->added, true);
	dev_info(&disk->device->dev, "%s: %u queues of %u requests of %u bytes\n",
		 disk->disk->disk_name, disk->queue_count, disk->limits.slots, disk->limits.bytes);
	look_again(disk);
}

static void resize(struct block_disk *disk)
{
	u64 sectors;

	if (READ_ONCE(disk->added) && !disk->closing && !block_keys_sectors(disk, &sectors))
		set_capacity_and_notify(disk->disk, sectors);
}

static void delete_disk(struct block_disk *disk)
{
	flush_work(&disk->add_work);
	if (disk->added && !disk->deleted)
		del_gendisk(disk->disk);
	WRITE_ONCE(disk->deleted, true);
}

/* Nobody has it open: what is left is reading ahead. */
static void drain_work(struct work_struct *work)
{
	struct block_disk *disk = container_of(work, struct block_disk, drain_work);

	flush_work(&disk->add_work);
	if (disk->disk) {
		blk_mark_disk_dead(disk->disk);
		blk_mq_freeze_queue_wait(disk->disk->queue);
	}
	WRITE_ONCE(disk->drained, true);
	look_again(disk);
}

/* --- Coming up */

/* The largest pool for which there is memory. */
static int make_queues(struct block_disk *disk)
{
	struct block_limits *limits = &disk->limits;
	int error;

	for (;;) {
		error = block_queues_make(disk);
		if (error != -ENOMEM || limits->pool_frames < 2 * POOL_FRAMES_MIN)
			return error;
		limits->pool_frames /= 2;
		limits->bytes = min_t(u32, limits->bytes, limits->pool_frames * PAGE_SIZE);
	}
}

/* A back end that comes back must not be able to do less. */
static bool suffices(const struct block_limits *now, const struct block_limits *before)
{
	return now->sector_size <= before->sector_size && now->queues >= before->queues &&
	       now->slots >= before->slots && now->pool_frames >= before->pool_frames &&
	       now->bytes >= before->bytes && now->flush >= before->flush &&
	       now->read_only <= before->read_only;
}

static int prepare(struct block_disk *disk)
{
	struct block_limits limits;
	int error = block_keys_read(disk->device, &limits);

	if (error)
		return error;
	if (disk->queue_count) {
		disk->limits.grants = limits.grants;
		return suffices(&limits, &disk->limits) ? 0 : -EOPNOTSUPP;
	}
	disk->limits = limits;
	error = make_queues(disk);
	/* As if it had been connected before. */
	disk->paused = !error;
	return error;
}

/* Nothing is used again before nobody else uses it. False: the device is being removed. */
static bool wait_until_unused(struct block_disk *disk)
{
	while (!block_queues_revoke(disk)) {
		wait_event_timeout(disk->removal, READ_ONCE(disk->removed),
				   msecs_to_jiffies(IN_USE_MS));
		if (READ_ONCE(disk->removed))
			return false;
	}
	return true;
}

static void offer_rings(struct block_disk *disk)
{
	int error = block_queues_grant(disk);

	if (!error)
		error = block_keys_offer(disk);
	/* Who was taken away is removed in a moment. */
	if (!error || error == -ENODEV)
		return;
	dev_err(&disk->device->dev, "the rings cannot be shown: %d\n", error);
	wait_event_timeout(disk->removal, READ_ONCE(disk->removed), msecs_to_jiffies(RETRY_MS));
	look_again(disk);
}

/* The back end waits for rings, for the first time or again. */
static void back_end_waits(struct block_disk *disk)
{
	struct rf_device *device = disk->device;
	int error;

	if (device->state == RF_STATE_CONNECTED) {
		dev_info(&device->dev, "the back end has begun again\n");
		pause_requests(disk);
		rf_device_set_state(device, RF_STATE_INITIALISING);
	} else if (device->state != RF_STATE_INITIALISING) {
		return;
	}
	error = prepare(disk);
	if (error)
		fail(disk, RF_STATE_CLOSED, "the back end's keys are not what this front end needs");
	else if (wait_until_unused(disk)) {
		block_queues_requeue(disk);
		offer_rings(disk);
	}
}

static void back_end_connected(struct block_disk *disk)
{
	struct rf_device *device = disk->device;

	if (device->state == RF_STATE_CONNECTED)
		resize(disk);
	if (device->state != RF_STATE_INITIALISED)
		return;
	if (!disk->disk && make_disk(disk)) {
		fail(disk, RF_STATE_CLOSED, "no disk can be made");
		return;
	}
	if (rf_device_set_state(device, RF_STATE_CONNECTED)) {
		look_again(disk);
		return;
	}
	resume_requests(disk);
	resize(disk);
	if (!disk->started)
		queue_work(system_unbound_wq, &disk->add_work);
	disk->started = true;
}

/* --- Going away */

static bool has_error(struct block_disk *disk)
{
	char *error = rf_store_read(RF_STORE_ALONE, disk->device->backend, "error");

	if (IS_ERR(error))
		return false;
	dev_err(&disk->device->dev, "the back end says: %s\n", error);
	kfree(error);
	return true;
}

/* No request is left, so nothing here waits for one. */
static void finish_closing(struct block_disk *disk)
{
	if (disk->device->state == RF_STATE_CLOSED)
		return;
	resume_requests(disk);
	if (disk->disk)
		delete_disk(disk);
	WRITE_ONCE(disk->dead, true);
	cancel_delayed_work_sync(&disk->held_work);
	block_queues_destroy(disk);
	rf_device_set_state(disk->device, RF_STATE_CLOSED);
}

/*
 * What is used stays, unless the back end has gone already. Requests are waited for: if the back end
 * dies meanwhile, the next one answers them.
 */
static void back_end_closes(struct block_disk *disk, bool gone)
{
	struct rf_device *device = disk->device;

	if (device->state == RF_STATE_CLOSED)
		return;
	gone |= disk->paused || has_error(disk);
	if (!gone && READ_ONCE(disk->added) && disk_openers(disk->disk)) {
		dev_info(&device->dev, "%s is in use\n", disk->disk->disk_name);
		return;
	}
	if (gone)
		kill_requests(disk);
	resume_requests(disk);
	if (!disk->closing)
		queue_work(system_unbound_wq, &disk->drain_work);
	disk->closing = true;
}

static void follow_states(struct block_disk *disk)
{
	switch (READ_ONCE(disk->device->other)) {
	case RF_STATE_WAITING:
		back_end_waits(disk);
		break;
	case RF_STATE_CONNECTED:
		back_end_connected(disk);
		break;
	case RF_STATE_CLOSING:
		back_end_closes(disk, false);
		break;
	case RF_STATE_CLOSED:
		back_end_closes(disk, true);
		break;
	default:
		break;
	}
}

static void look(struct block_disk *disk)
{
	const char *why = READ_ONCE(disk->broken);

	if (READ_ONCE(disk->removed))
		return;
	if (READ_ONCE(disk->drained))
		finish_closing(disk);
	else if (why && !disk->dead)
		fail(disk, RF_STATE_CLOSING, why);
	else if (!disk->dead)
		follow_states(disk);
}

/* What is to be paged out may wait for this. */
static void states_work(struct work_struct *work)
{
	struct block_disk *disk = container_of(work, struct block_disk, work);
	unsigned int noio = memalloc_noio_save();

	look(disk);
	memalloc_noio_restore(noio);
}

/* --- The driver */

static int probe(struct rf_device *device)
{
	struct block_disk *disk = kzalloc(sizeof(*disk), GFP_KERNEL);

	if (!disk)
		return -ENOMEM;
	disk->index = ida_alloc(&numbers, GFP_KERNEL);
	if (disk->index < 0) {
		kfree(disk);
		return -ENOMEM;
	}
	disk->device = device;
	INIT_WORK(&disk->work, states_work);
	INIT_WORK(&disk->add_work, add_disk_work);
	INIT_WORK(&disk->drain_work, drain_work);
	INIT_DELAYED_WORK(&disk->held_work, held_work);
	init_waitqueue_head(&disk->removal);
	dev_set_drvdata(&device->dev, disk);
	return 0;
}

/* The disk's last user frees it, who may still be there. */
static void put_block_disk(struct block_disk *disk)
{
	bool added = disk->added;

	if (added)
		blk_mq_free_tag_set(&disk->tags);
	if (disk->disk)
		put_disk(disk->disk);
	if (added)
		return;
	if (disk->disk)
		blk_mq_free_tag_set(&disk->tags);
	ida_free(&numbers, disk->index);
	kfree(disk);
}

static void remove(struct rf_device *device)
{
	struct block_disk *disk = dev_get_drvdata(&device->dev);

	WRITE_ONCE(disk->removed, true);
	wake_up(&disk->removal);
	kill_requests(disk);
	cancel_work_sync(&disk->work);
	resume_requests(disk);
	cancel_work_sync(&disk->drain_work);
	if (disk->disk)
		delete_disk(disk);
	cancel_delayed_work_sync(&disk->held_work);
	block_queues_destroy(disk);
	/* An interrupt may have asked for it after it was cancelled. */
	cancel_work_sync(&disk->work);
	put_block_disk(disk);
}

static void changed(struct rf_device *device)
{
	look_again(dev_get_drvdata(&device->dev));
}

static struct rf_driver driver = {
	.driver.name	= "ringfence-block",
	.class		= "block",
	.probe		= probe,
	.remove		= remove,
	.changed	= changed,
};

static int __init rf_block_init(void)
{
	if (!rf_domain())
		return 0;
	work_queue = alloc_workqueue("ringfence-block", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!work_queue)
		return -ENOMEM;
	return rf_driver_register(&driver);
}
device_initcall(rf_block_init);
