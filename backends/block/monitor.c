// SPDX-License-Identifier: BSD-2-Clause
/* The monitor of a disk: what is the disk's own of device.c, which is its keys. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/block/disk.h"
#include "backends/block/front.h"
#include "backends/block/monitor.h"

struct monitor {
	struct device device;
	char *image;
	char *format;
	struct disk_source source;
	struct message_limits limits; /* as the worker was told */
};

static struct monitor *monitor_of(struct device *device)
{
	return (struct monitor *)device;
}

/* --- What the worker opens --- */

static void monitor_forget_source(struct monitor *monitor)
{
	free(monitor->image);
	free(monitor->format);
}

static const void *monitor_source(struct device *device)
{
	struct monitor *monitor = monitor_of(device);
	char *mode = keys_text(device->store, device->private, "mode");

	monitor_forget_source(monitor);
	monitor->image = keys_text(device->store, device->private, "image");
	monitor->format = keys_text(device->store, device->private, "format");
	monitor->source = (struct disk_source){
		.image = monitor->image,
		.format = monitor->format ? monitor->format : "raw",
		.read_only = mode && strcmp(mode, "r") == 0,
	};
	free(mode);
	if (monitor->image)
		return &monitor->source;
	device_error(device, "its key \"image\" is not there");
	return NULL;
}

/* --- What the front end is told --- */

static void monitor_publish_keys(struct device *device, const struct message_ready *ready)
{
	const struct {
		const char *name;
		uint64_t value;
	} keys[] = {
		{ "version", RF_BLOCK_VERSION },
		{ "sector-size", ready->sector_size },
		{ "physical-sector-size", ready->physical_size },
		{ "read-only", ready->read_only },
		{ "queues-max", RF_BLOCK_QUEUES_MAX },
		{ "slots-max", RF_RING_SLOTS_MAX },
		{ "pool-max", RF_BLOCK_POOL_MAX },
		{ "bytes-max", RF_BLOCK_BYTES_MAX },
		{ "feature-flush", ready->flush },
		{ "feature-discard", ready->discard },
		{ "discard-granularity", ready->discard_granularity },
		{ "feature-write-zeroes", ready->write_zeroes },
		{ "sectors-max", UINT32_MAX & ~7U },
		{ "feature-grants", ready->grants },
		{ "sectors", ready->sectors },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		keys_write(device->store, device->back, keys[i].name, keys[i].value);
}

static void monitor_publish(struct device *device, const struct message *ready)
{
	struct monitor *monitor = monitor_of(device);

	monitor_publish_keys(device, message_content(ready));
	memset(&monitor->limits, 0, sizeof(monitor->limits));
	keys_remove(device->store, device->back, "paused");
}

static void monitor_paused(struct device *device, const char *text)
{
	if (text[0])
		keys_write_text(device->store, device->back, "paused", text);
	else
		keys_remove(device->store, device->back, "paused");
}

static void monitor_hear(struct device *device, struct message *message)
{
	const struct message_ready *ready = message_content(message);

	if (message->kind == MESSAGE_READY)
		keys_write(device->store, device->back, "sectors", ready->sectors);
	else if (message->kind == MESSAGE_PAUSED)
		monitor_paused(device, message_text(message));
}

/* --- What the toolstack says, and is told --- */

static uint64_t monitor_limit(struct device *device, const char *name)
{
	uint64_t value = 0;

	if (!keys_number(device->store, device->private, name, 0, UINT64_MAX, &value))
		return 0;
	return value;
}

static uint64_t monitor_burst(struct device *device, const char *name, uint64_t rate)
{
	uint64_t burst = monitor_limit(device, name);

	return burst > rate ? burst : rate;
}

static struct message_limits monitor_read_limits(struct device *device)
{
	struct message_limits limits = { 0 };
	char *full = keys_text(device->store, device->private, "full");

	limits.bytes = monitor_limit(device, "limit-bytes");
	limits.operations = monitor_limit(device, "limit-operations");
	limits.bytes_burst = monitor_burst(device, "burst-bytes", limits.bytes);
	limits.operations_burst = monitor_burst(device, "burst-operations", limits.operations);
	limits.report_full = full && strcmp(full, "report") == 0;
	free(full);
	return limits;
}

static bool monitor_configure(struct device *device)
{
	struct monitor *monitor = monitor_of(device);
	struct message_limits limits = monitor_read_limits(device);

	if (memcmp(&limits, &monitor->limits, sizeof(limits)) != 0)
		message_send(device->worker.socket, MESSAGE_LIMITS, &limits, sizeof(limits));
	monitor->limits = limits;
	message_tell(device->worker.socket, MESSAGE_RESIZE, NULL);
	return true;
}

static void monitor_count(const void *statistics, char *text, size_t size)
{
	const struct message_statistics *counts = statistics;

	snprintf(text, size,
		 "reads=%lu read-bytes=%lu writes=%lu written-bytes=%lu flushes=%lu discards=%lu "
		 "zeroes=%lu errors=%lu refused=%lu events-in=%lu events-out=%lu grant-maps=%lu "
		 "under-way=%lu",
		 counts->requests[RF_BLOCK_READ], counts->bytes[RF_BLOCK_READ],
		 counts->requests[RF_BLOCK_WRITE], counts->bytes[RF_BLOCK_WRITE],
		 counts->requests[RF_BLOCK_FLUSH], counts->requests[RF_BLOCK_DISCARD],
		 counts->requests[RF_BLOCK_WRITE_ZEROES], counts->errors, counts->refused,
		 counts->events_in, counts->events_out, counts->grant_maps, counts->under_way);
}

/* --- Running --- */

int monitor_run(const struct device_options *options, const volatile sig_atomic_t *stop)
{
	static const struct device_class class = {
		.name = "block",
		.program = "rf-block",
		.worker = &disk_worker,
		.front = &front_disk,
		.source = monitor_source,
		.publish = monitor_publish,
		.configure = monitor_configure,
		.count = monitor_count,
		.hear = monitor_hear,
	};
	struct monitor monitor = { .device = { .class = &class } };
	int status = device_run(&monitor.device, options, stop);

	monitor_forget_source(&monitor);
	return status;
}
