// SPDX-License-Identifier: GPL-2.0
/*
 * The front end of disks: the rings (abi/io/ring.h), one for each queue, and the pool of each, where
 * data are while the back end works on them.
 *
 * A request's id is its tag. The back end has those in `under_way`; a response for another ends the connection.
 * Nothing that the back end wrote is read twice.
 *
 * A write's data stay in its request's own pages, too, so that it can be made again. A read's are copied
 * from the pool when its response has come. Or the back end gets the request's own frames (block_grant.c).
 *
 * When pool or slots are used up, the hardware queue stops, under the lock under which responses give back;
 * so the next response starts it again.
 */
#include <linux/bitmap.h>
#include <linux/blk-mq.h>
#include <linux/delay.h>
#include <linux/highmem.h>
#include <linux/interrupt.h>
#include <linux/nospec.h>
#include <linux/slab.h>

#include <asm/ringfence/channel.h>
#include <asm/ringfence/grant.h>

#include "block.h"

#define REQUEST_SIZE	sizeof(struct rf_block_request)
#define RESPONSE_SIZE	sizeof(struct rf_block_response)
#define TAKEN		16	/* responses at once */

static struct block_command *command_of(struct request *rq)
{
	return blk_mq_rq_to_pdu(rq);
}

static u32 slots_of(const struct block_queue *queue)
{
	return queue->disk->limits.slots;
}

static struct rf_block_request *request_slot(struct block_queue *queue, u32 number)
{
	void *first = (void *)queue->ring + rf_ring_requests_offset();

	return first + (number & (slots_of(queue) - 1)) * REQUEST_SIZE;
}

static struct rf_block_response *response_slot(struct block_queue *queue, u32 number)
{
	void *first = (void *)queue->ring +
		      rf_ring_responses_offset(slots_of(queue), REQUEST_SIZE);

	return first + (number & (slots_of(queue) - 1)) * RESPONSE_SIZE;
}

/* --- The pool: under the lock */

static bool take_piece(struct block_queue *queue, struct block_command *command, u32 frames)
{
	u32 all = queue->disk->limits.pool_frames;
	unsigned long first = bitmap_find_next_zero_area(queue->pool_taken, all, 0, frames, 0);

	if (first >= all)
		return false;
	bitmap_set(queue->pool_taken, first, frames);
	command->pieces[command->piece_count++] = (struct block_piece){ first, frames };
	return true;
}

static void give_pool(struct block_queue *queue, struct block_command *command)
{
	unsigned int i;

	for (i = 0; i < command->piece_count; i++)
		bitmap_clear(queue->pool_taken, command->pieces[i].first,
			     command->pieces[i].count);
	command->piece_count = 0;
}

/* In few pieces: each is as large as there is room for, or half of the one before. */
static bool take_pool(struct block_queue *queue, struct block_command *command, u32 frames)
{
	u32 size = frames;

	command->piece_count = 0;
	while (frames && size && command->piece_count < RF_BLOCK_SEGMENTS_MAX) {
		size = min(size, frames);
		if (take_piece(queue, command, size))
			frames -= size;
		else
			size /= 2;
	}
	if (frames)
		give_pool(queue, command);
	return !frames;
}

/* --- Data: what of a request is in the pool, in order */

struct cursor {
	void *pool;
	const struct block_piece *piece;
	u32 offset;		/* in the piece */
};

static void copy_piecewise(struct cursor *at, void *data, u32 bytes, bool to_pool)
{
	while (bytes) {
		u32 left = at->piece->count * PAGE_SIZE - at->offset;
		void *there = at->pool + at->piece->first * PAGE_SIZE + at->offset;
		u32 size = min(left, bytes);

		if (to_pool)
			memcpy(there, data, size);
		else
			memcpy(data, there, size);
		data += size;
		bytes -= size;
		at->offset += size;
		if (size == left) {
			at->piece++;
			at->offset = 0;
		}
	}
}

static void copy_data(struct block_queue *queue, struct request *rq, bool to_pool)
{
	struct cursor at = { queue->pool, command_of(rq)->pieces, 0 };
	struct req_iterator iterator;
	struct bio_vec vector;

	rq_for_each_segment(vector, rq, iterator) {
		void *data = bvec_kmap_local(&vector);

		copy_piecewise(&at, data, vector.bv_len, to_pool);
		kunmap_local(data);
	}
}

/* --- Requests */

