// SPDX-License-Identifier: BSD-2-Clause
/*
 * The queue of events.
 *
 * Interface: event.h. Locks: the queue's own, held for no longer than it takes to copy what is kept.
 * Odd: who reads slowly loses the oldest, and is told so; nobody is waited for. What is kept has its place from the
 * beginning, but for texts: as JSON it would be ten times as much, and is made when somebody reads.
 */
#include "toolstack/rfd/event.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TEXT_SIZE 640

static const struct {
	const char *name;
	const char *help;
} kinds[EVENT_KINDS] = {
	[EVENT_DAEMON_STARTED] = { "daemon-started", "rfd has started" },
	[EVENT_CREATED] = { "created", "there is a new domain" },
	[EVENT_RUNNING] = { "running", "it runs, for the first time or again" },
	[EVENT_PAUSED] = { "paused", "it was stopped where it is" },
	[EVENT_POWERED_OFF] = { "powered-off", "it has ended by itself" },
	[EVENT_WANTS_REBOOT] = { "wants-reboot", "it has ended by itself, to begin again" },
	[EVENT_CRASHED] = { "crashed", "it has panicked, or did what ends a domain" },
	[EVENT_REMOVED] = { "removed", "nothing is left of it" },
	[EVENT_RENAMED] = { "renamed", "it has this name now" },
	[EVENT_RESTARTED] = { "restarted", "rfd has made it again: this is the new one" },
	[EVENT_PRESERVED] = { "preserved", "it has ended, and is left as it is" },
	[EVENT_FAILED] = { "failed", "rfd could not do what should be done; the text says why" },
	[EVENT_HELPER_STARTED] = { "helper-started", "a program that guests need was started" },
	[EVENT_HELPER_ENDED] = { "helper-ended", "it has ended" },
};

const char *event_name(enum event_kind kind)
{
	return kinds[kind].name;
}

const char *event_help(enum event_kind kind)
{
	return kinds[kind].help;
}

void event_open(struct event_queue *queue)
{
	pthread_condattr_t attributes;
	struct timespec now;

	memset(queue, 0, sizeof(*queue));
	pthread_mutex_init(&queue->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&queue->more, &attributes);
	pthread_condattr_destroy(&attributes);
	/* Above all that an earlier run gave, so long as there were fewer than a million a second. */
	clock_gettime(CLOCK_REALTIME, &now);
	queue->next = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
	queue->first = queue->next;
}

void event_close(struct event_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->closed = true;
	pthread_cond_broadcast(&queue->more);
	pthread_mutex_unlock(&queue->lock);
}

void event_free(struct event_queue *queue)
{
	for (uint64_t n = 0; n < EVENTS_KEPT; n++)
		free(queue->kept[n].text);
	pthread_cond_destroy(&queue->more);
	pthread_mutex_destroy(&queue->lock);
}

/* --- Adding --- */

/* In place of the oldest, if there is no room. The lock is held. */
static void put(struct event_queue *queue, const struct event *event)
{
	struct event *place = &queue->kept[queue->next % EVENTS_KEPT];

	if (queue->next - queue->first == EVENTS_KEPT)
		queue->first++;
	free(place->text);
	*place = *event;
	queue->next++;
}

void event_add(struct event_queue *queue, enum event_kind kind, const struct rf_domain_info *info,
	       const char *format, ...)
{
	struct event event = { .kind = kind };
	char text[TEXT_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	clock_gettime(CLOCK_REALTIME, &event.time);
	if (info) {
		memcpy(event.name, info->name, sizeof(event.name) - 1);
		event.domain = info->domain;
		event.serial = info->serial;
	}
	if (*text)
		event.text = strdup(text);
	pthread_mutex_lock(&queue->lock);
	queue->counts[kind]++;
	put(queue, &event);
	pthread_cond_broadcast(&queue->more);
	pthread_mutex_unlock(&queue->lock);
}

/* --- Reading --- */

static json_t *to_json(const struct event *event, uint64_t number)
{
	json_t *json = json_pack("{s:s, s:f}", "event", kinds[event->kind].name, "time",
				 (double)event->time.tv_sec +
					 (double)(event->time.tv_nsec / 1000000) / 1e3);

	/* Every domain has a serial number, and none has zero. */
	if (event->serial)
		json_object_update_new(json, json_pack("{s:s, s:i, s:I}", "name", event->name,
						       "domain", (int)event->domain, "serial",
						       (json_int_t)event->serial));
	/* What is not UTF-8 cannot be said. */
	if (event->text)
		json_object_set_new(json, "text", json_string(event->text));
	json_object_set_new(json, "number", json_integer((json_int_t)number));
	return json;
}

/* The lock is held. */
static json_t *copy(const struct event_queue *queue, uint64_t since)
{
	uint64_t first = since + 1 > queue->first ? since + 1 : queue->first;
	bool lost = since && since + 1 < queue->first;
	json_t *list = json_array();

	for (uint64_t n = first; n < queue->next; n++)
		json_array_append_new(list, to_json(&queue->kept[n % EVENTS_KEPT], n));
	return json_pack("{s:o, s:I, s:b}", "events", list, "last", (json_int_t)(queue->next - 1),
			 "lost", (int)lost);
}

/* The lock is held. */
static void wait_for(struct event_queue *queue, uint64_t since, unsigned seconds)
{
	struct timespec end;
	int error = 0;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += seconds;
	queue->waiting++;
	while (since + 1 >= queue->next && !queue->closed && !error)
		error = pthread_cond_timedwait(&queue->more, &queue->lock, &end);
	queue->waiting--;
}

json_t *event_read(struct event_queue *queue, uint64_t since, unsigned seconds)
{
	json_t *result = NULL;

	pthread_mutex_lock(&queue->lock);
	if (queue->waiting < EVENTS_WAITERS || !seconds) {
		if (seconds)
			wait_for(queue, since, seconds);
		result = copy(queue, since);
	}
	pthread_mutex_unlock(&queue->lock);
	return result;
}

void event_count(struct event_queue *queue, uint64_t counts[EVENT_KINDS])
{
	pthread_mutex_lock(&queue->lock);
	memcpy(counts, queue->counts, sizeof(queue->counts));
	pthread_mutex_unlock(&queue->lock);
}
