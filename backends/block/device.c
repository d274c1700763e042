// SPDX-License-Identifier: BSD-2-Clause
/*
 * The monitor of a disk: the states of docs/io.md, between the store and the worker.
 *
 * It keeps no list of what has happened. Whenever something has, it reads the front end's state as it is now, and
 * does what follows from that and from its own; a guest that changes its state without end is seen as often as there
 * is time to look.
 *
 * When the worker dies, whatever of, another one is started, after a while that grows if it dies again at once.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/block/device.h"
#include "backends/block/front.h"

#define OPEN_SECONDS 30
#define LOOK_EVERY   1000 /* milliseconds; watches tell at once, this is in case */
#define DELAY_MAX    8	  /* seconds between two workers */

enum { EXIT_ENDED, EXIT_FAILED };

struct device {
	const struct device_options *options;
	struct rfstore *store;
	char back[KEYS_PATH];
	char front[KEYS_PATH];
	char private[KEYS_PATH + 16];
	struct worker worker;
	struct worker_options work;
	char *image;
	char *format;
	enum keys_state state;
	bool connected; /* the worker has the front end's rings, or was told to take them */
	bool releasing; /* it was told to let go, or does so by itself */
	bool failed;	/* until the front end starts again */
	bool changed;	/* the private folder was */
	bool gone;	/* the device was taken away */
	struct message_limits limits;
	unsigned delay;
};

/* --- The store --- */

static void device_say(struct device *device, enum keys_state state)
{
	device->state = state;
	keys_write(device->store, device->back, "state", state);
}

static void device_error(struct device *device, const char *text)
{
	fprintf(stderr, "rf-block %u/%u: %s\n", device->options->domain, device->options->id, text);
	keys_write_text(device->store, device->back, "error", text);
}

static void device_publish(struct device *device, const struct message_ready *ready)
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

static uint64_t device_limit(struct device *device, const char *name)
{
	uint64_t value = 0;

	if (!keys_number(device->store, device->private, name, 0, UINT64_MAX, &value))
		return 0;
	return value;
}

static uint64_t device_burst(struct device *device, const char *name, uint64_t rate)
{
	uint64_t burst = device_limit(device, name);

	return burst > rate ? burst : rate;
}

static void device_send_limits(struct device *device)
{
	struct message message = { .kind = MESSAGE_LIMITS };
	struct message_limits *limits = &message.limits;
	char *full = keys_text(device->store, device->private, "full");

	limits->bytes = device_limit(device, "limit-bytes");
	limits->operations = device_limit(device, "limit-operations");
	limits->bytes_burst = device_burst(device, "burst-bytes", limits->bytes);
	limits->operations_burst = device_burst(device, "burst-operations", limits->operations);
	limits->report_full = full && strcmp(full, "report") == 0;
	free(full);
	if (memcmp(limits, &device->limits, sizeof(*limits)) == 0)
		return;
	device->limits = *limits;
	worker_send(&device->worker, &message);
}

static void device_configure(struct device *device)
{
	const struct message resize = { .kind = MESSAGE_RESIZE };

	device_send_limits(device);
	worker_send(&device->worker, &resize);
}

/* --- The worker --- */

static void device_release(struct device *device)
{
	const struct message message = { .kind = MESSAGE_RELEASE };

	if (device->connected && !device->releasing)
		worker_send(&device->worker, &message);
	device->releasing = device->connected;
}

static void device_fail(struct device *device, const char *text)
{
	device->failed = true;
	device_error(device, text);
	device_say(device, STATE_CLOSING);
}

static void device_count(struct device *device, const struct message_statistics *counts)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "reads=%lu read-bytes=%lu writes=%lu written-bytes=%lu flushes=%lu discards=%lu "
		 "zeroes=%lu errors=%lu refused=%lu events-in=%lu events-out=%lu grant-maps=%lu "
		 "under-way=%lu",
		 counts->requests[RF_BLOCK_READ], counts->bytes[RF_BLOCK_READ],
		 counts->requests[RF_BLOCK_WRITE], counts->bytes[RF_BLOCK_WRITE],
		 counts->requests[RF_BLOCK_FLUSH], counts->requests[RF_BLOCK_DISCARD],
		 counts->requests[RF_BLOCK_WRITE_ZEROES], counts->errors, counts->refused,
		 counts->events_in, counts->events_out, counts->grant_maps, counts->under_way);
	keys_write_text(device->store, device->private, "statistics", text);
}

