// SPDX-License-Identifier: BSD-2-Clause
/*
 * The worker of an interface, when it is open: in each turn it handles what has come and what the monitor says, looks
 * at every queue, and sets a timer for what has to wait.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "backends/net/interface.h"

#define REPORT_EVERY 2000000000ULL

static void interface_send(const struct interface *interface, const struct message *message)
{
	/* If it is full or closed, the monitor is about to end this process. */
	if (send(interface->socket, message, sizeof(*message), MSG_NOSIGNAL) < 0)
		return;
}

void interface_tell(const struct interface *interface, enum message_kind kind, const char *text)
{
	struct message message = { .kind = kind };

	snprintf(message.text, sizeof(message.text), "%s", text ? text : "");
	interface_send(interface, &message);
}

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
	interface_tell(interface, MESSAGE_CONNECTED, wrong);
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
	interface_tell(interface, MESSAGE_RELEASED, NULL);
}

static void interface_broken(struct interface *interface, unsigned number)
{
	char text[MESSAGE_TEXT];

	snprintf(text, sizeof(text), "queue %u: its number of requests is out of range", number);
	interface_tell(interface, MESSAGE_BROKEN, text);
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
		interface_connect(interface, &message->connect);
	else if (message->kind == MESSAGE_RELEASE)
		interface_release(interface);
	else if (message->kind == MESSAGE_SETTINGS)
		interface_set(interface, &message->settings);
}

static void interface_monitor(struct loop_watch *watch)
{
	struct interface *interface =
		(struct interface *)((char *)watch - offsetof(struct interface, monitor));
	struct message message;
	ssize_t length = recv(interface->socket, &message, sizeof(message), MSG_DONTWAIT);

	if (length == 0)
		interface->ended = true;
	else if (length == sizeof(message))
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
	struct message message = { .kind = MESSAGE_STATISTICS };

	message.statistics = interface->common.statistics;
	if (memcmp(&message.statistics, &interface->reported, sizeof(interface->reported)) != 0)
		interface_send(interface, &message);
	interface->reported = message.statistics;
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
	interface_tell(interface, MESSAGE_READY, NULL);
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
