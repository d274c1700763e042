/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting the other processors (smp.c); smp_start() is in platform.h. */
#ifndef X86_SMP_H
#define X86_SMP_H

#include <stdint.h>

struct cpu;

/* How many processors there are to be, at most: cpu_prepare() is called for so many. */
uint32_t smp_cpus_wanted(void);

/* Called by smp_boot.S. */
_Noreturn void smp_cpu_start(struct cpu *cpu);

#endif
