// SPDX-License-Identifier: BSD-2-Clause
/*
 * The monitor of a device: the states of docs/io.md, between the store and the worker.
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

#include "backends/common/device.h"

#define OPEN_SECONDS 30
#define LOOK_EVERY   1000 /* milliseconds; watches tell at once, this is in case */
#define DELAY_MAX    8	  /* seconds between two workers */
#define HEAR_MAX     64	  /* of what a worker says, before all else is looked at again */

enum { EXIT_ENDED, EXIT_FAILED };

/* --- The store --- */

static void device_say(struct device *device, enum keys_state state)
{
	device->state = state;
	keys_write(device->store, device->back, "state", state);
}

static void device_log(const struct device *device, const char *text)
{
	fprintf(stderr, "%s %u/%u: %s\n", device->class->program, device->options->domain,
		device->options->id, text);
}

void device_error(struct device *device, const char *text)
{
	device_log(device, text);
	keys_write_text(device->store, device->back, "error", text);
}

/*
 * What may be over with the next worker. Beside a state of 5, which the last one may have left, an error would say
 * that the connection is broken, and the front end would give up what it uses.
 */
static void device_trouble(struct device *device, const char *text)
{
	if (keys_state(device->store, device->back) == STATE_CLOSING)
		device_log(device, text);
	else
		device_error(device, text);
}

/* --- The worker --- */

static void device_release(struct device *device)
{
	if (device->connected && !device->releasing)
		message_tell(device->worker.socket, MESSAGE_RELEASE, NULL);
	device->releasing = device->connected;
}

static void device_fail(struct device *device, const char *text)
{
	device->failed = true;
	device->resumes = false;
	device_error(device, text);
	device_say(device, STATE_CLOSING);
}

static void device_count(struct device *device, const struct message *message)
{
	char text[512];

	device->class->count(message_content(message), text, sizeof(text));
	keys_write_text(device->store, device->private, "statistics", text);
}

