// SPDX-License-Identifier: GPL-2.0
/*
 * The front end of networks: the queues, each with two rings, a pool and a channel; made once, granted
 * anew for each back end. At the start of the pool are the buffers for packets that come, a frame each;
 * the rest is for packets that go.
 */
#include <linux/bitmap.h>
#include <linux/interrupt.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include <asm/ringfence/channel.h>
#include <asm/ringfence/grant.h>

#include "net.h"

static irqreturn_t queue_interrupt(int irq, void *argument)
{
	struct net_queue *queue = argument;

	queue->interrupts++;
	napi_schedule_irqoff(&queue->napi);
	return IRQ_HANDLED;
}

/* --- Making */

static int make_channel(struct net_queue *queue)
{
	struct rf_device *device = queue->net->device;
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

static int make_ring(struct net_ring *ring, u32 slots, u32 request_size, u32 response_size)
{
	ring->slots = slots;
	ring->request_size = request_size;
	ring->response_size = response_size;
	ring->order = get_order(rf_ring_frames(slots, request_size, response_size) << PAGE_SHIFT);
	ring->shared = make_pages(ring->order);
	return ring->shared ? 0 : -ENOMEM;
}

static int make_rings(struct net_queue *queue, u32 slots)
{
	int error = make_ring(&queue->transmit, slots, sizeof(struct rf_net_transmit_request),
			      sizeof(struct rf_net_transmit_response));

	if (!error)
		error = make_ring(&queue->receive, slots, sizeof(struct rf_net_receive_request),
				  sizeof(struct rf_net_receive_response));
	return error;
}

static int make_queue(struct net_queue *queue)
{
	const struct net_limits *limits = &queue->net->limits;
	int error = make_rings(queue, limits->slots);

	if (error)
		return error;
	queue->pool_order = get_order((unsigned long)limits->pool_frames << PAGE_SHIFT);
	queue->pool = make_pages(queue->pool_order);
	queue->sent = kcalloc(limits->slots, sizeof(*queue->sent), GFP_KERNEL);
	queue->given = bitmap_zalloc(limits->slots, GFP_KERNEL);
	if (!queue->pool || !queue->sent || !queue->given)
		return -ENOMEM;
	return make_channel(queue);
}

static void begin_queue(struct net_queue *queue, struct net_device_state *net, unsigned int number)
{
	queue->net = net;
	queue->number = number;
	queue->transmit.grant = -ENOENT;
	queue->receive.grant = -ENOENT;
	queue->pool_grant = -ENOENT;
	spin_lock_init(&queue->lock);
}

int net_queues_make(struct net_device_state *net)
{
	unsigned int count = net->limits.queues, i;
	int error = 0;

	net->queues = kcalloc(count, sizeof(*net->queues), GFP_KERNEL);
	if (!net->queues)
		return -ENOMEM;
	net->queue_count = count;
	for (i = 0; i < count; i++)
		begin_queue(&net->queues[i], net, i);
	for (i = 0; i < count && !error; i++)
		error = make_queue(&net->queues[i]);
	if (error)
		net_queues_destroy(net);
	return error;
}

static void free_pages_of(int grant, void *pages, int order)
{
	if (grant >= 0)
		rf_grant_free(grant, virt_to_page(pages), order);
	else
		free_pages((unsigned long)pages, order);
}

static void destroy_queue(struct net_queue *queue)
{
	if (queue->irq) {
		irq_set_affinity_and_hint(queue->irq, NULL);
		free_irq(queue->irq, queue);
		rf_channel_close(queue->irq);
	}
	free_pages_of(queue->transmit.grant, queue->transmit.shared, queue->transmit.order);
	free_pages_of(queue->receive.grant, queue->receive.shared, queue->receive.order);
	free_pages_of(queue->pool_grant, queue->pool, queue->pool_order);
	bitmap_free(queue->given);
	kfree(queue->sent);
}

void net_queues_destroy(struct net_device_state *net)
{
	unsigned int i;

	for (i = 0; i < net->queue_count; i++)
		destroy_queue(&net->queues[i]);
	kfree(net->queues);
	net->queues = NULL;
	net->queue_count = 0;
}

/* --- Connecting */

/* Packets that the last back end had, and said nothing of. */
static void count_unanswered(struct net_queue *queue)
{
	u32 i;

	for (i = 0; i < queue->net->limits.slots; i++)
		queue->sent_counts.unanswered += queue->sent[i].under_way;
}

static void clear_queue(struct net_queue *queue)
{
	u32 slots = queue->net->limits.slots;

	count_unanswered(queue);
	net_ring_clear(&queue->transmit);
	net_ring_clear(&queue->receive);
	bitmap_zero(queue->given, slots);
	memset(queue->sent, 0, slots * sizeof(*queue->sent));
	queue->oldest = 0;
	queue->start = 0;
	queue->used = 0;
}

static int grant(const struct net_queue *queue, void *pages, u32 frames, int *number)
{
	*number = rf_grant(queue->net->device->backend_domain, __pa(pages), frames, true);
	return min(*number, 0);
}

static int grant_queue(struct net_queue *queue)
{
	int error;

	clear_queue(queue);
	error = grant(queue, queue->transmit.shared, 1U << queue->transmit.order,
		      &queue->transmit.grant);
	if (!error)
		error = grant(queue, queue->receive.shared, 1U << queue->receive.order,
			      &queue->receive.grant);
	if (!error)
		error = grant(queue, queue->pool, queue->net->limits.pool_frames,
			      &queue->pool_grant);
	return error;
}

int net_queues_grant(struct net_device_state *net)
{
	unsigned int i;
	int error = 0;

	for (i = 0; i < net->queue_count && !error; i++)
		error = grant_queue(&net->queues[i]);
	return error;
}

static bool revoke(int *number)
{
	if (*number >= 0 && rf_grant_revoke(*number))
		*number = -ENOENT;
	return *number < 0;
}

bool net_queues_revoke(struct net_device_state *net)
{
	bool all = true;
	unsigned int i;

	for (i = 0; i < net->queue_count; i++) {
		all &= revoke(&net->queues[i].transmit.grant);
		all &= revoke(&net->queues[i].receive.grant);
		all &= revoke(&net->queues[i].pool_grant);
	}
	return all;
}

/* --- Packets go and come */

static void start_queue(struct net_queue *queue)
{
	napi_enable(&queue->napi);
	net_receive_give(queue);
	enable_irq(queue->irq);
	/* What came before. */
	local_bh_disable();
	napi_schedule(&queue->napi);
	local_bh_enable();
}

void net_queues_start(struct net_device_state *net)
{
	unsigned int i;

	for (i = 0; i < net->queue_count; i++)
		start_queue(&net->queues[i]);
	netif_tx_start_all_queues(net->dev);
}

void net_queues_stop(struct net_device_state *net)
{
	unsigned int i;

	for (i = 0; i < net->queue_count; i++) {
		disable_irq(net->queues[i].irq);
		napi_disable(&net->queues[i].napi);
	}
	/* Polling may have waked a queue until now. */
	netif_tx_disable(net->dev);
}
