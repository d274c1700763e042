/* SPDX-License-Identifier: BSD-2-Clause */
/* The cycle counter as the clock of everything (tsc.c); arch_time_*() of arch.h are here, too. */
#ifndef X86_TSC_H
#define X86_TSC_H

#include <stdint.h>

/*
 * Finds out how fast it runs; time starts at zero. Ends in boot_refuse() when there is nothing
 * to compare it with.
 */
void tsc_init(void);

#define TSC_NEVER (~0ULL)

/* The counter's value at a time: not before it, and not before now. */
uint64_t tsc_at(uint64_t ns);
/* Waits. */
void tsc_delay(uint64_t ns);

#endif
