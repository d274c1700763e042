/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the interrupt of a device comes in: an input of a controller, or a message (line.c). */
#ifndef X86_ARCH_LINE_H
#define X86_ARCH_LINE_H

#include <stdbool.h>
#include <stdint.h>

struct arch_line {
	bool message;
	uint8_t vector;
	uint32_t cpu;
	uint32_t gsi;
	uint32_t entry; /* of the input, unmasked */
};

#endif