static bool has_data(const struct request *rq)
{
	return req_op(rq) == REQ_OP_READ || req_op(rq) == REQ_OP_WRITE;
}

static int operation_of(const struct request *rq)
{
	switch (req_op(rq)) {
	case REQ_OP_READ:
		return RF_BLOCK_READ;
	case REQ_OP_WRITE:
		return RF_BLOCK_WRITE;
	case REQ_OP_FLUSH:
		return RF_BLOCK_FLUSH;
	case REQ_OP_DISCARD:
		return RF_BLOCK_DISCARD;
	case REQ_OP_WRITE_ZEROES:
		return RF_BLOCK_WRITE_ZEROES;
	default:
		return -EOPNOTSUPP;
	}
}

static u8 flags_of(const struct request *rq)
{
	u8 flags = 0;

	if (rq->cmd_flags & REQ_FUA)
		flags |= RF_BLOCK_FUA;
	if (req_op(rq) == REQ_OP_WRITE_ZEROES && (rq->cmd_flags & REQ_NOUNMAP))
		flags |= RF_BLOCK_KEEP;
	return flags;
}

static void fill_granted(struct rf_block_request *request, const struct block_command *command)
{
	unsigned int i;

	for (i = 0; i < command->grant_count; i++)
		request->segment[i] = (struct rf_block_segment){
			.grant	= command->grants[i].number,
			.bytes	= command->grants[i].bytes,
		};
	request->segments = command->grant_count;
}

static void fill_pooled(const struct block_queue *queue, struct rf_block_request *request,
			const struct block_command *command, u32 bytes)
{
	unsigned int i;

	for (i = 0; i < command->piece_count; i++) {
		u32 size = min_t(u32, bytes, command->pieces[i].count * PAGE_SIZE);

		request->segment[i] = (struct rf_block_segment){
			.grant	= queue->pool_grant,
			.offset	= command->pieces[i].first * PAGE_SIZE,
			.bytes	= size,
		};
		bytes -= size;
	}
	request->segments = command->piece_count;
}

static void put_request(struct block_queue *queue, struct request *rq)
{
	const struct block_command *command = command_of(rq);
	struct rf_block_request request = {
		.id		= rq->tag,
		.operation	= operation_of(rq),
		.flags		= flags_of(rq),
	};

	if (req_op(rq) != REQ_OP_FLUSH) {
		request.sector = blk_rq_pos(rq);
		request.sectors = blk_rq_sectors(rq);
	}
	if (command->direct)
		fill_granted(&request, command);
	else
		fill_pooled(queue, &request, command, blk_rq_bytes(rq));
	*request_slot(queue, queue->requests) = request;
	queue->under_way[rq->tag] = rq;
	queue->requests++;
}

/* Under the lock. Says whether the back end waits for an event. */
static bool publish(struct block_queue *queue)
{
	u32 before = queue->told;

	if (before == queue->requests)
		return false;
	queue->told = queue->requests;
	smp_store_release(&queue->ring->request_producer, queue->told);
	smp_mb();
	return rf_ring_wants_event(before, queue->told,
				   READ_ONCE(queue->ring->request_threshold));
}

static void publish_and_tell(struct block_queue *queue)
{
	unsigned long flags;
	bool tell;

	spin_lock_irqsave(&queue->lock, flags);
	tell = publish(queue);
	spin_unlock_irqrestore(&queue->lock, flags);
	if (tell)
		rf_channel_send(queue->irq);
}

/* Room for it, or the queue stops until there is some. */
static bool reserve(struct block_queue *queue, struct blk_mq_hw_ctx *context, struct request *rq)
{
	u32 frames = has_data(rq) ? DIV_ROUND_UP(blk_rq_bytes(rq), PAGE_SIZE) : 0;
	struct block_command *command = command_of(rq);
	unsigned long flags;
	bool enough;

	command->direct = frames && !command->refused && block_grant_request(queue->disk, rq);
	if (command->direct)
		return true;
	spin_lock_irqsave(&queue->lock, flags);
	enough = take_pool(queue, command, frames);
	if (!enough)
		blk_mq_stop_hw_queue(context);
	spin_unlock_irqrestore(&queue->lock, flags);
	return enough;
}

