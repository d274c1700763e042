/* SPDX-License-Identifier: BSD-2-Clause */
/* What is typed for a domain, until it takes it (console_input.c). */
#ifndef HYPERVISOR_CONSOLE_INPUT_H
#define HYPERVISOR_CONSOLE_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "spinlock.h"

#define CONSOLE_INPUT_SIZE 256 /* bytes that wait */

struct domain;

struct console_input {
	struct spinlock lock;
	char ring[CONSOLE_INPUT_SIZE];
	uint64_t put, taken; /* bytes since the start */
};

/* How many of them had room; `whole`: all or none. Tells the domain. */
uint64_t console_input_put(struct domain *d, const char *bytes, uint64_t count, bool whole);
/* A moment later there may be more, and never less but by console_input_put(). */
bool console_input_has_room(struct domain *d);
/* Copies what waits to the current domain, whose input it is. How many bytes, or -EFAULT. */
int64_t console_input_take(struct domain *d, uint64_t text, uint64_t length);

#endif
