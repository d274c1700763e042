/* SPDX-License-Identifier: BSD-2-Clause */
/* The debug registers of guests (debug.c). An array holds DR0-DR3, nothing, nothing, DR6, DR7. */
#ifndef X86_DEBUG_H
#define X86_DEBUG_H

#include <stdint.h>

void debug_reset(uint64_t registers[8]);

/* Loads those of the next vCPU; `previous` may be NULL: nothing is loaded. */
void debug_load(const uint64_t registers[8], const uint64_t *previous);
void debug_unload(void);

/* DR6, which is as at reset afterwards; of the breakpoints those that DR7, `control`, enables. */
uint64_t debug_take_cause(uint64_t control);

#endif