static void device_paused(struct device *device, const char *text)
{
	if (text[0])
		keys_write_text(device->store, device->back, "paused", text);
	else
		keys_remove(device->store, device->back, "paused");
}

static void device_connected(struct device *device, const char *wrong)
{
	if (wrong[0]) {
		device->releasing = true;
		device_fail(device, wrong);
	} else if (!device->releasing) {
		keys_remove(device->store, device->back, "error");
		device_say(device, STATE_CONNECTED);
	}
}

static void device_released(struct device *device)
{
	device->connected = false;
	device->releasing = false;
}

static void device_hear(struct device *device, struct message *message)
{
	message->text[MESSAGE_TEXT - 1] =
		message->kind == MESSAGE_STATISTICS ? message->text[MESSAGE_TEXT - 1] : '\0';
	if (message->kind == MESSAGE_CONNECTED) {
		device_connected(device, message->text);
	} else if (message->kind == MESSAGE_BROKEN) {
		device->releasing = true;
		device_fail(device, message->text);
	} else if (message->kind == MESSAGE_RELEASED) {
		device_released(device);
	} else if (message->kind == MESSAGE_READY) {
		keys_write(device->store, device->back, "sectors", message->ready.sectors);
	} else if (message->kind == MESSAGE_PAUSED) {
		device_paused(device, message->text);
	} else if (message->kind == MESSAGE_STATISTICS) {
		device_count(device, &message->statistics);
	}
}

/* --- The front end --- */

static void device_connect(struct device *device)
{
	struct message message = { .kind = MESSAGE_CONNECT };
	char error[2 * KEYS_PATH];

	if (!front_read(device->store, device->front, &message.connect, error, sizeof(error))) {
		device_fail(device, error);
		return;
	}
	device->connected = true;
	worker_send(&device->worker, &message);
}

static bool device_shares(enum keys_state front)
{
	return front == STATE_INITIALISED || front == STATE_CONNECTED || front == STATE_CLOSING;
}

/* It is to go away: the front end is asked, unless it has nothing of the disk. */
static void device_go(struct device *device, enum keys_state front)
{
	if (device->connected && device_shares(front)) {
		if (device->state != STATE_CLOSING)
			device_say(device, STATE_CLOSING);
		return;
	}
	device_release(device);
	if (device->connected)
		return;
	device_say(device, STATE_CLOSED);
	device->gone = true;
}

/* It is to stay. */
static void device_stay(struct device *device, enum keys_state front)
{
	if (front == STATE_INITIALISING)
		device->failed = false;
	if (device->connected && !device->failed && !device_shares(front))
		device_release(device);
	if (device->connected && front == STATE_CLOSING)
		device_release(device);
	if (device->connected || device->failed)
		return;
	if (device->state != STATE_WAITING)
		device_say(device, STATE_WAITING);
	if (front == STATE_INITIALISED)
		device_connect(device);
}

static void device_look(struct device *device)
{
	enum keys_state front = keys_state(device->store, device->front);
	uint64_t online = 1;

	if (!keys_there(device->store, device->back)) {
		device->gone = true;
		return;
	}
	keys_number(device->store, device->back, "online", 0, 1, &online);
	if (device->changed)
		device_configure(device);
	device->changed = false;
	if (!online)
		device_go(device, front);
	else
		device_stay(device, front);
}

static void device_noticed(void *argument, const char *path)
{
	/* Everything is looked at after each round of events. */
	(void)argument;
	(void)path;
}

static void device_configured(void *argument, const char *path)
{
	struct device *device = argument;

	if (!strstr(path, "/statistics"))
		device->changed = true;
}

/* --- Running --- */

