/* SPDX-License-Identifier: BSD-2-Clause */
/* The battery-backed clock (clock.c); arch_wall_clock() of arch.h tells what it said. */
#ifndef X86_CLOCK_H
#define X86_CLOCK_H

/* After tsc_init() and acpi_init(). */
void clock_init(void);

#endif
