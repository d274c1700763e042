// SPDX-License-Identifier: BSD-2-Clause
/*
 * What errors mean to whoever asked.
 *
 * Interface: status.h. Locks: none.
 */
#include "toolstack/lib/status.h"

#include <errno.h>

enum status status_of(int64_t error)
{
	switch (error) {
	case -ESRCH:
		return STATUS_NOT_FOUND;
	case -EBUSY:
	case -EAGAIN:
	case -ETIMEDOUT:
		return STATUS_BUSY;
	default:
		return STATUS_FAILED;
	}
}

const char *status_name(enum status status)
{
	static const char *const names[] = {
		[STATUS_OK] = "ok",	  [STATUS_FAILED] = "failed",
		[STATUS_USAGE] = "usage", [STATUS_NOT_FOUND] = "not-found",
		[STATUS_BUSY] = "busy",
	};

	return names[status];
}