/* -1: the worker is gone. */
static int device_wait(struct device *device)
{
	struct pollfd files[] = { { rfstore_file(device->store), POLLIN, 0 },
				  { device->worker.socket, POLLIN, 0 } };
	struct message message;
	int result;

	poll(files, 2, LOOK_EVERY);
	rfstore_dispatch(device->store);
	while ((result = worker_receive(&device->worker, &message, 0)) > 0)
		device_hear(device, &message);
	return result;
}

static bool device_read_image(struct device *device)
{
	char *mode = keys_text(device->store, device->private, "mode");

	free(device->image);
	free(device->format);
	device->image = keys_text(device->store, device->private, "image");
	device->format = keys_text(device->store, device->private, "format");
	device->work = (struct worker_options){
		.image = device->image,
		.format = device->format ? device->format : "raw",
		.read_only = mode && strcmp(mode, "r") == 0,
		.domain = device->options->domain,
		.link = device->options->link,
		.user = device->options->user,
		.no_jail = device->options->no_jail,
	};
	free(mode);
	if (!device->image)
		device_error(device, "its key \"image\" is not there");
	return device->image;
}

/* Its first message: what the image is, or why it cannot be opened. */
static bool device_open(struct device *device)
{
	struct message message;

	if (worker_receive(&device->worker, &message, OPEN_SECONDS * 1000) != 1) {
		device_error(device, "its worker does not begin");
		return false;
	}
	if (message.kind == MESSAGE_READY) {
		device_publish(device, &message.ready);
		return true;
	}
	message.text[MESSAGE_TEXT - 1] = '\0';
	device_error(device, message.text);
	return false;
}

/* One worker's life. False: it could not even begin. */
static bool device_serve(struct device *device, const volatile sig_atomic_t *stop)
{
	bool opened;

	if (!device_read_image(device) || !worker_start(&device->worker, &device->work))
		return false;
	opened = device_open(device);
	if (opened) {
		memset(&device->limits, 0, sizeof(device->limits));
		device->changed = true;
		device_released(device);
		keys_remove(device->store, device->back, "paused");
		device_say(device, STATE_WAITING);
		device_look(device);
		while (!*stop && !device->gone && device_wait(device) >= 0)
			device_look(device);
	}
	worker_end(&device->worker);
	return opened;
}

static bool device_folders(struct device *device)
{
	struct rfstore_watch *watch;
	int written = snprintf(device->back, sizeof(device->back),
			       "/local/domain/0/backend/block/%u/%u", device->options->domain,
			       device->options->id);

	(void)written;
	snprintf(device->front, sizeof(device->front), "/local/domain/%u/device/block/%u",
		 device->options->domain, device->options->id);
	snprintf(device->private, sizeof(device->private), "%s/private", device->back);
	if (!keys_there(device->store, device->back)) {
		fprintf(stderr, "rf-block: %s is not there\n", device->back);
		return false;
	}
	return rfstore_watch(device->store, device->front, device_noticed, device, &watch) == 0 &&
	       rfstore_watch(device->store, device->back, device_noticed, device, &watch) == 0 &&
	       rfstore_watch(device->store, device->private, device_configured, device, &watch) ==
		       0;
}

static void device_keep_serving(struct device *device, const volatile sig_atomic_t *stop)
{
	while (!*stop && !device->gone) {
		bool began = device_serve(device, stop);

		if (device->options->once || *stop || device->gone)
			break;
		device->delay = began ? 0 : device->delay * 2 + 1;
		if (device->delay > DELAY_MAX)
			device->delay = DELAY_MAX;
		if (began)
			device_error(device, "its worker ended; there is another one now");
		sleep(device->delay);
		device->gone = !keys_there(device->store, device->back);
	}
}

int device_run(const struct device_options *options, const volatile sig_atomic_t *stop)
{
	struct device device = { .options = options };

	if (rfstore_open(&device.store, options->store)) {
		fprintf(stderr, "rf-block: there is no store\n");
		return EXIT_FAILED;
	}
	if (device_folders(&device))
		device_keep_serving(&device, stop);
	free(device.image);
	free(device.format);
	rfstore_close(device.store);
	return device.gone || *stop ? EXIT_ENDED : EXIT_FAILED;
}
