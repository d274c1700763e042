/* SPDX-License-Identifier: BSD-2-Clause */
/* What the daemon says to whoever looks after the node (log.c). */
#ifndef TOOLSTACK_RFD_LOG_H
#define TOOLSTACK_RFD_LOG_H

#include <stdarg.h>
#include <stdbool.h>

/* To the system's log from now on, and not to standard error. */
void log_to_system(void);
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
