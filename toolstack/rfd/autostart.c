// SPDX-License-Identifier: BSD-2-Clause
/*
 * The guests that start with the node.
 *
 * Interface: autostart.h. Locks: those of definition.c and life.c.
 * Odd: that it was done is kept in the folder of state, which is empty after the machine has started. A daemon that was
 * killed in the middle of it is followed by one that does the rest: who is there already is left alone.
 */
#include "toolstack/rfd/autostart.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "toolstack/lib/definition.h"
#include "toolstack/lib/domain.h"
#include "toolstack/lib/life.h"
#include "toolstack/lib/places.h"
#include "toolstack/rfd/log.h"

static void start(struct daemon *daemon, struct access *access, struct config *config)
{
	struct report report = { .warnings = 0 };
	struct rf_domain_info info;

	if (domain_find(access, config->name, &info) != -ESRCH)
		return;
	if (life_create(access, config, false, &info, &report)) {
		log_line("%s: starts with the node, as domain %u", info.name, info.domain);
		return;
	}
	log_line("%s: does not start with the node: %s", config->name, report.error);
	event_add(&daemon->events, EVENT_FAILED, NULL, "%s", report.error);
}

static void look_at(struct daemon *daemon, struct access *access, const char *name)
{
	struct report report = { .warnings = 0 };
	struct definition definition;

	if (definition_read(name, &definition, &report) != STATUS_OK) {
		log_line("%s", report.error);
		event_add(&daemon->events, EVENT_FAILED, NULL, "%s", report.error);
	} else if (definition.autostart) {
		start(daemon, access, &definition.config);
	}
	definition_free(&definition);
}

static void look_at_all(struct daemon *daemon)
{
	struct report report = { .warnings = 0 };
	json_t *names = definition_names(), *name;
	struct access access;
	size_t i;

	if (daemon->open(&access, &report)) {
		json_array_foreach(names, i, name)
			look_at(daemon, &access, json_string_value(name));
		access_close(&access);
	} else {
		log_line("%s", report.error);
	}
	json_decref(names);
}

void autostart_run(struct daemon *daemon)
{
	char mark[PATH_MAX];
	int file;

	snprintf(mark, sizeof(mark), "%s/autostarted", places_state());
	if (!access(mark, F_OK))
		return;
	look_at_all(daemon);
	file = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0)
		log_line("%s: %s", mark, strerror(errno));
	else
		close(file);
}
