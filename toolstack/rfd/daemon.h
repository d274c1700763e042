/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of rfd share: how it was started, what has happened, what was counted. */
#ifndef TOOLSTACK_RFD_DAEMON_H
#define TOOLSTACK_RFD_DAEMON_H

#include <stdbool.h>
#include <stdint.h>

#include "toolstack/lib/access.h"
#include "toolstack/rfd/backend.h"
#include "toolstack/rfd/event.h"
#include "toolstack/rfd/helper.h"
#include "toolstack/rfd/metrics.h"

struct options {
	const char *socket;
	uint64_t log_size; /* of a console's log */
	bool background;
};

struct daemon {
	struct options options;
	/*
	 * The way to the hypervisor. Every thread has its own, since news that one has seen are seen by that
	 * one only. Tests put their own in place.
	 */
	bool (*open)(struct access *access, struct report *report);
	struct event_queue events;
	struct metrics metrics;
	struct helper_table helpers; /* of the first thread */
	struct backend_table backends;
};

#endif
