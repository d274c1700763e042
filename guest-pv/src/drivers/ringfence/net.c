// SPDX-License-Identifier: GPL-2.0
/*
 * The front end of networks: the states of its two ends (docs/io.md), and the interface as Linux sees
 * it. Packets are net_transmit.c's and net_receive.c's, keys of the store net_keys.c's, what it says of
 * itself net_ethtool.c's.
 *
 * One work item does all that follows from a state, so nothing of it runs twice at once. Packets go and
 * come while the interface is up and there is a back end: `active`, which changes under the RTNL.
 *
 * When the back end dies the interface has no carrier until there is a new one. What was in the rings
 * is lost; the interface keeps its name, addresses and counts.
 */
#include <linux/init.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/tcp.h>

#include <asm/ringfence/start.h>

#include "net.h"

#define RETRY_MS	1000	/* what the store refused is tried again */
#define IN_USE_MS	10	/* how often is looked whether grants are in use */

static struct workqueue_struct *work_queue;

static void look_again(struct net_device_state *net)
{
	if (!READ_ONCE(net->removed))
		queue_work(work_queue, &net->work);
}

void net_break(struct net_device_state *net, const char *why)
{
	WRITE_ONCE(net->broken, why);
	look_again(net);
}

/* --- Packets that go and come, and that do not: under the RTNL */

static void start(struct net_device_state *net)
{
	if (net->active || !net->connected || !netif_running(net->dev))
		return;
	WRITE_ONCE(net->active, true);
	net_queues_start(net);
}

static void stop(struct net_device_state *net)
{
	if (!net->active)
		return;
	WRITE_ONCE(net->active, false);
	net_queues_stop(net);
}

static void set_connected(struct net_device_state *net, bool connected)
{
	if (!net->dev)
		return;
	rtnl_lock();
	net->connected = connected;
	if (connected) {
		start(net);
	} else {
		netif_carrier_off(net->dev);
		stop(net);
	}
	rtnl_unlock();
}

/* --- The interface */

static int open_interface(struct net_device *dev)
{
	start(net_state(dev));
	return 0;
}

static int stop_interface(struct net_device *dev)
{
	stop(net_state(dev));
	return 0;
}

/* What the back end can check is within the first bytes. */
static bool is_within(const struct sk_buff *skb)
{
	return skb_checksum_start_offset(skb) + skb->csum_offset + 2 <= RF_NET_HEADER_MAX;
}

/* It looks at no header between IPv6 and TCP, and at none around them. */
static bool is_simple(const struct sk_buff *skb)
{
	int header = skb_transport_offset(skb) - skb_network_offset(skb);

	if (skb->encapsulation || skb_tcp_all_headers(skb) > RF_NET_HEADER_MAX)
		return false;
	return !(skb_shinfo(skb)->gso_type & SKB_GSO_TCPV6) || header == sizeof(struct ipv6hdr);
}

static netdev_features_t check_features(struct sk_buff *skb, struct net_device *dev,
					netdev_features_t features)
{
	if (skb->ip_summed == CHECKSUM_PARTIAL && !is_within(skb))
		return features & ~(NETIF_F_CSUM_MASK | NETIF_F_GSO_MASK);
	if (skb_is_gso(skb) && !is_simple(skb))
		return features & ~NETIF_F_GSO_MASK;
	return features;
}

static const struct net_device_ops operations = {
	.ndo_open		= open_interface,
	.ndo_stop		= stop_interface,
	.ndo_start_xmit		= net_transmit,
	.ndo_get_stats64	= net_get_stats,
	.ndo_features_check	= check_features,
	.ndo_validate_addr	= eth_validate_addr,
	.ndo_set_mac_address	= eth_mac_addr,
};

static void set_features(struct net_device *dev, const struct net_limits *limits)
{
	dev->hw_features = NETIF_F_SG;
	if (limits->checksum)
		dev->hw_features |= NETIF_F_HW_CSUM;
	if (limits->checksum && limits->tcp4)
		dev->hw_features |= NETIF_F_TSO | NETIF_F_TSO_ECN;
	if (limits->checksum && limits->tcp6)
		dev->hw_features |= NETIF_F_TSO6;
	dev->features = dev->hw_features | NETIF_F_RXCSUM;
	dev->vlan_features = dev->hw_features;
}

