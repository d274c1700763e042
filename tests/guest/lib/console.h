/* SPDX-License-Identifier: BSD-2-Clause */
/* The console of a test: printf() (%d %u %x %s %c %p, sizes h l ll z) by console_write. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include "hypervisor/lib/printf.h"
#include "hypervisor/lib/string.h"

/* One call is one console_write, so that lines of several vCPUs do not mix. At most 1023 bytes. */
__attribute__((format(printf, 1, 2))) void printf(const char *format, ...);

#endif
