// SPDX-License-Identifier: BSD-2-Clause
/*
 * The worker of an interface: it opens the tap, and then in each turn it handles what has come and what the monitor
 * says, looks at every queue, and sets a timer for what has to wait.
 */
#include <stdio.h>
#include <string.h>

#include "backends/net/interface.h"

#define REPORT_EVERY 2000000000ULL
#define ENTRIES	     64 /* sent at once; any number may be under way */

/* --- Connecting --- */

static void interface_release(struct interface *interface)
{
	interface->releasing = true;
	for (unsigned i = 0; i < interface->queues; i++)
		queue_stop(&interface->queue[i]);
}

static const char *interface_open_queues(struct interface *interface,
					 const struct message_connect *connect)
{
	const char *wrong = NULL;

	if (tap_use(&interface->common.tap, connect->queues, connect->checksum, connect->tcp4,
		    connect->tcp6))
		return "the tap does not take what it accepts";
	for (unsigned i = 0; i < connect->queues && !wrong; i++) {
		wrong = queue_open(&interface->queue[i], &interface->common, i, &connect->queue[i]);
		if (!wrong)
			interface->queues++;
	}
	return wrong;
}

static void interface_connect(struct interface *interface, const struct message_connect *connect)
{
	const char *wrong;

	interface->common.accepts = (struct packet_rules){ .checksum = (uint8_t)connect->checksum,
							   .tcp4 = (uint8_t)connect->tcp4,
							   .tcp6 = (uint8_t)connect->tcp6 };
	wrong = interface_open_queues(interface, connect);
	message_tell(interface->socket, MESSAGE_CONNECTED, wrong);
	if (wrong)
		interface_release(interface);
}

static bool interface_idle(const struct interface *interface)
{
	for (unsigned i = 0; i < interface->queues; i++) {
		if (!queue_idle(&interface->queue[i]))
			return false;
	}
	return true;
}

static void interface_released(struct interface *interface)
{
	for (unsigned i = 0; i < interface->queues; i++)
		queue_close(&interface->queue[i]);
	interface->queues = 0;
	interface->releasing = false;
	tap_use(&interface->common.tap, 1, false, false, false);
	message_tell(interface->socket, MESSAGE_RELEASED, NULL);
}

static void interface_broken(struct interface *interface, unsigned number)
{
	char text[MESSAGE_TEXT];

	snprintf(text, sizeof(text), "queue %u: its number of requests is out of range", number);
	message_tell(interface->socket, MESSAGE_BROKEN, text);
	interface_release(interface);
}

/* --- What the monitor says --- */

static void interface_set(struct interface *interface, const struct message_settings *settings)
{
	uint64_t now = loop_now();

	interface->common.rules = settings->rules;
	interface->common.carrier = settings->link;
	limit_set(&interface->common.bytes, settings->bytes, settings->bytes_burst, now);
	limit_set(&interface->common.packets, settings->packets, settings->packets_burst, now);
}

static void interface_handle(struct interface *interface, const struct message *message)
{
	if (message->kind == MESSAGE_CONNECT && !interface->queues)
		interface_connect(interface, message_content(message));
	else if (message->kind == MESSAGE_RELEASE)
		interface_release(interface);
	else if (message->kind == MESSAGE_SETTINGS)
		interface_set(interface, message_content(message));
}

static void interface_monitor(struct loop_watch *watch)
{
	struct interface *interface =
		(struct interface *)((char *)watch - offsetof(struct interface, monitor));
	struct message message;
	int result = message_receive(interface->socket, &message);

	if (result < 0)
		interface->ended = true;
	else if (result)
		interface_handle(interface, &message);
}

/* --- Timers --- */

static void interface_delayed(struct loop_timer *timer)
{
	/* The queues are looked at in every turn. */
	(void)timer;
}

static void interface_report(struct loop_timer *timer)
{
	struct interface *interface =
		(struct interface *)((char *)timer - offsetof(struct interface, report));
	const struct message_statistics *now = &interface->common.statistics;

	if (memcmp(now, &interface->reported, sizeof(*now)) != 0)
		message_send(interface->socket, MESSAGE_STATISTICS, now, sizeof(*now));
	interface->reported = *now;
	loop_timer(&interface->common.loop, &interface->report, REPORT_EVERY, interface_report);
}

static void interface_set_timer(struct interface *interface)
{
	uint64_t least = 0, now = loop_now();

	for (unsigned i = 0; i < interface->queues; i++) {
		uint64_t delay = queue_delay(&interface->queue[i], now);

		if (delay && (!least || delay < least))
			least = delay;
	}
	if (least)
		loop_timer(&interface->common.loop, &interface->delay, least, interface_delayed);
}

/* --- A turn --- */

void interface_open(struct interface *interface, int socket)
{
	interface->socket = socket;
	loop_watch(&interface->common.loop, &interface->monitor, socket, interface_monitor);
	loop_timer(&interface->common.loop, &interface->report, REPORT_EVERY, interface_report);
	message_tell(interface->socket, MESSAGE_READY, NULL);
}

static bool interface_busy(const struct interface *interface)
{
	bool busy = false;

	for (unsigned i = 0; i < interface->queues; i++)
		busy |= interface->queue[i].more;
	return busy;
}

static void interface_turn_queues(struct interface *interface)
{
	for (unsigned i = 0; i < interface->queues; i++) {
		if (!queue_turn(&interface->queue[i])) {
			interface_broken(interface, i);
			return;
		}
	}
}

void interface_turn(struct interface *interface)
{
	loop_turn(&interface->common.loop, !interface_busy(interface));
	interface_turn_queues(interface);
	if (interface->releasing && interface_idle(interface))
		interface_released(interface);
	interface_set_timer(interface);
}

/* --- Its process --- */

static bool interface_open_tap(struct interface *interface, const char *tap, char *error,
			       size_t size)
{
	int number = tap_open(&interface->common.tap, tap);

	return !number || worker_fail(error, size, tap, -number);
}

static bool interface_begin(void *served, int socket, const struct worker_options *options,
			    char *error, size_t size)
{
	struct interface *interface = served;

	interface->socket = socket;
	return worker_open_loop(&interface->common.loop, ENTRIES, 0, error, size) &&
	       worker_open_link(&interface->common.link, options, error, size) &&
	       interface_open_tap(interface, options->source, error, size);
}

static void interface_serve(void *served)
{
	struct interface *interface = served;

	interface_open(interface, interface->socket);
	while (!interface->ended)
		interface_turn(interface);
}

const struct worker_class interface_worker = {
	.bytes = sizeof(struct interface),
	.open = interface_begin,
	.serve = interface_serve,
};
