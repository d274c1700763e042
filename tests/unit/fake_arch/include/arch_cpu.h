/* SPDX-License-Identifier: BSD-2-Clause */
/* What the fake architecture keeps of a CPU: what it was asked to do, for tests to look at. */
#ifndef FAKE_ARCH_CPU_H
#define FAKE_ARCH_CPU_H

#include <stdbool.h>
#include <stdint.h>

struct arch_cpu {
	uint32_t interrupts; /* times arch_cpu_interrupt named it */
	bool interrupted;    /* the test clears it when it has let the CPU enter the hypervisor */
	uint64_t timer;	     /* deadline programmed last; ~0: none */
	uint32_t flushes;    /* of its TLB */
};

#endif
