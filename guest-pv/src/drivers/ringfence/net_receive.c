// SPDX-License-Identifier: GPL-2.0
/*
 * The front end of networks: packets that come, and polling. Buffers are frames of the pool; a packet
 * is copied out of them into memory of its own before anything of it is looked at, and they are given
 * back at once.
 */
#include <linux/nospec.h>
#include <linux/skbuff.h>
#include <linux/virtio_net.h>

#include <asm/ringfence/channel.h>

#include "net.h"

#define LINEAR	256	/* of a packet; the rest is in pages */

/* --- Buffers */

static void give_buffer(struct net_queue *queue, u32 id)
{
	const struct rf_net_receive_request request = {
		.id	= id,
		.offset	= id * PAGE_SIZE,
		.bytes	= PAGE_SIZE,
	};

	memcpy(net_ring_request(&queue->receive, queue->receive.requests), &request,
	       sizeof(request));
	queue->receive.requests++;
	__set_bit(id, queue->given);
}

static void publish(struct net_queue *queue)
{
	if (!net_ring_publish(&queue->receive))
		return;
	queue->received_counts.events++;
	rf_channel_send(queue->irq);
}

void net_receive_give(struct net_queue *queue)
{
	u32 id;

	for_each_clear_bit(id, queue->given, queue->net->limits.slots)
		give_buffer(queue, id);
	publish(queue);
}

/* --- A packet */

/* Reads a response. Its buffer is ours again. */
static bool take_response(struct net_queue *queue, struct rf_net_receive_response *response)
{
	net_ring_response(&queue->receive, queue->receive.responses, response);
	if (response->id >= queue->net->limits.slots || response->bytes > PAGE_SIZE)
		return false;
	response->id = array_index_nospec(response->id, queue->net->limits.slots);
	if (!__test_and_clear_bit(response->id, queue->given))
		return false;
	queue->receive.responses++;
	return true;
}

/* All responses of one packet, of so many that there are. The packet's size, or negative: it is none. */
static int take_packet(struct net_queue *queue, int waiting)
{
	struct rf_net_receive_response *packet = queue->packet;
	int bytes, i;

	if (!take_response(queue, packet) || !packet->buffers ||
	    packet->buffers > RF_NET_BUFFERS_MAX || packet->buffers > waiting)
		return -EPROTO;
	bytes = packet->bytes;
	for (i = 1; i < packet->buffers; i++) {
		if (!take_response(queue, &packet[i]) || packet[i].buffers)
			return -EPROTO;
		bytes += packet[i].bytes;
	}
	return bytes;
}

/* Where in its buffers a packet is being read. */
struct cursor {
	const struct net_queue *queue;
	int buffer;
	u32 offset;
};

static void copy_out(struct cursor *from, void *to, u32 bytes)
{
	while (bytes) {
		const struct rf_net_receive_response *part = &from->queue->packet[from->buffer];
		u32 size = min(bytes, part->bytes - from->offset);

		memcpy(to, from->queue->pool + part->id * PAGE_SIZE + from->offset, size);
		to += size;
		bytes -= size;
		from->offset += size;
		if (from->offset == part->bytes) {
			from->buffer++;
			from->offset = 0;
		}
	}
}

static bool add_pages(struct sk_buff *skb, struct cursor *from, u32 bytes)
{
	while (bytes) {
		u32 size = min_t(u32, bytes, PAGE_SIZE);
		struct page *page = dev_alloc_page();

		if (!page)
			return false;
		copy_out(from, page_address(page), size);
		skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page, 0, size, PAGE_SIZE);
		bytes -= size;
	}
	return true;
}

static struct sk_buff *make_skb(struct net_queue *queue, u32 bytes)
{
	struct cursor from = { queue };
	u32 linear = min_t(u32, bytes, LINEAR);
	struct sk_buff *skb = napi_alloc_skb(&queue->napi, linear);

