/* SPDX-License-Identifier: BSD-2-Clause */
/* The guests' way to the serial line, and the keys that a person at it may press (console.c). */
#ifndef HYPERVISOR_CONSOLE_H
#define HYPERVISOR_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

#define CONSOLE_WRITE_MAX 4096 /* bytes a call */
#define CONSOLE_TICK_NS	  40000000ULL
#define CONSOLE_TYPED_NS  1000000ULL
#define CONSOLE_FULL_NS	  1000000000ULL /* then what the control domain does not take is lost */
#define CONSOLE_ESCAPE	  1		/* Ctrl-A, three times: the debug keys, and back */

/*
 * console_write(text, length): prints as log.h says: by line, named, made harmless, limited.
 * Returns how many bytes it took: fewer when the serial line is slow, then call again with the
 * rest. Or -E2BIG: more than CONSOLE_WRITE_MAX bytes; -EFAULT: some of the text cannot be read;
 * what comes before has been printed, in pieces.
 */
int64_t do_console_write(uint64_t text, uint64_t length);

/*
 * On the boot CPU, when it has timers: reads what is typed, every CONSOLE_TICK_NS; while something
 * is, every CONSOLE_TYPED_NS.
 */
void console_start(void);

/* Reads what was typed; false: nothing, and nothing is to be left in the line. */
bool console_poll(void);

#endif
