/* SPDX-License-Identifier: BSD-2-Clause */
/* How what was asked for ends: the exit statuses of `rf`, and the codes of rfd's answers (status.c). */
#ifndef TOOLSTACK_LIB_STATUS_H
#define TOOLSTACK_LIB_STATUS_H

#include <stdint.h>

#define RF_VERSION "0.1"

/* Never renumbered: scripts depend on it. */
enum status {
	STATUS_OK,
	STATUS_FAILED,
	STATUS_USAGE,
	STATUS_NOT_FOUND,
	STATUS_BUSY, /* or out of time */
};

/* For an error of a hypercall, negative. */
enum status status_of(int64_t error);
/* In one word, for programs. */
const char *status_name(enum status status);

#endif
