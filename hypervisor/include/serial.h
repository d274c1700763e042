/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The serial console, COM1 at 115200 8N1, polled. No locks: log.c is the only writer while more
 * than one processor runs.
 */
#ifndef HYPERVISOR_SERIAL_H
#define HYPERVISOR_SERIAL_H

#include <stddef.h>

void serial_init(void);

/* Newlines are sent as they are; returns when the last byte is in the transmitter. */
void serial_write(const char *text, size_t length);

/* Wait until everything has left the chip: before the machine stops. */
void serial_flush(void);

/* Not a byte: the line was held at zero, which somebody does to be heard at once. */
#define SERIAL_BREAK 0x100

/* The next byte received, SERIAL_BREAK, or -1: never waits. */
int serial_read(void);

#endif
