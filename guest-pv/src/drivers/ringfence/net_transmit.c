// SPDX-License-Identifier: GPL-2.0
/*
 * The front end of networks: packets that go. Each is copied into the pool and freed at once. The
 * pool's part for them is used round and round; a packet that meets its end is in two pieces.
 *
 * The back end answers fast, and what it has answered is noticed when the next packet goes; so its
 * interrupt is asked for only when there is no room for another packet, and the queue is stopped.
 */
#include <linux/ip.h>
#include <linux/nospec.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>

#include <asm/ringfence/channel.h>

#include "net.h"

static u32 area_of(const struct net_queue *queue)
{
	const struct net_limits *limits = &queue->net->limits;

	return (limits->pool_frames - limits->slots) * PAGE_SIZE;
}

static u32 area_offset(const struct net_queue *queue)
{
	return queue->net->limits.slots * PAGE_SIZE;
}

/* --- Room: under the lock */

static bool has_room(const struct net_queue *queue, u32 bytes)
{
	return queue->transmit.requests - queue->oldest < queue->net->limits.slots &&
	       queue->used + bytes <= area_of(queue);
}

static struct net_sent *sent_of(const struct net_queue *queue, u32 number)
{
	return &queue->sent[number & (queue->net->limits.slots - 1)];
}

/* Answers come in any order, the room is given back in that of the packets. */
static void give_room(struct net_queue *queue)
{
	while (queue->oldest != queue->transmit.requests && !sent_of(queue, queue->oldest)->under_way) {
		u32 bytes = sent_of(queue, queue->oldest)->bytes;

		queue->start = (queue->start + bytes) % area_of(queue);
		queue->used -= bytes;
		queue->oldest++;
	}
}

static bool take_response(struct net_queue *queue)
{
	struct rf_net_transmit_response response;
	struct net_sent *sent;

	net_ring_response(&queue->transmit, queue->transmit.responses, &response);
	if (response.id >= queue->net->limits.slots)
		return false;
	sent = &queue->sent[array_index_nospec(response.id, queue->net->limits.slots)];
	if (!sent->under_way)
		return false;
	sent->under_way = false;
	queue->transmit.responses++;
	queue->sent_counts.drops += response.status == RF_NET_DROPPED;
	queue->sent_counts.errors += response.status > RF_NET_DROPPED;
	return true;
}

bool net_transmit_reap(struct net_queue *queue)
{
	int waiting = net_ring_waiting(&queue->transmit);

	if (waiting < 0) {
		net_break(queue->net, "responses without requests");
		return false;
	}
	for (; waiting; waiting--) {
		if (!take_response(queue)) {
			net_break(queue->net, "a response to what was not asked");
			return false;
		}
	}
	give_room(queue);
	return true;
}

static struct netdev_queue *netdev_queue_of(const struct net_queue *queue)
{
	return netdev_get_tx_queue(queue->net->dev, queue->number);
}

void net_transmit_wake(struct net_queue *queue)
{
	if (netif_tx_queue_stopped(netdev_queue_of(queue)) && has_room(queue, RF_NET_BYTES_MAX) &&
	    READ_ONCE(queue->net->active))
		netif_tx_wake_queue(netdev_queue_of(queue));
}

/* Until there is room for any packet. */
static void stop_if_full(struct net_queue *queue)
{
	if (has_room(queue, RF_NET_BYTES_MAX))
		return;
	netif_tx_stop_queue(netdev_queue_of(queue));
	queue->sent_counts.stops++;
	while (net_ring_arm(&queue->transmit))
		if (!net_transmit_reap(queue))
			return;
	net_transmit_wake(queue);
}

/* --- A packet */

static void describe(const struct sk_buff *skb, struct rf_net_offload *offload)
{
	if (skb->ip_summed != CHECKSUM_PARTIAL)
		return;
	offload->flags = RF_NET_CHECKSUM;
	offload->checksum_start = skb_checksum_start_offset(skb);
	offload->checksum_offset = skb->csum_offset;
	if (!skb_is_gso(skb))
		return;
	offload->cut = skb_shinfo(skb)->gso_type & SKB_GSO_TCPV4 ? RF_NET_TCP4 : RF_NET_TCP6;
	offload->header_bytes = skb_tcp_all_headers(skb);
	offload->segment_bytes = skb_shinfo(skb)->gso_size;
}

static void add_segment(const struct net_queue *queue, struct rf_net_transmit_request *request,
			const struct sk_buff *skb, u32 from, u32 at, u32 bytes)
{
	u32 offset = area_offset(queue) + at;

	/* As much as there is, always. */
	skb_copy_bits(skb, from, queue->pool + offset, bytes);
	request->segment[request->segments++] = (struct rf_net_segment){ offset, bytes };
}

static void put_data(struct net_queue *queue, struct rf_net_transmit_request *request,
		     const struct sk_buff *skb)
{
	u32 at = (queue->start + queue->used) % area_of(queue);
	u32 first = min_t(u32, skb->len, area_of(queue) - at);

	add_segment(queue, request, skb, 0, at, first);
	if (first < skb->len)
		add_segment(queue, request, skb, first, 0, skb->len - first);
	queue->used += skb->len;
}

static void put_packet(struct net_queue *queue, const struct sk_buff *skb)
{
	u32 number = queue->transmit.requests;
	struct rf_net_transmit_request request = {
		.id	= number & (queue->net->limits.slots - 1),
		.bytes	= skb->len,
	};

	describe(skb, &request.offload);
	put_data(queue, &request, skb);
	*sent_of(queue, number) = (struct net_sent){ skb->len, true };
	memcpy(net_ring_request(&queue->transmit, number), &request, sizeof(request));
	queue->transmit.requests++;
	queue->sent_counts.packets++;
	queue->sent_counts.bytes += skb->len;
}

static void publish(struct net_queue *queue)
{
	if (!net_ring_publish(&queue->transmit))
		return;
	queue->sent_counts.events++;
	rf_channel_send(queue->irq);
}

/* Under the lock. False: there is no room. */
static bool send_packet(struct net_queue *queue, const struct sk_buff *skb)
{
	if (READ_ONCE(queue->net->broken) || !net_transmit_reap(queue)) {
		queue->sent_counts.drops++;
		return true;
	}
	if (!has_room(queue, skb->len)) {
		stop_if_full(queue);
		return false;
	}
	put_packet(queue, skb);
	stop_if_full(queue);
	if (!netdev_xmit_more() || netif_xmit_stopped(netdev_queue_of(queue)))
		publish(queue);
	return true;
}

netdev_tx_t net_transmit(struct sk_buff *skb, struct net_device *dev)
{
	struct net_queue *queue = &net_state(dev)->queues[skb_get_queue_mapping(skb)];
	bool sent;

	spin_lock(&queue->lock);
	sent = send_packet(queue, skb);
	/* What was put there before and not told must not wait for a packet that has no room. */
	if (!sent)
		publish(queue);
	spin_unlock(&queue->lock);
	if (!sent)
		return NETDEV_TX_BUSY;
	skb_tx_timestamp(skb);
	dev_consume_skb_any(skb);
	return NETDEV_TX_OK;
}