static blk_status_t queue_request(struct blk_mq_hw_ctx *context,
				  const struct blk_mq_queue_data *data)
{
	struct block_queue *queue = context->driver_data;
	struct request *rq = data->rq;
	unsigned long flags;

	if (READ_ONCE(queue->disk->dead))
		return BLK_STS_IOERR;
	if (operation_of(rq) < 0)
		return BLK_STS_NOTSUPP;
	if (!reserve(queue, context, rq)) {
		publish_and_tell(queue);
		return BLK_STS_DEV_RESOURCE;
	}
	blk_mq_start_request(rq);
	if (req_op(rq) == REQ_OP_WRITE && !command_of(rq)->direct)
		copy_data(queue, rq, true);
	spin_lock_irqsave(&queue->lock, flags);
	put_request(queue, rq);
	spin_unlock_irqrestore(&queue->lock, flags);
	if (data->last)
		publish_and_tell(queue);
	return BLK_STS_OK;
}

static void commit_requests(struct blk_mq_hw_ctx *context)
{
	publish_and_tell(context->driver_data);
}

/* --- Responses */

static blk_status_t status_of(u32 status)
{
	switch (status) {
	case RF_BLOCK_OK:
		return BLK_STS_OK;
	case RF_BLOCK_UNSUPPORTED:
		return BLK_STS_NOTSUPP;
	case RF_BLOCK_NO_SPACE:
		return BLK_STS_NOSPC;
	default:
		return BLK_STS_IOERR;
	}
}

/* Nothing of it is used any more. What could not be done with its frames is done with the pool. */
static void end_request(struct request *rq)
{
	struct blk_mq_hw_ctx *context = rq->mq_hctx;
	struct block_command *command = command_of(rq);

	if (command->direct && command->refused) {
		blk_mq_requeue_request(rq, true);
	} else {
		command->refused = false;
		blk_mq_end_request(rq, command->status);
	}
	blk_mq_start_stopped_hw_queue(context, true);
}

/* False: the back end still uses its frames, so nobody else may have them, and the request waits. */
static bool give_back(struct block_queue *queue, struct block_command *command)
{
	unsigned long flags;
	bool unused;

	spin_lock_irqsave(&queue->lock, flags);
	give_pool(queue, command);
	unused = block_grant_take_back(queue->disk, command);
	if (!unused)
		list_add_tail(&command->held, &queue->held);
	spin_unlock_irqrestore(&queue->lock, flags);
	return unused;
}

/* In the interrupt or after it, on the CPU that had asked; so not under the lock. */
static void complete_request(struct request *rq)
{
	struct block_queue *queue = rq->mq_hctx->driver_data;
	struct block_command *command = command_of(rq);

	if (req_op(rq) == REQ_OP_READ && command->status == BLK_STS_OK && !command->direct)
		copy_data(queue, rq, false);
	if (give_back(queue, command))
		end_request(rq);
	else
		block_disk_held(queue->disk);
}

/* Those that nobody uses any more come off the list. */
static bool take_held(struct block_queue *queue, struct list_head *unused)
{
	struct block_command *command, *next;
	bool more;

	spin_lock_irq(&queue->lock);
	list_for_each_entry_safe(command, next, &queue->held, held)
		if (block_grant_take_back(queue->disk, command))
			list_move_tail(&command->held, unused);
	more = !list_empty(&queue->held);
	spin_unlock_irq(&queue->lock);
	return more;
}

bool block_queues_end_held(struct block_disk *disk)
{
	struct block_command *command, *next;
	LIST_HEAD(unused);
	bool more = false;
	unsigned int i;

	for (i = 0; i < disk->queue_count; i++)
		more |= take_held(&disk->queues[i], &unused);
	list_for_each_entry_safe(command, next, &unused, held)
		end_request(blk_mq_rq_from_pdu(command));
	return more;
}

/* Under the lock. NULL: there is no such request. */
static struct request *take_response(struct block_queue *queue)
{
	struct rf_block_response response = READ_ONCE(*response_slot(queue, queue->responses));
	struct request *rq;

	if (response.id >= slots_of(queue))
		return NULL;
	rq = xchg(&queue->under_way[array_index_nospec(response.id, slots_of(queue))], NULL);
	if (!rq)
		return NULL;
	queue->responses++;
	command_of(rq)->status = status_of(response.status);
	command_of(rq)->refused = response.status == RF_BLOCK_INVALID;
	return rq;
}

/* Under the lock: no more than were asked for, and some of them at once. */
static unsigned int take_responses(struct block_queue *queue, struct request **taken)
{
	u32 producer = smp_load_acquire(&queue->ring->response_producer);
	unsigned int count = 0;

	if (producer - queue->responses > queue->told - queue->responses) {
		block_disk_break(queue->disk, "responses without requests");
		return 0;
	}
	while (queue->responses != producer && count < TAKEN) {
		taken[count] = take_response(queue);
		if (!taken[count]) {
			block_disk_break(queue->disk, "a response to what was not asked");
			break;
		}
		count++;
	}
	return count;
}

