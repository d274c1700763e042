/* SPDX-License-Identifier: BSD-2-Clause */
/* The console of a test: printf() (%d %u %x %s %c %p, sizes h l ll z) by console_write. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdint.h>

#include "hypervisor/lib/printf.h"
#include "hypervisor/lib/string.h"

/* All of it: a console_write may take less. `length`, or the error. */
int64_t console_write(const char *text, uint64_t length);

/*
 * One call is one console_write where the line is fast, so that lines of several vCPUs do not mix.
 * At most 1023 bytes.
 */
__attribute__((format(printf, 1, 2))) void printf(const char *format, ...);

#endif
