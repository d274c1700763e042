/* SPDX-License-Identifier: BSD-2-Clause */
/* Between log.c and log_guest.c only. */
#ifndef HYPERVISOR_LOG_CONSOLE_H
#define HYPERVISOR_LOG_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Write to the console under the log's lock; unless `raw`, at the beginning of a line. */
void log_console_write(const char *text, size_t length, bool raw);

/* Nanoseconds since boot, 0 while there is no clock. */
uint64_t log_time(void);

#endif
