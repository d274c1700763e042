// SPDX-License-Identifier: BSD-2-Clause
/* The console: formats on the stack and writes in one hypercall, unless the line is slow, so it needs no lock. */
#include "console.h"

#include "hypercall.h"

int64_t console_write(const char *text, uint64_t length)
{
	uint64_t done = 0;

	while (done < length) {
		int64_t taken = hv_console_write(ADDRESS(text + done), length - done);

		if (taken < 0)
			return taken;
		done += (uint64_t)taken;
	}
	return (int64_t)done;
}

void printf(const char *format, ...)
{
	char line[1024];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = format_string(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (length >= (int)sizeof(line))
		length = sizeof(line) - 1;
	console_write(line, (uint64_t)length);
}
