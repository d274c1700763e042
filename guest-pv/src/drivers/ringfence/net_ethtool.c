// SPDX-License-Identifier: GPL-2.0
/*
 * The front end of networks: what the interface says of itself, to ethtool and to whoever asks for its
 * counts. Each is counted by queue, where no other processor writes it, and summed up when asked for.
 * Queues, and so counts, stay when back ends change.
 */
#include <linux/compiler.h>
#include <linux/ethtool.h>

#include "net.h"

static const struct {
	const char *direction;
	const char *name;
	size_t offset;
} counts[] = {
#define SENT(field)	{ "tx", #field, offsetof(struct net_queue, sent_counts.field) }
#define RECEIVED(field)	{ "rx", #field, offsetof(struct net_queue, received_counts.field) }
	SENT(packets),
	SENT(bytes),
	SENT(drops),
	SENT(errors),
	SENT(unanswered),
	SENT(stops),
	SENT(events),
	RECEIVED(packets),
	RECEIVED(bytes),
	RECEIVED(drops),
	RECEIVED(errors),
	RECEIVED(events),
	{ "rx", "interrupts", offsetof(struct net_queue, interrupts) },
};

static void get_driver(struct net_device *dev, struct ethtool_drvinfo *info)
{
	strscpy(info->driver, "ringfence-net", sizeof(info->driver));
	strscpy(info->bus_info, dev_name(dev->dev.parent), sizeof(info->bus_info));
}

static void get_channels(struct net_device *dev, struct ethtool_channels *channels)
{
	channels->max_combined = dev->real_num_tx_queues;
	channels->combined_count = dev->real_num_tx_queues;
}

static int get_count(struct net_device *dev, int set)
{
	return set == ETH_SS_STATS ? net_state(dev)->queue_count * ARRAY_SIZE(counts) : -EOPNOTSUPP;
}

static void get_names(struct net_device *dev, u32 set, u8 *names)
{
	unsigned int queue, i;

	if (set != ETH_SS_STATS)
		return;
	for (queue = 0; queue < net_state(dev)->queue_count; queue++)
		for (i = 0; i < ARRAY_SIZE(counts); i++)
			ethtool_sprintf(&names, "%s_queue_%u_%s", counts[i].direction, queue,
					counts[i].name);
}

static void get_counts(struct net_device *dev, struct ethtool_stats *stats, u64 *values)
{
	const struct net_device_state *net = net_state(dev);
	unsigned int queue, i;

	for (queue = 0; queue < net->queue_count; queue++)
		for (i = 0; i < ARRAY_SIZE(counts); i++)
			*values++ = READ_ONCE(*(u64 *)((void *)&net->queues[queue] +
						       counts[i].offset));
}

const struct ethtool_ops net_ethtool = {
	.get_drvinfo		= get_driver,
	.get_link		= ethtool_op_get_link,
	.get_channels		= get_channels,
	.get_sset_count		= get_count,
	.get_strings		= get_names,
	.get_ethtool_stats	= get_counts,
};

static void add_queue(const struct net_queue *queue, struct rtnl_link_stats64 *stats)
{
	stats->tx_packets += READ_ONCE(queue->sent_counts.packets);
	stats->tx_bytes += READ_ONCE(queue->sent_counts.bytes);
	stats->tx_dropped += READ_ONCE(queue->sent_counts.drops);
	stats->tx_errors += READ_ONCE(queue->sent_counts.errors);
	stats->rx_packets += READ_ONCE(queue->received_counts.packets);
	stats->rx_bytes += READ_ONCE(queue->received_counts.bytes);
	stats->rx_dropped += READ_ONCE(queue->received_counts.drops);
	stats->rx_errors += READ_ONCE(queue->received_counts.errors);
}

void net_get_stats(struct net_device *dev, struct rtnl_link_stats64 *stats)
{
	const struct net_device_state *net = net_state(dev);
	unsigned int i;

	for (i = 0; i < net->queue_count; i++)
		add_queue(&net->queues[i], stats);
}
