/* SPDX-License-Identifier: BSD-2-Clause */
/* The guests' way to the serial line, and the keys that a person at it may press (console.c). */
#ifndef HYPERVISOR_CONSOLE_H
#define HYPERVISOR_CONSOLE_H

#include <stdint.h>

#define CONSOLE_WRITE_MAX 4096 /* bytes a call */

int64_t do_console_write(uint64_t text, uint64_t length);

/* Reads what was typed; called from the tick of CPU 0. */
void console_poll(void);

#endif