/* None: there is an event for the next, unless there is one after the threshold has been written. */
static unsigned int take_some(struct block_queue *queue, struct request **taken)
{
	unsigned int count = 0;

	spin_lock(&queue->lock);
	if (!READ_ONCE(queue->disk->broken))
		count = take_responses(queue, taken);
	if (!count && !READ_ONCE(queue->disk->broken)) {
		WRITE_ONCE(queue->ring->response_threshold, queue->responses + 1);
		smp_mb();
		count = take_responses(queue, taken);
	}
	spin_unlock(&queue->lock);
	return count;
}

static irqreturn_t queue_interrupt(int irq, void *argument)
{
	struct request *taken[TAKEN];
	unsigned int count, i;

	do {
		count = take_some(argument, taken);
		for (i = 0; i < count; i++)
			blk_mq_complete_request(taken[i]);
	} while (count);
	return IRQ_HANDLED;
}

/* --- Queues */

static int init_context(struct blk_mq_hw_ctx *context, void *data, unsigned int number)
{
	struct block_disk *disk = data;

	context->driver_data = &disk->queues[number];
	return 0;
}

const struct blk_mq_ops block_queue_ops = {
	.queue_rq	= queue_request,
	.commit_rqs	= commit_requests,
	.complete	= complete_request,
	.init_hctx	= init_context,
};

static int make_channel(struct block_queue *queue)
{
	struct rf_device *device = queue->disk->device;
	int irq = rf_channel_listen(device->backend_domain), error;

	if (irq < 0)
		return irq;
	error = request_irq(irq, queue_interrupt, IRQF_NO_AUTOEN, dev_name(&device->dev), queue);
	if (error) {
		rf_channel_close(irq);
		return error;
	}
	queue->irq = irq;
	irq_set_affinity_and_hint(irq, cpumask_of(cpumask_nth(queue->number % num_online_cpus(),
							      cpu_online_mask)));
	return 0;
}

static void *make_pages(int order)
{
	return (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN, order);
}

static int make_queue(struct block_queue *queue)
{
	const struct block_limits *limits = &queue->disk->limits;

	queue->ring_order = get_order(rf_ring_frames(limits->slots, REQUEST_SIZE, RESPONSE_SIZE)
				      << PAGE_SHIFT);
	queue->pool_order = get_order((unsigned long)limits->pool_frames << PAGE_SHIFT);
	queue->ring = make_pages(queue->ring_order);
	queue->pool = make_pages(queue->pool_order);
	queue->pool_taken = bitmap_zalloc(limits->pool_frames, GFP_KERNEL);
	queue->under_way = kcalloc(limits->slots, sizeof(*queue->under_way), GFP_KERNEL);
	if (!queue->ring || !queue->pool || !queue->pool_taken || !queue->under_way)
		return -ENOMEM;
	return make_channel(queue);
}

static void free_pages_of(int grant, void *pages, int order)
{
	if (grant >= 0)
		rf_grant_free(grant, virt_to_page(pages), order);
	else
		free_pages((unsigned long)pages, order);
}

static void destroy_queue(struct block_queue *queue)
{
	if (queue->irq) {
		irq_set_affinity_and_hint(queue->irq, NULL);
		free_irq(queue->irq, queue);
		rf_channel_close(queue->irq);
	}
	free_pages_of(queue->ring_grant, queue->ring, queue->ring_order);
	free_pages_of(queue->pool_grant, queue->pool, queue->pool_order);
	bitmap_free(queue->pool_taken);
	kfree(queue->under_way);
}

static void begin_queue(struct block_queue *queue, struct block_disk *disk, unsigned int number)
{
	queue->disk = disk;
	queue->number = number;
	queue->ring_grant = -ENOENT;
	queue->pool_grant = -ENOENT;
	spin_lock_init(&queue->lock);
	INIT_LIST_HEAD(&queue->held);
}

