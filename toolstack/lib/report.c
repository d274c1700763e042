// SPDX-License-Identifier: BSD-2-Clause
/*
 * Errors and warnings as text, made where the cause is known and printed by whoever talks to people.
 *
 * Interface: report.h. Locks: none, a report belongs to one thread.
 */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>

bool report_fail(struct report *report, const char *format, ...)
{
	va_list arguments;

	if (report->error[0])
		return false;
	va_start(arguments, format);
	vsnprintf(report->error, sizeof(report->error), format, arguments);
	va_end(arguments);
	return false;
}

void report_warn(struct report *report, const char *format, ...)
{
	unsigned number = report->warnings++;
	va_list arguments;

	if (number >= REPORT_WARNINGS)
		return;
	va_start(arguments, format);
	vsnprintf(report->warning[number], sizeof(report->warning[number]), format, arguments);
	va_end(arguments);
}
