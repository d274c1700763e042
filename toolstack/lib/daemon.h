/* SPDX-License-Identifier: BSD-2-Clause */
/* The daemon rfd, seen from other programs: whether it is there, and what it answers (daemon.c). */
#ifndef TOOLSTACK_LIB_DAEMON_H
#define TOOLSTACK_LIB_DAEMON_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>

#include "abi/domain.h"
#include "toolstack/lib/access.h"
#include "toolstack/lib/life.h"
#include "toolstack/lib/report.h"
#include "toolstack/lib/status.h"

/* Where it listens, unless it was told otherwise: RINGFENCE_SOCKET, or a file in the folder of state. */
void daemon_socket(char path[PATH_MAX]);
/* It holds this file's lock while it runs. */
void daemon_lock_path(char path[PATH_MAX]);
bool daemon_is_there(void);
/* GET: the answer. NULL: there is none, or it is an error; the report and *status say which. */
json_t *daemon_get(const char *path, enum status *status, struct report *report);
/*
 * As life_end, for a domain that has ended: but the daemon, if there is one, gets the time to do it, when it has
 * read the rest of the console.
 */
enum life_result daemon_end(struct access *access, struct rf_domain_info *info,
			    struct report *report);

#endif