static void device_connected(struct device *device, const char *wrong)
{
	if (wrong[0]) {
		device->releasing = true;
		device_fail(device, wrong);
	} else if (!device->releasing) {
		device->resumes = false;
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
	if (message->kind == MESSAGE_CONNECTED) {
		device_connected(device, message_text(message));
	} else if (message->kind == MESSAGE_BROKEN) {
		device->releasing = true;
		device_fail(device, message_text(message));
	} else if (message->kind == MESSAGE_RELEASED) {
		device_released(device);
	} else if (message->kind == MESSAGE_STATISTICS) {
		device_count(device, message);
	} else if (device->class->hear) {
		device->class->hear(device, message);
	}
}

/* --- The front end --- */

static void device_connect(struct device *device)
{
	struct message message = { .kind = MESSAGE_CONNECT };
	char error[2 * KEYS_PATH];

	if (!front_read(device->class->front, device->store, device->front, message.content, error,
			sizeof(error))) {
		device_fail(device, error);
		return;
	}
	device->connected = true;
	message_send(device->worker.socket, MESSAGE_CONNECT, message.content,
		     sizeof(message.content));
}

static bool device_shares(enum keys_state front)
{
	return front == STATE_INITIALISED || front == STATE_CONNECTED || front == STATE_CLOSING;
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

/*
 * Does it wait for a back end that had died? It may have the device in use, so it has to be served before it is asked
 * to let go. One that says 1 and had rings before is about to show them again.
 */
static bool device_comes_back(const struct device *device, enum keys_state front)
{
	uint64_t queues;

	if (front == STATE_INITIALISING)
		return keys_number(device->store, device->front, "queues", 0, UINT32_MAX, &queues);
	return front == STATE_INITIALISED || front == STATE_CONNECTED;
}

/* The front end is asked, when it has seen that it is connected. */
static void device_ask(struct device *device, enum keys_state front)
{
	if (device->state != STATE_CLOSING && front != STATE_INITIALISED)
		device_say(device, STATE_CLOSING);
}

/* It is to go away: the front end is asked, unless it has nothing of the device. */
static void device_go(struct device *device, enum keys_state front)
{
	if (device->resumes && device_comes_back(device, front)) {
		device_stay(device, front);
		return;
	}
	if (device->connected && device_shares(front)) {
		device_ask(device, front);
		return;
	}
	device_release(device);
	if (device->connected)
		return;
	device_say(device, STATE_CLOSED);
	device->gone = true;
}

/* Its folder may be gone, and may be that of the next device of this number already. */
static bool device_is_there(const struct device *device)
{
	char *instance = keys_text(device->store, device->back, "instance");
	bool there;

	if (instance)
		there = strcmp(instance, device->instance) == 0;
	else
		there = !device->instance[0] && keys_there(device->store, device->back);
	free(instance);
	return there;
}

static void device_look(struct device *device)
{
	enum keys_state front = keys_state(device->store, device->front);
	uint64_t online = 1;

	if (!device_is_there(device)) {
		device->gone = true;
		return;
	}
	keys_number(device->store, device->back, "online", 0, 1, &online);
	if (device->changed)
		device->class->configure(device);
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
	int result = 1;

	poll(files, 2, LOOK_EVERY);
	rfstore_dispatch(device->store);
	for (unsigned i = 0; i < HEAR_MAX && result > 0; i++) {
		result = worker_receive(&device->worker, &message, 0);
		if (result > 0)
			device_hear(device, &message);
	}
	return result;
}

/* Its first message: what it has opened, or why it cannot be. */
static bool device_open(struct device *device)
{
	struct message message;

	if (worker_receive(&device->worker, &message, OPEN_SECONDS * 1000) != 1) {
		device_trouble(device, "its worker does not begin");
		return false;
	}
	if (message.kind == MESSAGE_READY) {
		device->class->publish(device, &message);
		return device->class->configure(device);
	}
	device_trouble(device, message_text(&message));
	return false;
}

static bool device_start(struct device *device)
{
	const struct worker_options work = {
		.domain = device->options->domain,
		.link = device->options->link,
		.user = device->options->user,
		.no_jail = device->options->no_jail,
		.source = device->class->source(device),
	};

	return work.source && worker_start(&device->worker, device->class->worker, &work);
}

/* One worker's life. False: it could not even begin. */
static bool device_serve(struct device *device, const volatile sig_atomic_t *stop)
{
	bool opened;

	if (!device_start(device))
		return false;
	opened = device_open(device);
	if (opened) {
		device_released(device);
		device->resumes =
			device_comes_back(device, keys_state(device->store, device->front));
		device_say(device, STATE_WAITING);
		device_look(device);
		while (!*stop && !device->gone && device_wait(device) >= 0)
			device_look(device);
	}
	worker_end(&device->worker);
	return opened;
}

static void device_name_folders(struct device *device)
{
	const char *class = device->class->name;
	uint32_t domain = device->options->domain, id = device->options->id;

	snprintf(device->back, sizeof(device->back), "/local/domain/0/backend/%s/%u/%u", class,
		 domain, id);
	snprintf(device->front, sizeof(device->front), "/local/domain/%u/device/%s/%u", domain,
		 class, id);
	snprintf(device->private, sizeof(device->private), "%s/private", device->back);
}

static void device_read_instance(struct device *device)
{
	char *instance = keys_text(device->store, device->back, "instance");

	snprintf(device->instance, sizeof(device->instance), "%s", instance ? instance : "");
	free(instance);
}

static bool device_watch_folders(struct device *device)
{
	struct rfstore_watch *watch;

	if (!keys_there(device->store, device->back)) {
		fprintf(stderr, "%s: %s is not there\n", device->class->program, device->back);
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
			device_trouble(device, "its worker ended; there is another one now");
		sleep(device->delay);
		device->gone = !device_is_there(device);
	}
}

int device_run(struct device *device, const struct device_options *options,
	       const volatile sig_atomic_t *stop)
{
	device->options = options;
	if (rfstore_open(&device->store, options->store)) {
		fprintf(stderr, "%s: there is no store\n", device->class->program);
		return EXIT_FAILED;
	}
	device_name_folders(device);
	device_read_instance(device);
	if (device_watch_folders(device))
		device_keep_serving(device, stop);
	rfstore_close(device->store);
	return device->gone || *stop ? EXIT_ENDED : EXIT_FAILED;
}
