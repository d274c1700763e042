// SPDX-License-Identifier: BSD-2-Clause
/* The monitor of an interface: what is the interface's own of device.c, which is its keys. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/net/front.h"
#include "backends/net/interface.h"
#include "backends/net/monitor.h"
#include "backends/net/settings.h"
#include "backends/net/tap.h"

struct monitor {
	struct device device;
	char *tap;
	int held;			  /* of the tap, or a negative number */
	struct message_settings settings; /* as the worker was told */
};

static struct monitor *monitor_of(struct device *device)
{
	return (struct monitor *)device;
}

static void monitor_let_go(struct monitor *monitor)
{
	if (monitor->held >= 0)
		close(monitor->held);
	free(monitor->tap);
	monitor->held = -1;
	monitor->tap = NULL;
}

/* What is wrong with the tap the worker will find, and say. */
static const void *monitor_source(struct device *device)
{
	struct monitor *monitor = monitor_of(device);
	char *tap = keys_text(device->store, device->private, "tap");

	if (!tap)
		device_error(device, "its key \"tap\" is not there");
	if (tap && monitor->tap && strcmp(tap, monitor->tap) == 0 && monitor->held >= 0) {
		free(tap);
		return monitor->tap;
	}
	monitor_let_go(monitor);
	monitor->tap = tap;
	if (tap)
		monitor->held = tap_hold(tap);
	return tap;
}

static void monitor_publish(struct device *device, const struct message *ready)
{
	static const struct {
		const char *name;
		uint64_t value;
	} keys[] = {
		{ "version", RF_NET_VERSION },
		{ "queues-max", RF_NET_QUEUES_MAX },
		{ "slots-max", RF_RING_SLOTS_MAX },
		{ "pool-max", RF_NET_POOL_MAX },
		{ "feature-checksum", 1 },
		{ "feature-tcp4", 1 },
		{ "feature-tcp6", 1 },
	};
	struct monitor *monitor = monitor_of(device);

	(void)ready;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		keys_write(device->store, device->back, keys[i].name, keys[i].value);
	memset(&monitor->settings, 0, sizeof(monitor->settings));
}

static void monitor_publish_settings(struct device *device, const struct message_settings *settings)
{
	const uint8_t *mac = settings->rules.mac;
	char text[3 * PACKET_MAC];

	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	keys_write_text(device->store, device->back, "mac", text);
	keys_write(device->store, device->back, "mtu", settings->rules.mtu);
	keys_write(device->store, device->back, "link", settings->link);
}

/* A private key is wrong: the settings stay what they are. */
static bool monitor_configure(struct device *device)
{
	struct monitor *monitor = monitor_of(device);
	struct message_settings settings;
	char error[KEYS_PATH];

	if (!settings_read(device->store, device->private, &settings, error, sizeof(error))) {
		device_error(device, error);
		return false;
	}
	if (memcmp(&settings, &monitor->settings, sizeof(settings)) == 0)
		return true;
	monitor->settings = settings;
	message_send(device->worker.socket, MESSAGE_SETTINGS, &settings, sizeof(settings));
	monitor_publish_settings(device, &settings);
	return true;
}

static void monitor_count(const void *statistics, char *text, size_t size)
{
	const struct message_statistics *counts = statistics;

	snprintf(text, size,
		 "sent=%lu sent-bytes=%lu received=%lu received-bytes=%lu lost=%lu refused=%lu "
		 "invalid=%lu no-buffer=%lu unfit=%lu events-in=%lu events-out=%lu",
		 counts->sent, counts->sent_bytes, counts->received, counts->received_bytes,
		 counts->lost, counts->refused, counts->invalid, counts->no_buffer, counts->unfit,
		 counts->events_in, counts->events_out);
}

int monitor_run(const struct device_options *options, const volatile sig_atomic_t *stop)
{
	static const struct device_class class = {
		.name = "net",
		.program = "rf-net",
		.worker = &interface_worker,
		.front = &front_interface,
		.source = monitor_source,
		.publish = monitor_publish,
		.configure = monitor_configure,
		.count = monitor_count,
	};
	struct monitor monitor = { .device = { .class = &class }, .held = -1 };
	int status = device_run(&monitor.device, options, stop);

	monitor_let_go(&monitor);
	return status;
}
