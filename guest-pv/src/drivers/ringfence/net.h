/* SPDX-License-Identifier: GPL-2.0 */
/* The front end of networks: what its files know of each other. */
#ifndef _RINGFENCE_NET_H
#define _RINGFENCE_NET_H

#include <linux/etherdevice.h>
#include <linux/netdevice.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <asm/ringfence/abi/io/net.h>

#include "bus.h"

/* What the back end allows: keys of its folder, checked. */
struct net_limits {
	u32 queues;
	u32 slots;		/* of each ring; so many buffers, of a frame each, are at the start of the pool */
	u32 pool_frames;	/* what the buffers leave is for packets that go */
	bool checksum;
	bool tcp4;
	bool tcp6;
};

struct net_device_state;

/* A ring, as this end knows it. */
struct net_ring {
	struct rf_ring *shared;
	u32 slots;
	u32 request_size;
	u32 response_size;
	int order;
	int grant;		/* negative: it is not granted */
	u32 requests;		/* the next one's number */
	u32 told;		/* so many the back end knows of */
	u32 responses;		/* taken */
};

/* Where the data of a packet that goes are: so many bytes of the pool, after those of the one before. */
struct net_sent {
	u32 bytes;
	bool under_way;
};

/* What a queue has counted since it was made; back ends come and go. Of packets that go: under its lock. */
struct net_transmit_counts {
	u64 packets;		/* given to the back end */
	u64 bytes;
	u64 drops;		/* it did not take them, or there was none */
	u64 errors;		/* it refused them */
	u64 unanswered;		/* it ended before it said what became of them */
	u64 stops;		/* there was no more room */
	u64 events;		/* sent to it */
};

/* Of packets that come: of whoever polls. */
struct net_receive_counts {
	u64 packets;
	u64 bytes;
	u64 drops;		/* there was no memory for them */
	u64 errors;		/* they were none */
	u64 events;		/* sent to the back end, for buffers */
};

struct net_queue {
	struct net_device_state *net;
	struct napi_struct napi;
	unsigned int number;
	unsigned int irq;		/* 0: none */
	void *pool;
	int pool_order;
	int pool_grant;
	u64 interrupts;			/* events of the back end, for both directions; of the interrupt */

	spinlock_t lock;		/* of what follows, up to the next comment of this kind */
	struct net_ring transmit;
	struct net_sent *sent;		/* by id */
	u32 oldest;			/* the number of the oldest that is under way */
	u32 start;			/* of the bytes in use, and */
	u32 used;			/* how many */
	struct net_transmit_counts sent_counts;

	struct net_ring receive;	/* and this, of whoever polls */
	unsigned long *given;		/* buffers that the back end has, by id */
	struct net_receive_counts received_counts;
	struct rf_net_receive_response packet[RF_NET_BUFFERS_MAX];
};

struct net_device_state {
	struct rf_device *device;
	struct net_device *dev;		/* NULL: there has never been a back end */
	struct net_limits limits;
	struct net_queue *queues;
	unsigned int queue_count;

	struct work_struct work;	/* the states: net.c */
	wait_queue_head_t removal;	/* removed is set */
	bool removed;			/* the device goes */
	bool registered;
	bool dead;			/* it is over */
	bool connected;			/* under the RTNL, as the next */
	bool active;			/* packets go and come */
	const char *broken;		/* what the back end did that it must not, or NULL */
};

static inline struct net_device_state *net_state(const struct net_device *dev)
{
	return *(struct net_device_state **)netdev_priv(dev);
}

/* --- net_queue.c: rings and pools. These sleep and are called by one task. */

int net_queues_make(struct net_device_state *net);
void net_queues_destroy(struct net_device_state *net);

/* Clears the rings and grants everything. */
int net_queues_grant(struct net_device_state *net);

/* What is not used any more is not granted any more: true, all of it. */
bool net_queues_revoke(struct net_device_state *net);

/* Packets come and go, and do not. Under the RTNL. */
void net_queues_start(struct net_device_state *net);
void net_queues_stop(struct net_device_state *net);

/* --- net_ring.c: both ends agree on so much. */

void net_ring_clear(struct net_ring *ring);
void *net_ring_request(const struct net_ring *ring, u32 number);

/* True: an event is to be sent. */
bool net_ring_publish(struct net_ring *ring);

/* How many responses there are to be taken; negative: what the back end says cannot be. */
int net_ring_waiting(const struct net_ring *ring);

/* A copy; what is there may change. */
void net_ring_response(const struct net_ring *ring, u32 number, void *response);

/* The next response raises the interrupt. True: there is one already. */
bool net_ring_arm(struct net_ring *ring);

/* --- net_transmit.c, net_receive.c */

netdev_tx_t net_transmit(struct sk_buff *skb, struct net_device *dev);

/* Under the lock. False: the connection is broken. */
bool net_transmit_reap(struct net_queue *queue);
void net_transmit_wake(struct net_queue *queue);

/* Gives the back end all buffers that it has not. */
void net_receive_give(struct net_queue *queue);
int net_receive_poll(struct napi_struct *napi, int budget);

/* --- net_ethtool.c */

extern const struct ethtool_ops net_ethtool;

/* The sum of all queues. */
void net_get_stats(struct net_device *dev, struct rtnl_link_stats64 *stats);

/* --- net.c */

/* From any context: the connection ends. */
void net_break(struct net_device_state *net, const char *why);

/* --- net_keys.c: the store */

int net_keys_read(struct rf_device *device, struct net_limits *limits);
/* Shows the rings. -ENODEV: the device was taken away. */
int net_keys_offer(struct net_device_state *net);
int net_keys_address(struct rf_device *device, u8 *address);
int net_keys_settings(struct rf_device *device, u32 *mtu, bool *link);

#endif
