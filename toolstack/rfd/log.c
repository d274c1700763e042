// SPDX-License-Identifier: BSD-2-Clause
/*
 * Lines about what the daemon does: on standard error, or in the background by syslog.
 *
 * Interface: log.h. Locks: those of libc.
 */
#include "toolstack/rfd/log.h"

#include <stdio.h>
#include <syslog.h>

static bool by_syslog;

void log_to_system(void)
{
	openlog("rfd", LOG_PID, LOG_DAEMON);
	by_syslog = true;
}

void log_line(const char *format, ...)
{
	char text[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (by_syslog)
		syslog(LOG_NOTICE, "%s", text);
	else
		fprintf(stderr, "rfd: %s\n", text);
}
