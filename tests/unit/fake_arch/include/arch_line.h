/* SPDX-License-Identifier: BSD-2-Clause */
/* Device interrupts of the fake architecture: fake_line.c keeps what was done to them. */
#ifndef FAKE_ARCH_LINE_H
#define FAKE_ARCH_LINE_H

#include <stdbool.h>
#include <stdint.h>

struct arch_line {
	bool message;
	uint32_t gsi;
	uint32_t number;
	uint32_t cpu;
};

#endif