	if (!skb)
		return NULL;
	copy_out(&from, skb_put(skb, linear), linear);
	if (add_pages(skb, &from, bytes - linear))
		return skb;
	kfree_skb(skb);
	return NULL;
}

/* What is left to be done with it, in the words of those who check just that. */
static bool describe(struct sk_buff *skb, const struct rf_net_offload *offload)
{
	static const u8 cuts[RF_NET_CUTS] = { VIRTIO_NET_HDR_GSO_NONE, VIRTIO_NET_HDR_GSO_TCPV4,
					      VIRTIO_NET_HDR_GSO_TCPV6 };
	struct virtio_net_hdr header = {
		.gso_size	= offload->segment_bytes,
		.csum_start	= offload->checksum_start,
		.csum_offset	= offload->checksum_offset,
	};

	if (offload->cut >= RF_NET_CUTS)
		return false;
	header.gso_type = cuts[array_index_nospec(offload->cut, RF_NET_CUTS)];
	if (offload->flags & RF_NET_CHECKSUM)
		header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	else if (offload->flags & RF_NET_CHECKED)
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	return !virtio_net_hdr_to_skb(skb, &header, true);
}

static void deliver(struct net_queue *queue, struct sk_buff *skb)
{
	struct net_device *dev = queue->net->dev;

	if (!describe(skb, &queue->packet[0].offload)) {
		queue->received_counts.errors++;
		kfree_skb(skb);
		return;
	}
	queue->received_counts.packets++;
	queue->received_counts.bytes += skb->len;
	skb_record_rx_queue(skb, queue->number);
	skb->protocol = eth_type_trans(skb, dev);
	napi_gro_receive(&queue->napi, skb);
}

static void use_packet(struct net_queue *queue, int bytes)
{
	struct sk_buff *skb;

	if (queue->packet[0].status != RF_NET_OK || bytes < ETH_HLEN || bytes > RF_NET_BYTES_MAX) {
		queue->received_counts.errors++;
		return;
	}
	skb = make_skb(queue, bytes);
	if (skb)
		deliver(queue, skb);
	else
		queue->received_counts.drops++;
}

static void give_back(struct net_queue *queue)
{
	int i, count = queue->packet[0].buffers;

	for (i = 0; i < count; i++)
		give_buffer(queue, queue->packet[i].id);
}

/* --- Polling */

/* At most so many. Their number, or negative: the connection is broken. */
static int receive(struct net_queue *queue, int budget)
{
	int done;

	for (done = 0; done < budget; done++) {
		int waiting = net_ring_waiting(&queue->receive);
		int bytes = waiting;

		if (waiting > 0)
			bytes = take_packet(queue, waiting);
		if (bytes < 0)
			return bytes;
		if (!waiting)
			break;
		use_packet(queue, bytes);
		give_back(queue);
	}
	publish(queue);
	return done;
}

/* A queue that is not stopped needs no interrupt for answers. */
static void poll_transmit(struct net_queue *queue)
{
	spin_lock(&queue->lock);
	if (!READ_ONCE(queue->net->broken) && net_transmit_reap(queue)) {
		net_transmit_wake(queue);
		if (netif_tx_queue_stopped(netdev_get_tx_queue(queue->net->dev, queue->number)) &&
		    net_ring_arm(&queue->transmit) && net_transmit_reap(queue))
			net_transmit_wake(queue);
	}
	spin_unlock(&queue->lock);
}

int net_receive_poll(struct napi_struct *napi, int budget)
{
	struct net_queue *queue = container_of(napi, struct net_queue, napi);
	int done = 0;

	poll_transmit(queue);
	if (!READ_ONCE(queue->net->broken))
		done = receive(queue, budget);
	if (done < 0) {
		net_break(queue->net, "packets that cannot be");
		done = 0;
	}
	if (done == budget)
		return done;
	if (napi_complete_done(napi, done) && !READ_ONCE(queue->net->broken) &&
	    net_ring_arm(&queue->receive))
		napi_schedule(napi);
	return done;
}
