// SPDX-License-Identifier: GPL-2.0
/*
 * The front end of networks: what the two ends tell each other in the store (docs/io.md). Numbers of the back end are
 * compared with what they may be before they are used.
 */
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include <asm/ringfence/channel.h>

#include "net.h"

#define POOL_SHARE	64	/* pools take at most such a part of the memory */
#define SLOTS		128	/* no more are taken */
#define QUEUES		4
#define SEND_FRAMES_MIN	32	/* for the largest packet, and then some */

struct key {
	const char *name;
	u64 least;
	u64 most;
	size_t offset;
};

#define KEY(name, field, least, most) { name, least, most, offsetof(struct net_limits, field) }
static const struct key keys[] = {
	KEY("queues-max", queues, 1, RF_NET_QUEUES_MAX),
	KEY("slots-max", slots, RF_RING_SLOTS_MIN, RF_RING_SLOTS_MAX),
	KEY("pool-max", pool_frames, 1, RF_NET_POOL_MAX),
};

static const struct {
	const char *name;
	size_t offset;
} features[] = {
	{ "feature-checksum",	offsetof(struct net_limits, checksum) },
	{ "feature-tcp4",	offsetof(struct net_limits, tcp4) },
	{ "feature-tcp6",	offsetof(struct net_limits, tcp6) },
};

static int read_number(struct rf_device *device, const char *name, u64 least, u64 most,
		       u64 *number)
{
	int error = rf_store_read_number(RF_STORE_ALONE, device->backend, name, number);

	if (!error && (*number < least || *number > most))
		error = -ERANGE;
	/* Keys may change at any time, and as often as the back end likes. */
	if (error)
		dev_err_ratelimited(&device->dev, "%s of the back end: %d\n", name, error);
	return error;
}

static int read_key(struct rf_device *device, struct net_limits *limits, const struct key *key)
{
	u64 number = 0;
	int error = read_number(device, key->name, key->least, key->most, &number);

	if (!error)
		*(u32 *)((void *)limits + key->offset) = number;
	return error;
}

static void read_feature(const struct rf_device *device, const char *name, bool *there)
{
	u64 number = 0;

	*there = !rf_store_read_number(RF_STORE_ALONE, device->backend, name, &number) && number;
}

/* How much of what is allowed is taken. */
static int choose(struct net_limits *limits)
{
	unsigned long share;

	limits->queues = min3(limits->queues, (u32)num_possible_cpus(), (u32)QUEUES);
	limits->slots = min_t(u32, rounddown_pow_of_two(limits->slots), SLOTS);
	share = rounddown_pow_of_two(max(totalram_pages() / POOL_SHARE / limits->queues,
					 4UL * SEND_FRAMES_MIN));
	limits->pool_frames = min3(limits->pool_frames, 2 * limits->slots, (u32)share);
	while (limits->slots > RF_RING_SLOTS_MIN &&
	       limits->slots + SEND_FRAMES_MIN > limits->pool_frames)
		limits->slots /= 2;
	return limits->slots + SEND_FRAMES_MIN <= limits->pool_frames ? 0 : -EOPNOTSUPP;
}

int net_keys_read(struct rf_device *device, struct net_limits *limits)
{
	u64 version;
	unsigned int i;
	int error = read_number(device, "version", RF_NET_VERSION, RF_NET_VERSION, &version);

	for (i = 0; i < ARRAY_SIZE(keys) && !error; i++)
		error = read_key(device, limits, &keys[i]);
	if (error)
		return error;
	for (i = 0; i < ARRAY_SIZE(features); i++)
		read_feature(device, features[i].name, (void *)limits + features[i].offset);
	return choose(limits);
}

int net_keys_address(struct rf_device *device, u8 *address)
{
	char *text = rf_store_read(RF_STORE_ALONE, device->backend, "mac");
	bool right;

	if (IS_ERR(text))
		return PTR_ERR(text);
	right = mac_pton(text, address) && is_valid_ether_addr(address);
	kfree(text);
	if (!right)
		dev_err(&device->dev, "mac of the back end is no address of an interface\n");
	return right ? 0 : -EINVAL;
}

int net_keys_settings(struct rf_device *device, u32 *mtu, bool *link)
{
	u64 number = 0;
	int error = read_number(device, "mtu", RF_NET_MTU_MIN, RF_NET_MTU_MAX, &number);

	*mtu = number;
	if (!error)
		error = read_number(device, "link", 0, 1, &number);
	*link = number;
	return error;
}

static int write_queue(struct rf_store_transaction transaction, const struct net_queue *queue)
{
	const struct net_device_state *net = queue->net;
	const struct {
		const char *name;
		u32 value;
	} all[] = {
		{ "port",		rf_channel_port(queue->irq) },
		{ "transmit-slots",	net->limits.slots },
		{ "receive-slots",	net->limits.slots },
		{ "transmit-grant",	queue->transmit.grant },
		{ "receive-grant",	queue->receive.grant },
		{ "pool-grant",		queue->pool_grant },
		{ "pool-frames",	net->limits.pool_frames },
	};
	char folder[RF_STORE_PATH_MAX];
	unsigned int i;
	int error = 0;

	if (snprintf(folder, sizeof(folder), "%s/queue-%u", net->device->folder, queue->number) >=
	    sizeof(folder))
		return -ENAMETOOLONG;
	for (i = 0; i < ARRAY_SIZE(all) && !error; i++)
		error = rf_store_write(transaction, folder, all[i].name, "%u", all[i].value);
	return error;
}

static int write_all(struct rf_store_transaction transaction, const struct net_device_state *net)
{
	const struct {
		const char *name;
		u32 value;
	} all[] = {
		{ "version",		RF_NET_VERSION },
		{ "queues",		net->queue_count },
		{ "accept-checksum",	1 },
		{ "accept-tcp4",	1 },
		{ "accept-tcp6",	1 },
	};
	unsigned int i;
	int error = 0;

	for (i = 0; i < ARRAY_SIZE(all) && !error; i++)
		error = rf_store_write(transaction, net->device->folder, all[i].name, "%u",
				       all[i].value);
	return error;
}

static int write_rings(struct rf_store_transaction transaction, const void *argument)
{
	const struct net_device_state *net = argument;
	unsigned int i;
	int error = write_all(transaction, net);

	for (i = 0; i < net->queue_count && !error; i++)
		error = write_queue(transaction, &net->queues[i]);
	return error;
}

int net_keys_offer(struct net_device_state *net)
{
	return rf_device_tell(net->device, RF_STATE_INITIALISED, write_rings, net);
}
