/* SPDX-License-Identifier: BSD-2-Clause */
/* The vectors of devices, a set for each CPU (line.c). The rest is arch_line_* of arch.h. */
#ifndef X86_LINE_H
#define X86_LINE_H

#include <stdbool.h>
#include <stdint.h>

/* Whole priority classes, below those of the hypervisor's own. */
#define LINE_VECTOR_FIRST 0x30
#define LINE_VECTOR_LAST  0xef

/* On the boot processor, before any can come. */
void line_init(void);

/* One of these vectors came to this CPU. False: it is nobody's. */
bool line_interrupt(uint8_t vector);

#endif
