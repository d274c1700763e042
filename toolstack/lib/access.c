// SPDX-License-Identifier: BSD-2-Clause
/*
 * Hypercalls by way of the Linux driver, which lets through those that a program may make.
 *
 * Interface: access.h. Locks: none; a program may make several calls at once.
 */
#include "toolstack/lib/access.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char *help_for(int error)
{
	if (error == ENOENT)
		return ": this is not the control domain of Ringfence, or its Linux has no driver "
		       "for it";
	if (error == EACCES || error == EPERM)
		return ": only root may";
	return "";
}

/* Until the driver is there. */
static int64_t no_call(struct access *access, uint32_t number, const uint64_t *arguments)
{
	(void)access;
	(void)number;
	(void)arguments;
	return -ENOSYS;
}

bool access_open(struct access *access, struct report *report)
{
	int device = open(ACCESS_DEVICE, O_RDWR | O_CLOEXEC);

	if (device < 0)
		return report_fail(report, "%s: %s%s", ACCESS_DEVICE, strerror(errno),
				   help_for(errno));
	*access = (struct access){ .call = no_call, .device = device };
	return true;
}

void access_close(struct access *access)
{
	if (access->device >= 0)
		close(access->device);
	access->device = -1;
}