static int make_interface(struct net_device_state *net)
{
	struct net_device *dev = alloc_etherdev_mqs(sizeof(net), net->queue_count,
						    net->queue_count);
	unsigned int i;

	if (!dev)
		return -ENOMEM;
	*(struct net_device_state **)netdev_priv(dev) = net;
	dev->netdev_ops = &operations;
	dev->ethtool_ops = &net_ethtool;
	dev->min_mtu = RF_NET_MTU_MIN;
	SET_NETDEV_DEV(dev, &net->device->dev);
	set_features(dev, &net->limits);
	for (i = 0; i < net->queue_count; i++)
		netif_napi_add(dev, &net->queues[i].napi, net_receive_poll);
	net->dev = dev;
	return 0;
}

static void free_interface(struct net_device_state *net)
{
	unsigned int i;

	if (!net->dev)
		return;
	if (net->registered)
		unregister_netdev(net->dev);
	net->registered = false;
	for (i = 0; i < net->queue_count; i++)
		netif_napi_del(&net->queues[i].napi);
	free_netdev(net->dev);
	net->dev = NULL;
}

static void destroy(struct net_device_state *net)
{
	set_connected(net, false);
	free_interface(net);
	net_queues_destroy(net);
}

/* --- Coming up */

/* With the most buffers for which there is memory. */
static int make_queues(struct net_device_state *net)
{
	struct net_limits *limits = &net->limits;
	int error;

	for (;;) {
		error = net_queues_make(net);
		if (error != -ENOMEM || limits->slots <= 2 * RF_RING_SLOTS_MIN)
			return error;
		limits->pool_frames -= limits->slots / 2;
		limits->slots /= 2;
	}
}

/* A back end that comes back must not be able to do less. */
static bool suffices(const struct net_limits *now, const struct net_limits *before)
{
	return now->queues >= before->queues && now->slots >= before->slots &&
	       now->pool_frames >= before->pool_frames && now->checksum >= before->checksum &&
	       now->tcp4 >= before->tcp4 && now->tcp6 >= before->tcp6;
}

static int prepare(struct net_device_state *net)
{
	struct net_limits limits = { 0 };
	int error = net_keys_read(net->device, &limits);

	if (error)
		return error;
	if (net->dev)
		return suffices(&limits, &net->limits) ? 0 : -EOPNOTSUPP;
	net->limits = limits;
	error = make_queues(net);
	if (!error)
		error = make_interface(net);
	return error;
}

/* Nothing is used again before nobody else uses it. False: the device is being removed. */
static bool wait_until_unused(struct net_device_state *net)
{
	while (!net_queues_revoke(net)) {
		wait_event_timeout(net->removal, READ_ONCE(net->removed),
				   msecs_to_jiffies(IN_USE_MS));
		if (READ_ONCE(net->removed))
			return false;
	}
	return true;
}

static void try_later(struct net_device_state *net)
{
	wait_event_timeout(net->removal, READ_ONCE(net->removed), msecs_to_jiffies(RETRY_MS));
	look_again(net);
}

static void offer_rings(struct net_device_state *net)
{
	int error = net_queues_grant(net);

	if (!error)
		error = net_keys_offer(net);
	/* Who was taken away is removed in a moment. */
	if (!error || error == -ENODEV)
		return;
	dev_err(&net->device->dev, "the rings cannot be shown: %d\n", error);
	try_later(net);
}

/* It is over until the device is taken away. Who is closed has nothing that is shared. */
static void fail(struct net_device_state *net, enum rf_state state, const char *why)
{
	net->dead = true;
	if (state == RF_STATE_CLOSED)
		destroy(net);
	else
		set_connected(net, false);
	rf_device_fail(net->device, state, "%s", why);
}

/* The back end waits for rings, for the first time or again. */
static void back_end_waits(struct net_device_state *net)
{
	struct rf_device *device = net->device;

	if (device->state == RF_STATE_CONNECTED) {
		dev_info(&device->dev, "the back end has begun again\n");
		set_connected(net, false);
		rf_device_set_state(device, RF_STATE_INITIALISING);
	} else if (device->state != RF_STATE_INITIALISING) {
		return;
	}
	if (prepare(net))
		fail(net, RF_STATE_CLOSED, "the back end's keys are not what this front end needs");
	else if (wait_until_unused(net))
		offer_rings(net);
}

