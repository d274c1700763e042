// SPDX-License-Identifier: BSD-2-Clause
/*
 * Errors and warnings as text, made where the cause is known and printed by whoever talks to people.
 *
 * Interface: report.h. Locks: none, a report belongs to one thread.
 */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>

/* What was in a file or came from a guest may be anything; what says so is a line, and moves no cursor. */
static void write_line(char *text, size_t size, const char *format, va_list arguments)
{
	vsnprintf(text, size, format, arguments);
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

bool report_fail(struct report *report, const char *format, ...)
{
	va_list arguments;

	if (report->error[0])
		return false;
	va_start(arguments, format);
	write_line(report->error, sizeof(report->error), format, arguments);
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
	write_line(report->warning[number], sizeof(report->warning[number]), format, arguments);
	va_end(arguments);
}
