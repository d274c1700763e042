// SPDX-License-Identifier: BSD-2-Clause
/*
 * Refusals: what the hypervisor was given at boot is not acceptable, and a person has to know why.
 *
 * Interface: boot.h. Locks: none but the log's.
 */
#include "boot.h"

#include <stdarg.h>

#include "arch.h"
#include "exit_status.h"
#include "log.h"
#include "printf.h"

void boot_refuse(const char *format, ...)
{
	char reason[LOG_LINE_MAX];
	va_list arguments;

	va_start(arguments, format);
	format_string(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	log_plain("ringfence: cannot start: %s", reason);
	arch_machine_exit(EXIT_REFUSED);
}
