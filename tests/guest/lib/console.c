// SPDX-License-Identifier: BSD-2-Clause
/* The console: formats on the stack and writes in one hypercall, so it needs no lock. */
#include "console.h"

#include "hypercall.h"

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
	hv_console_write(ADDRESS(line), (uint64_t)length);
}
