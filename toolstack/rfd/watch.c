// SPDX-License-Identifier: BSD-2-Clause
/*
 * What there is, and what has changed of it.
 *
 * Interface: watch.h. Locks: none: one thread. Events and those who have ended go through their own.
 * Odd: news only say that there is something to see. A guest that prints without end makes news without end; so there
 * is a pause after each look, by which it gets a fifth of a processor at most, and what does not fit into the
 * hypervisor's ring meanwhile is lost, and counted.
 */
#include "toolstack/rfd/watch.h"

#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "toolstack/rfd/log.h"

#define LOOK_MS	  1000 /* what makes no news is seen so often */
#define PAUSE_US  20000
#define PAUSE_MAX 1000000
#define SHARE	  4 /* a pause is at least so many times as long as the look before */

static uint64_t now_us(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static uint64_t now_ms(void)
{
	return now_us() / 1000;
}

/* --- Consoles --- */

static void open_log(struct watch *watch, struct watch_domain *d)
{
	struct report report = { .warnings = 0 };

	d->logging = console_log_open(&d->log, &d->info, watch->daemon->options.log_size, &report);
	if (!d->logging && !d->log_failed)
		log_line("%s: its console is not logged: %s", d->info.name, report.error);
	d->log_failed = !d->logging;
}

static void close_log(struct watch_domain *d)
{
	if (d->logging)
		console_log_close(&d->log);
	d->logging = false;
}

static void take_console(struct watch *watch, struct watch_domain *d)
{
	if (!d->logging)
		open_log(watch, d);
	if (d->logging && d->log.position != d->info.console_bytes)
		console_log_take(&d->log, &watch->access);
}

/* --- Changes --- */

static void tell(struct watch *watch, enum event_kind kind, const struct rf_domain_info *info)
{
	event_add(&watch->daemon->events, kind, info, "%s", "");
}

static void tell_state(struct watch *watch, const struct rf_domain_info *info)
{
	if (info->state == RF_DOMAIN_RUNNING)
		tell(watch, EVENT_RUNNING, info);
	else if (info->state == RF_DOMAIN_PAUSED)
		tell(watch, EVENT_PAUSED, info);
	else if (!domain_ended(info))
		return;
	else if (info->state == RF_DOMAIN_CRASHED || info->reason == RF_SHUTDOWN_CRASH)
		tell(watch, EVENT_CRASHED, info);
	else
		tell(watch,
		     info->reason == RF_SHUTDOWN_REBOOT ? EVENT_WANTS_REBOOT : EVENT_POWERED_OFF,
		     info);
}

static void remove_domain(struct watch *watch, struct watch_domain *d)
{
	close_log(d);
	console_log_forget(d->info.domain);
	tell(watch, EVENT_REMOVED, &d->info);
	d->there = false;
}

static void add_domain(struct watch *watch, struct watch_domain *d,
		       const struct rf_domain_info *info)
{
	*d = (struct watch_domain){ .there = true, .info = *info, .since = now_ms() };
	if (watch->again)
		tell(watch, EVENT_CREATED, info);
	/* One that is paused as it was made has not been stopped. */
	if (watch->again && info->state != RF_DOMAIN_PAUSED)
		tell_state(watch, info);
}

static void change_domain(struct watch *watch, struct watch_domain *d,
			  const struct rf_domain_info *info)
{
	struct rf_domain_info before = d->info;

	d->info = *info;
	if (strncmp(before.name, info->name, sizeof(info->name))) {
		close_log(d);
		event_add(&watch->daemon->events, EVENT_RENAMED, info, "was %s", before.name);
	}
	if (before.state != info->state)
		tell_state(watch, info);
}

/* What it printed last is read before anybody removes it. */
static void look_at(struct watch *watch, const struct rf_domain_info *info)
{
	struct watch_domain *d = &watch->domains[info->domain];

	if (d->there && d->info.serial != info->serial)
		remove_domain(watch, d);
	if (!d->there)
		add_domain(watch, d, info);
	else
		change_domain(watch, d, info);
	take_console(watch, d);
	if (!domain_ended(info) || d->told)
		return;
	d->told = true;
	supervise_add(watch->supervise, info, now_ms() - d->since);
}

/* Those whose numbers are between are gone. */
static void remove_between(struct watch *watch, uint32_t first, uint32_t end)
{
	for (uint32_t n = first; n < end; n++)
		if (watch->domains[n].there)
			remove_domain(watch, &watch->domains[n]);
}

void watch_look(struct watch *watch)
{
	struct rf_domain_info info;
	uint32_t next = 0;

	for (; domain_next(&watch->access, next, &info); next = info.domain + 1) {
		remove_between(watch, next, info.domain);
		if (!info.control)
			look_at(watch, &info);
	}
	remove_between(watch, next, DOMAIN_NUMBERS);
	watch->again = true;
}

/* --- The thread --- */

static void look_and_pause(struct watch *watch)
{
	uint64_t start = now_us(), pause;

	watch_look(watch);
	pause = SHARE * (now_us() - start);
	pause = pause < PAUSE_US ? PAUSE_US : pause;
	usleep((useconds_t)(pause < PAUSE_MAX ? pause : PAUSE_MAX));
}

static void *run(void *context)
{
	struct watch *watch = context;

	do {
		look_and_pause(watch);
	} while (!access_wait(&watch->access, watch->stop, LOOK_MS));
	return NULL;
}

bool watch_open(struct watch *watch, struct daemon *daemon, struct supervise *supervise,
		struct report *report)
{
	memset(watch, 0, sizeof(*watch));
	watch->daemon = daemon;
	watch->supervise = supervise;
	watch->stop = eventfd(0, EFD_CLOEXEC);
	if (daemon->open(&watch->access, report))
		return true;
	close(watch->stop);
	return false;
}

void watch_close(struct watch *watch)
{
	for (uint32_t n = 0; n < DOMAIN_NUMBERS; n++)
		close_log(&watch->domains[n]);
	access_close(&watch->access);
	close(watch->stop);
}

bool watch_start(struct watch *watch, struct daemon *daemon, struct supervise *supervise,
		 struct report *report)
{
	if (!watch_open(watch, daemon, supervise, report))
		return false;
	pthread_create(&watch->thread, NULL, run, watch);
	return true;
}

void watch_stop(struct watch *watch)
{
	eventfd_write(watch->stop, 1);
	pthread_join(watch->thread, NULL);
	watch_close(watch);
}
