// SPDX-License-Identifier: BSD-2-Clause
/*
 * Looks after guests' surroundings.
 *
 * Interface: tend.h. Locks: those of life.c; it has a thread of its own, since a store may let it wait.
 * Odd: a store that comes, or comes again, is seen by the watch, which is told then as if it had changed. A back end
 * that is gone is seen by looking, as it is nobody's child.
 */
#include "toolstack/rfd/tend.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "toolstack/lib/device_process.h"
#include "toolstack/lib/disk.h"
#include "toolstack/lib/domain.h"
#include "toolstack/lib/introduce.h"
#include "toolstack/lib/life.h"
#include "toolstack/lib/net.h"
#include "toolstack/rfd/log.h"

#define LOOK_MS 2000

static uint64_t now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

static const struct device_class *const classes[] = { &disk_class, &net_class };

/* --- The store --- */

static void noticed(void *argument, const char *path)
{
	struct tend *tend = argument;

	(void)path;
	tend->changed = true;
}

static void find_store(struct tend *tend)
{
	struct rfstore_watch *watch;

	if (tend->store || rfstore_open(&tend->store, NULL))
		return;
	if (!rfstore_watch(tend->store, "@introduceDomain", noticed, tend, &watch))
		return;
	rfstore_close(tend->store);
	tend->store = NULL;
}

static void introduce(struct tend *tend, const struct rf_domain_info *info)
{
	struct report ignored = { .warnings = 0 };
	struct config config;

	if (life_recall(info, &config, &ignored) &&
	    introduce_late(tend->store, info->domain, &config))
		log_line("%s: the store knows domain %u now", info->name, info->domain);
	config_free(&config);
}

static void introduce_all(struct tend *tend)
{
	struct rf_domain_info info;

	for (uint32_t n = 1; domain_next(&tend->access, n, &info); n = info.domain + 1)
		if (!info.control && !domain_ended(&info) && info.state != RF_DOMAIN_DYING)
			introduce(tend, &info);
}

static bool is_there(void *argument, uint32_t domain)
{
	struct tend *tend = argument;
	struct rf_domain_info info;

	return domain_get(&tend->access, domain, &info) != -ESRCH;
}

/* --- Back ends --- */

static void start_again(struct tend *tend, const struct device_folders *f,
			const struct rf_domain_info *info)
{
	struct report report = { .warnings = 0 };
	bool started = device_process_start(f, &report);

	backend_started(&tend->daemon->backends, f, now_ms());
	if (!started) {
		log_line("%s", report.error);
		return;
	}
	log_line("%s %u/%u: was gone; is started again", f->class->program, f->domain, f->id);
	event_add(&tend->daemon->events, EVENT_HELPER_STARTED, info, "%s %u/%u", f->class->program,
		  f->domain, f->id);
}

static void look_at(void *argument, const struct device_folders *f, bool runs)
{
	struct tend *tend = argument;
	struct backend_table *backends = &tend->daemon->backends;
	struct rf_domain_info info;

	if (runs) {
		backend_seen(backends, f, now_ms());
		return;
	}
	if (domain_get(&tend->access, f->domain, &info) || info.state == RF_DOMAIN_DYING)
		return;
	if (backend_gone(backends, f, info.serial, now_ms()))
		start_again(tend, f, &info);
}

struct listing {
	struct backend_table *backends;
	json_t *list;
};

static void list_one(void *argument, const struct device_folders *f, bool runs)
{
	const struct listing *listing = argument;

	json_array_append_new(listing->list,
			      backend_describe(listing->backends, f, runs, now_ms()));
}

static void visit_all(struct rfstore *store, device_visit *visit, void *argument)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		device_process_visit(store, classes[i], visit, argument);
}

void tend_list(struct daemon *daemon, json_t *list)
{
	struct listing listing = { &daemon->backends, list };
	struct rfstore *store;

	if (rfstore_open(&store, NULL))
		return;
	visit_all(store, list_one, &listing);
	rfstore_close(store);
}

/* --- All of it --- */

void tend_look(struct tend *tend)
{
	unsigned left = life_sweep(&tend->access);

	if (left)
		log_line("took away what was left of %u domains", left);
	find_store(tend);
	if (!tend->store)
		return;
	rfstore_dispatch(tend->store);
	if (tend->changed) {
		tend->changed = false;
		introduce_all(tend);
	}
	visit_all(tend->store, look_at, tend);
	introduce_sweep(tend->store, is_there, tend);
}

bool tend_open(struct tend *tend, struct daemon *daemon, struct report *report)
{
	memset(tend, 0, sizeof(*tend));
	tend->daemon = daemon;
	if (!daemon->open(&tend->access, report))
		return false;
	tend->stop = eventfd(0, EFD_CLOEXEC);
	return true;
}

void tend_close(struct tend *tend)
{
	if (tend->store)
		rfstore_close(tend->store);
	access_close(&tend->access);
	close(tend->stop);
}

static void *run(void *context)
{
	struct tend *tend = context;
	struct pollfd stop = { .fd = tend->stop, .events = POLLIN };

	do
		tend_look(tend);
	while (poll(&stop, 1, LOOK_MS) == 0);
	return NULL;
}

bool tend_start(struct tend *tend, struct daemon *daemon, struct report *report)
{
	if (!tend_open(tend, daemon, report))
		return false;
	pthread_create(&tend->thread, NULL, run, tend);
	return true;
}

void tend_stop(struct tend *tend)
{
	eventfd_write(tend->stop, 1);
	pthread_join(tend->thread, NULL);
	tend_close(tend);
}
