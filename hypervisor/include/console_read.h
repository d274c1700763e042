/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading consoles: one's own keyboard, and what others printed (console_read.c). */
#ifndef HYPERVISOR_CONSOLE_READ_H
#define HYPERVISOR_CONSOLE_READ_H

#include <stdint.h>

#define CONSOLE_READ_MAX 4096 /* bytes a call */

int64_t do_console_read(uint64_t domain, uint64_t text, uint64_t length, uint64_t position);

#endif
