/* SPDX-License-Identifier: BSD-2-Clause */
/* Tasks on processors of their own, for the operations that need more than one. */
#ifndef PROGRAM_OTHER_CPU_H
#define PROGRAM_OTHER_CPU_H

#include <stdbool.h>

#define OTHER_CPU_MAX 16

/* How many processors there are; no more than OTHER_CPU_MAX are used. */
unsigned int other_cpu_count(void);
bool other_cpu_exists(void);
void other_cpu_pin(unsigned int cpu);
void other_cpu_unpin(void);

/*
 * A PAUSE. Where one thread of the emulator runs all processors, it is there that the next one
 * has its turn; else each would run for milliseconds.
 */
static inline void other_cpu_turn(void)
{
	asm volatile("pause");
}

/* A thread of this address space that does nothing, on the processor, until it is stopped. */
void other_cpu_spin(unsigned int cpu);
void other_cpu_stop(void);

#endif