int block_queues_make(struct block_disk *disk)
{
	unsigned int count = disk->limits.queues, i;
	int error = 0;

	disk->queues = kcalloc(count, sizeof(*disk->queues), GFP_KERNEL);
	if (!disk->queues)
		return -ENOMEM;
	disk->queue_count = count;
	for (i = 0; i < count; i++)
		begin_queue(&disk->queues[i], disk, i);
	for (i = 0; i < count && !error; i++)
		error = make_queue(&disk->queues[i]);
	if (error)
		block_queues_destroy(disk);
	return error;
}

void block_queues_destroy(struct block_disk *disk)
{
	unsigned int i;

	for (i = 0; i < disk->queue_count; i++)
		destroy_queue(&disk->queues[i]);
	kfree(disk->queues);
	disk->queues = NULL;
	disk->queue_count = 0;
}

/* --- Connecting */

static void clear_ring(struct block_queue *queue)
{
	memset(queue->ring, 0, PAGE_SIZE << queue->ring_order);
	*queue->ring = (struct rf_ring){
		.magic			= RF_RING_MAGIC,
		.slots			= slots_of(queue),
		.request_bytes		= REQUEST_SIZE,
		.response_bytes		= RESPONSE_SIZE,
		.response_threshold	= 1,
	};
	queue->requests = 0;
	queue->told = 0;
	queue->responses = 0;
}

static int grant_queue(struct block_queue *queue)
{
	const struct block_disk *disk = queue->disk;

	clear_ring(queue);
	queue->ring_grant = rf_grant(disk->device->backend_domain, __pa(queue->ring),
				     1U << queue->ring_order, true);
	if (queue->ring_grant < 0)
		return queue->ring_grant;
	queue->pool_grant = rf_grant(disk->device->backend_domain, __pa(queue->pool),
				     disk->limits.pool_frames, true);
	return min(queue->pool_grant, 0);
}

int block_queues_grant(struct block_disk *disk)
{
	unsigned int i;
	int error = 0;

	for (i = 0; i < disk->queue_count && !error; i++)
		error = grant_queue(&disk->queues[i]);
	return error;
}

static bool revoke(int *grant)
{
	if (*grant >= 0 && rf_grant_revoke(*grant))
		*grant = -ENOENT;
	return *grant < 0;
}

/* Those of single requests. One that fails at this moment is not gone before the lock is given up. */
static bool revoke_under_way(struct block_queue *queue)
{
	bool all = true;
	u32 id;

	spin_lock_irq(&queue->lock);
	for (id = 0; id < slots_of(queue); id++) {
		struct request *rq = READ_ONCE(queue->under_way[id]);

		if (rq)
			all &= block_grant_take_back(queue->disk, command_of(rq));
	}
	spin_unlock_irq(&queue->lock);
	return all;
}

bool block_queues_revoke(struct block_disk *disk)
{
	bool all = true;
	unsigned int i;

	for (i = 0; i < disk->queue_count; i++) {
		all &= revoke(&disk->queues[i].ring_grant);
		all &= revoke(&disk->queues[i].pool_grant);
		all &= revoke_under_way(&disk->queues[i]);
	}
	return all;
}

void block_queues_enable(struct block_disk *disk)
{
	unsigned int i;

	for (i = 0; i < disk->queue_count; i++)
		enable_irq(disk->queues[i].irq);
}

void block_queues_disable(struct block_disk *disk)
{
	unsigned int i;

	for (i = 0; i < disk->queue_count; i++)
		disable_irq(disk->queues[i].irq);
}

/* --- What the back end had, when there is none any more */

/* Each once, without the lock. */
static void for_each_under_way(struct block_disk *disk,
			       void (*call)(struct block_queue *queue, struct request *rq))
{
	unsigned int i, id;

	for (i = 0; i < disk->queue_count; i++) {
		struct block_queue *queue = &disk->queues[i];

		for (id = 0; id < disk->limits.slots; id++) {
			struct request *rq = xchg(&queue->under_way[id], NULL);

			if (rq)
				call(queue, rq);
		}
	}
}

static void requeue_one(struct block_queue *queue, struct request *rq)
{
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	give_pool(queue, command_of(rq));
	spin_unlock_irqrestore(&queue->lock, flags);
	blk_mq_requeue_request(rq, false);
}

void block_queues_requeue(struct block_disk *disk)
{
	for_each_under_way(disk, requeue_one);
}

static void fail_one(struct block_queue *queue, struct request *rq)
{
	command_of(rq)->status = BLK_STS_IOERR;
	command_of(rq)->refused = false;
	blk_mq_complete_request(rq);
}

void block_queues_fail(struct block_disk *disk)
{
	for_each_under_way(disk, fail_one);
}
