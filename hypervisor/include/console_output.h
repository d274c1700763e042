/* SPDX-License-Identifier: BSD-2-Clause */
/* The last of what a domain printed, for the control domain to read (console_output.c). */
#ifndef HYPERVISOR_CONSOLE_OUTPUT_H
#define HYPERVISOR_CONSOLE_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

/* Under the console_lock of its domain. */
struct console_output {
	char *ring;   /* RF_CONSOLE_RING bytes; NULL: nothing is kept */
	uint64_t end; /* bytes ever printed; read by others without the lock */
	bool told;    /* that there is something to read */
};

int console_output_create(struct console_output *output);
void console_output_destroy(struct console_output *output);

/* True: whoever reads must be told. */
bool console_output_put(struct console_output *output, const char *text, uint64_t size);
/* Copies from *position on, and advances it; see abi/console.h. How many bytes. */
uint64_t console_output_read(struct console_output *output, uint64_t *position, char *to,
			     uint64_t size);

#endif
