/* SPDX-License-Identifier: BSD-2-Clause */
/* What is typed for the control domain, until it takes it (console_input.c). */
#ifndef HYPERVISOR_CONSOLE_INPUT_H
#define HYPERVISOR_CONSOLE_INPUT_H

#include <stdint.h>

#define CONSOLE_INPUT_SIZE 256 /* bytes that wait; what is typed beyond that is lost */

void console_input_put(char byte);

/*
 * console_read(text, length): how many bytes were there and copied, at most length. -EFAULT: text
 * cannot be written; nothing was taken.
 */
int64_t do_console_read(uint64_t text, uint64_t length);

#endif
