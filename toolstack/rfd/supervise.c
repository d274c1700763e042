// SPDX-License-Identifier: BSD-2-Clause
/*
 * Guests that have ended.
 *
 * Interface: supervise.h. Locks: its own, not held while anything is done to a domain; then those of life.c.
 * Odd: a thread of its own, since removing a domain may take long, and consoles must be read meanwhile. What somebody
 * else has done in between is seen by the serial number.
 */
#include "toolstack/rfd/supervise.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "toolstack/lib/life.h"
#include "toolstack/rfd/log.h"

static uint64_t now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

/* --- When --- */

/* Its own place, or that of the one that was not needed for longest. */
static struct supervise_name *find_name(struct supervise *supervise, const char *name)
{
	struct supervise_name *oldest = &supervise->names[0];

	for (size_t i = 0; i < SUPERVISE_NAMES; i++) {
		if (!strncmp(supervise->names[i].name, name, RF_DOMAIN_NAME_SIZE))
			return &supervise->names[i];
		if (supervise->names[i].last < oldest->last)
			oldest = &supervise->names[i];
	}
	*oldest = (struct supervise_name){ .quick = 0 };
	snprintf(oldest->name, sizeof(oldest->name), "%s", name);
	return oldest;
}

uint64_t supervise_delay(struct supervise *supervise, const char *name, uint64_t lived_ms)
{
	struct supervise_name *n = find_name(supervise, name);
	uint64_t seconds = n->quick ? 1ULL << (n->quick - 1) : 0;

	n->last = now_ms();
	if (lived_ms >= SUPERVISE_QUICK_MS) {
		n->quick = 0;
		return 0;
	}
	if (seconds < SUPERVISE_WAIT_MAX)
		n->quick++;
	return seconds * 1000;
}

static bool is_restarted(const struct rf_domain_info *info)
{
	struct report ignored = { .warnings = 0 };
	struct config config;
	bool restart = life_recall(info, &config, &ignored) &&
		       life_action(info, &config) == ACTION_RESTART;

	config_free(&config);
	return restart;
}

void supervise_add(struct supervise *supervise, const struct rf_domain_info *info,
		   uint64_t lived_ms)
{
	struct supervise_entry *entry = &supervise->entries[info->domain];
	bool restart = is_restarted(info);
	uint64_t delay;

	pthread_mutex_lock(&supervise->lock);
	delay = restart ? supervise_delay(supervise, info->name, lived_ms) : 0;
	*entry = (struct supervise_entry){ info->serial, now_ms() + delay };
	pthread_cond_signal(&supervise->more);
	pthread_mutex_unlock(&supervise->lock);
	if (delay)
		log_line("%s: did not last; is made again in %llu seconds", info->name,
			 (unsigned long long)delay / 1000);
}

/* --- What --- */

static void tell(struct supervise *supervise, enum life_result result,
		 const struct rf_domain_info *info, const struct report *report)
{
	struct event_queue *events = &supervise->daemon->events;

	switch (result) {
	case LIFE_FAILED:
		log_line("%s", report->error);
		event_add(events, EVENT_FAILED, info, "%s", report->error);
		break;
	case LIFE_RESTARTED:
		log_line("%s: was made again, as domain %u", info->name, info->domain);
		event_add(events, EVENT_RESTARTED, info, "%s", "");
		break;
	case LIFE_PRESERVED:
		event_add(events, EVENT_PRESERVED, info, "%s", "");
		break;
	default:
		break;
	}
}

/* What failed may succeed later, but not for one of which nothing is known. */
static void try_again(struct supervise *supervise, struct access *access, uint32_t domain,
		      uint64_t serial)
{
	struct report ignored = { .warnings = 0 };
	struct rf_domain_info info;
	struct config config;

	if (domain_get(access, domain, &info) || info.serial != serial || !domain_ended(&info))
		return;
	if (life_recall(&info, &config, &ignored)) {
		pthread_mutex_lock(&supervise->lock);
		supervise->entries[domain] =
			(struct supervise_entry){ serial, now_ms() + SUPERVISE_AGAIN_MS };
		pthread_mutex_unlock(&supervise->lock);
	}
	config_free(&config);
}

static void end(struct supervise *supervise, uint32_t domain, uint64_t serial)
{
	struct report report = { .warnings = 0 };
	struct rf_domain_info info;
	struct access access;
	enum life_result result;

	if (!supervise->daemon->open(&access, &report)) {
		log_line("%s", report.error);
		return;
	}
	if (!domain_get(&access, domain, &info) && info.serial == serial) {
		result = life_end(&access, &info, &report);
		tell(supervise, result, &info, &report);
		if (result == LIFE_FAILED)
			try_again(supervise, &access, domain, serial);
	}
	access_close(&access);
}

/* --- The thread --- */

/* The one that is due first, or has been for longest; NULL: none is waiting. */
static struct supervise_entry *first_due(struct supervise *supervise)
{
	struct supervise_entry *first = NULL;

	for (size_t i = 0; i < DOMAIN_NUMBERS; i++) {
		struct supervise_entry *entry = &supervise->entries[i];

		if (entry->due && (!first || entry->due < first->due))
			first = entry;
	}
	return first;
}

/* The lock is held. */
static void wait_until(struct supervise *supervise, uint64_t due)
{
	struct timespec time = { .tv_sec = (time_t)(due / 1000),
				 .tv_nsec = (long)(due % 1000) * 1000000 };

	pthread_cond_timedwait(&supervise->more, &supervise->lock, &time);
}

static void turn(struct supervise *supervise)
{
	struct supervise_entry *entry = first_due(supervise), taken;

	if (!entry) {
		pthread_cond_wait(&supervise->more, &supervise->lock);
	} else if (entry->due > now_ms()) {
		wait_until(supervise, entry->due);
	} else {
		taken = *entry;
		entry->due = 0;
		pthread_mutex_unlock(&supervise->lock);
		end(supervise, (uint32_t)(entry - supervise->entries), taken.serial);
		pthread_mutex_lock(&supervise->lock);
	}
}

static void *run(void *context)
{
	struct supervise *supervise = context;

	pthread_mutex_lock(&supervise->lock);
	while (!supervise->stopping)
		turn(supervise);
	pthread_mutex_unlock(&supervise->lock);
	return NULL;
}

void supervise_start(struct supervise *supervise, struct daemon *daemon)
{
	pthread_condattr_t attributes;

	memset(supervise, 0, sizeof(*supervise));
	supervise->daemon = daemon;
	pthread_mutex_init(&supervise->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&supervise->more, &attributes);
	pthread_condattr_destroy(&attributes);
	pthread_create(&supervise->thread, NULL, run, supervise);
}

void supervise_stop(struct supervise *supervise)
{
	pthread_mutex_lock(&supervise->lock);
	supervise->stopping = true;
	pthread_cond_signal(&supervise->more);
	pthread_mutex_unlock(&supervise->lock);
	pthread_join(supervise->thread, NULL);
	pthread_cond_destroy(&supervise->more);
	pthread_mutex_destroy(&supervise->lock);
}
