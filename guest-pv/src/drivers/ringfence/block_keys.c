// SPDX-License-Identifier: GPL-2.0
/*
 * The front end of disks: what the two ends tell each other in the store (docs/io.md). Numbers of the back end are
 * compared with what they may be before they are used.
 */
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/mm.h>

#include <asm/ringfence/channel.h>

#include "block.h"

#define POOL_SHARE	64	/* pools take at most such a part of the memory */
#define POOL_FRAMES_MIN	64

struct key {
	const char *name;
	u64 least;
	u64 most;
	size_t offset;
};

#define KEY(name, field, least, most) { name, least, most, offsetof(struct block_limits, field) }
static const struct key keys[] = {
	KEY("sector-size", sector_size, RF_BLOCK_SECTOR, PAGE_SIZE),
	KEY("physical-sector-size", physical_sector_size, RF_BLOCK_SECTOR, PAGE_SIZE),
	KEY("queues-max", queues, 1, RF_BLOCK_QUEUES_MAX),
	KEY("slots-max", slots, RF_RING_SLOTS_MIN, RF_RING_SLOTS_MAX),
	KEY("pool-max", pool_frames, 0, RF_BLOCK_POOL_MAX),
	KEY("bytes-max", bytes, RF_BLOCK_SECTOR, RF_BLOCK_BYTES_MAX),
};

/* Of what the back end need not have, and says nothing about if it does not. */
static const struct key optional_keys[] = {
	KEY("discard-granularity", granularity, 0, U32_MAX),
	KEY("sectors-max", sectors_max, 0, U32_MAX),
};

static const struct {
	const char *name;
	size_t offset;
} features[] = {
	{ "read-only",			offsetof(struct block_limits, read_only) },
	{ "feature-flush",		offsetof(struct block_limits, flush) },
	{ "feature-discard",		offsetof(struct block_limits, discard) },
	{ "feature-write-zeroes",	offsetof(struct block_limits, zeroes) },
	{ "feature-grants",		offsetof(struct block_limits, grants) },
};

static int read_key(struct rf_device *device, struct block_limits *limits,
		    const struct key *key, bool optional)
{
	u64 number = 0;
	int error = rf_store_read_number(RF_STORE_ALONE, device->backend, key->name, &number);

	if (error == -ENOENT && optional)
		error = 0;
	if (!error && (number < key->least || number > key->most))
		error = -ERANGE;
	if (error) {
		dev_err(&device->dev, "%s of the back end: %d\n", key->name, error);
		return error;
	}
	*(u32 *)((void *)limits + key->offset) = number;
	return 0;
}

static void read_feature(const struct rf_device *device, const char *name, bool *there)
{
	u64 number = 0;

	*there = !rf_store_read_number(RF_STORE_ALONE, device->backend, name, &number) && number;
}

static int read_version(struct rf_device *device)
{
	u64 version = 0;

	rf_store_read_number(RF_STORE_ALONE, device->backend, "version", &version);
	if (version == RF_BLOCK_VERSION)
		return 0;
	dev_err(&device->dev, "version %llu of the back end is not known\n", version);
	return -EINVAL;
}

static bool agree(const struct block_limits *limits)
{
	return is_power_of_2(limits->sector_size) && is_power_of_2(limits->physical_sector_size) &&
	       is_power_of_2(limits->slots) && limits->sector_size <= limits->bytes;
}

/* How much of what is allowed is taken. */
static void choose(struct block_limits *limits)
{
	unsigned long frames;

	limits->queues = min_t(u32, limits->queues, num_possible_cpus());
	frames = totalram_pages() / POOL_SHARE / limits->queues;
	limits->slots = min_t(u32, limits->slots, 128);
	frames = rounddown_pow_of_two(max_t(unsigned long, frames, POOL_FRAMES_MIN));
	limits->pool_frames = min_t(unsigned long, limits->pool_frames, frames);
	limits->bytes = min_t(u32, limits->bytes, limits->pool_frames * PAGE_SIZE);
	limits->bytes = round_down(limits->bytes, PAGE_SIZE);
}

int block_keys_read(struct rf_device *device, struct block_limits *limits)
{
	int error = read_version(device);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(keys) && !error; i++)
		error = read_key(device, limits, &keys[i], false);
	for (i = 0; i < ARRAY_SIZE(optional_keys) && !error; i++)
		error = read_key(device, limits, &optional_keys[i], true);
	if (error)
		return error;
	for (i = 0; i < ARRAY_SIZE(features); i++)
		read_feature(device, features[i].name, (void *)limits + features[i].offset);
	if (!agree(limits))
		return -EINVAL;
	choose(limits);
	return limits->bytes ? 0 : -EOPNOTSUPP;
}

/* The capacity is a number of bytes that fits into 63 bits. */
int block_keys_sectors(struct block_disk *disk, u64 *sectors)
{
	int error = rf_store_read_number(RF_STORE_ALONE, disk->device->backend, "sectors", sectors);

	if (!error && *sectors > S64_MAX / RF_BLOCK_SECTOR)
		error = -ERANGE;
	return error;
}

static int write_queue(struct rf_store_transaction transaction, const struct block_queue *queue)
{
	const struct block_disk *disk = queue->disk;
	char folder[RF_STORE_PATH_MAX];
	int error;

	if (snprintf(folder, sizeof(folder), "%s/queue-%u", disk->device->folder, queue->number) >=
	    sizeof(folder))
		return -ENAMETOOLONG;
	error = rf_store_write(transaction, folder, "port", "%u", rf_channel_port(queue->irq));
	if (!error)
		error = rf_store_write(transaction, folder, "slots", "%u", disk->limits.slots);
	if (!error)
		error = rf_store_write(transaction, folder, "ring-grant", "%d", queue->ring_grant);
	if (!error)
		error = rf_store_write(transaction, folder, "pool-grant", "%d", queue->pool_grant);
	if (!error)
		error = rf_store_write(transaction, folder, "pool-frames", "%u",
				       disk->limits.pool_frames);
	return error;
}

static int write_rings(struct rf_store_transaction transaction, const void *argument)
{
	const struct block_disk *disk = argument;
	const char *folder = disk->device->folder;
	unsigned int i;
	int error = rf_store_write(transaction, folder, "version", "%u", RF_BLOCK_VERSION);

	if (!error)
		error = rf_store_write(transaction, folder, "queues", "%u", disk->queue_count);
	for (i = 0; i < disk->queue_count && !error; i++)
		error = write_queue(transaction, &disk->queues[i]);
	return error;
}

int block_keys_offer(struct block_disk *disk)
{
	return rf_device_tell(disk->device, RF_STATE_INITIALISED, write_rings, disk);
}
