// SPDX-License-Identifier: BSD-2-Clause
/*
 * The 16550 at COM1, polled: works from the first instruction on, needs no interrupt.
 *
 * Interface: serial.h. No locks, see there.
 * Odd: a machine without the chip reads 0xff everywhere; writing then skips the wait, and reading
 * finds nothing, so that a missing console never hangs the machine.
 */
#include "serial.h"

#include <stdbool.h>
#include <stdint.h>

#include "port.h"

#define COM1		      0x3f8
#define DATA		      (COM1 + 0)
#define INTERRUPT_ENABLE      (COM1 + 1)
#define FIFO_CONTROL	      (COM1 + 2)
#define LINE_CONTROL	      (COM1 + 3)
#define MODEM_CONTROL	      (COM1 + 4)
#define LINE_STATUS	      (COM1 + 5)
#define SCRATCH		      (COM1 + 7)

#define LINE_8N1	      0x03
#define LINE_DIVISOR	      0x80
#define STATUS_RECEIVED	      0x01
#define STATUS_BREAK	      0x10
#define STATUS_TRANSMIT_EMPTY 0x20
#define STATUS_IDLE	      0x40

/* A byte takes 87 us at 115200 baud, reading the port about 1 us: far beyond that, give up. */
#define TRANSMIT_POLLS	      100000

static bool serial_present;
static bool break_seen; /* the zero that comes with it has not been read yet */

/* Reading the status forgets a break, whoever reads it. */
static uint8_t read_status(void)
{
	uint8_t status = port_read8(LINE_STATUS);

	if (status & STATUS_BREAK)
		__atomic_store_n(&break_seen, true, __ATOMIC_RELAXED);
	return status;
}

void serial_init(void)
{
	port_write8(SCRATCH, 0x5a);
	serial_present = port_read8(SCRATCH) == 0x5a;
	if (!serial_present)
		return;

	port_write8(INTERRUPT_ENABLE, 0);
	port_write8(LINE_CONTROL, LINE_DIVISOR);
	port_write8(DATA, 1);
	port_write8(INTERRUPT_ENABLE, 0);
	port_write8(LINE_CONTROL, LINE_8N1);
	port_write8(FIFO_CONTROL, 0x07);  /* on, both emptied */
	port_write8(MODEM_CONTROL, 0x03); /* DTR, RTS */
}

static void serial_wait(uint8_t status)
{
	for (uint32_t polls = 0; polls < TRANSMIT_POLLS; polls++)
		if (read_status() & status)
			return;
}

void serial_write(const char *text, size_t length)
{
	if (!serial_present)
		return;
	for (size_t i = 0; i < length; i++) {
		serial_wait(STATUS_TRANSMIT_EMPTY);
		port_write8(DATA, (uint8_t)text[i]);
	}
}

void serial_flush(void)
{
	if (serial_present)
		serial_wait(STATUS_IDLE);
}

int serial_read(void)
{
	uint8_t byte;

	if (!serial_present || !(read_status() & STATUS_RECEIVED))
		return -1;
	byte = port_read8(DATA);
	if (!byte && __atomic_exchange_n(&break_seen, false, __ATOMIC_RELAXED))
		return SERIAL_BREAK;
	return byte;
}