/* MTU and carrier may change at any time. */
static void follow_settings(struct net_device_state *net)
{
	struct net_device *dev = net->dev;
	bool link;
	u32 mtu;

	if (net_keys_settings(net->device, &mtu, &link))
		return;
	rtnl_lock();
	dev->max_mtu = mtu;
	if (dev->mtu != mtu && dev_set_mtu(dev, mtu))
		dev_err(&net->device->dev, "the MTU cannot be %u\n", mtu);
	if (link && net->connected)
		netif_carrier_on(dev);
	else
		netif_carrier_off(dev);
	rtnl_unlock();
}

static int register_interface(struct net_device_state *net)
{
	u8 address[ETH_ALEN];
	int error = net_keys_address(net->device, address);

	if (error || net->registered)
		return error;
	eth_hw_addr_set(net->dev, address);
	netif_carrier_off(net->dev);
	error = register_netdev(net->dev);
	if (error)
		return error;
	net->registered = true;
	dev_info(&net->device->dev, "%s: %pM, %u queues of %u buffers\n", net->dev->name, address,
		 net->queue_count, net->limits.slots);
	return 0;
}

static void back_end_connected(struct net_device_state *net)
{
	struct rf_device *device = net->device;

	if (device->state == RF_STATE_CONNECTED && net->registered)
		follow_settings(net);
	if (device->state != RF_STATE_INITIALISED)
		return;
	if (register_interface(net)) {
		fail(net, RF_STATE_CLOSED, "no interface can be made");
		return;
	}
	if (rf_device_set_state(device, RF_STATE_CONNECTED)) {
		try_later(net);
		return;
	}
	set_connected(net, true);
	follow_settings(net);
}

/* --- Going away */

/* Nobody has an interface open, as one has a disk: it goes. */
static void back_end_closes(struct net_device_state *net)
{
	if (net->device->state == RF_STATE_CLOSED)
		return;
	destroy(net);
	net->dead = true;
	rf_device_set_state(net->device, RF_STATE_CLOSED);
}

static void follow_states(struct net_device_state *net)
{
	switch (READ_ONCE(net->device->other)) {
	case RF_STATE_WAITING:
		back_end_waits(net);
		break;
	case RF_STATE_CONNECTED:
		back_end_connected(net);
		break;
	case RF_STATE_CLOSING:
	case RF_STATE_CLOSED:
		back_end_closes(net);
		break;
	default:
		break;
	}
}

static void states_work(struct work_struct *work)
{
	struct net_device_state *net = container_of(work, struct net_device_state, work);
	const char *why = READ_ONCE(net->broken);

	if (net->dead || READ_ONCE(net->removed))
		return;
	if (why)
		fail(net, RF_STATE_CLOSING, why);
	else
		follow_states(net);
}

/* --- The driver */

static int probe(struct rf_device *device)
{
	struct net_device_state *net = kzalloc(sizeof(*net), GFP_KERNEL);

	if (!net)
		return -ENOMEM;
	net->device = device;
	INIT_WORK(&net->work, states_work);
	init_waitqueue_head(&net->removal);
	dev_set_drvdata(&device->dev, net);
	return 0;
}

static void remove(struct rf_device *device)
{
	struct net_device_state *net = dev_get_drvdata(&device->dev);

	WRITE_ONCE(net->removed, true);
	wake_up(&net->removal);
	cancel_work_sync(&net->work);
	destroy(net);
	/* Polling may have asked for it between the two. */
	cancel_work_sync(&net->work);
	kfree(net);
}

static void changed(struct rf_device *device)
{
	look_again(dev_get_drvdata(&device->dev));
}

static struct rf_driver driver = {
	.driver.name	= "ringfence-net",
	.class		= "net",
	.probe		= probe,
	.remove		= remove,
	.changed	= changed,
};

static int __init rf_net_init(void)
{
	if (!rf_domain() || rf_is_control())
		return 0;
	work_queue = alloc_workqueue("ringfence-net", WQ_UNBOUND, 0);
	if (!work_queue)
		return -ENOMEM;
	return rf_driver_register(&driver);
}
device_initcall(rf_net_init);
