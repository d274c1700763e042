/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's own address space (paging.c), as laid out in layout.h.
 */
#ifndef X86_PAGING_H
#define X86_PAGING_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The stacks of one CPU: each one above an absent page, the CPU's own lowest, then one for each
 * IST number.
 */
#define PAGING_STACK_SIZE     16384
#define PAGING_IST_STACK_SIZE 8192
#define PAGING_STACKS_STRIDE  0x20000

/* Builds the final tables and switches to them: the identity mapping of the early ones is gone. */
void paging_init(void);

/* CR3 of the tables with nothing but the hypervisor, for a CPU that has no guest. */
uint64_t paging_master_cr3(void);

/* Uncached, read-write, for good, and no domain may map it. Before early_alloc() ends. */
void *paging_map_device(uint64_t physical, uint64_t size);

/*
 * Maps the stacks of a CPU; paging_stack_top(cpu, 0) is the top of its own, 1.. those of the
 * IST numbers.
 */
void paging_map_stacks(uint32_t cpu);
uint64_t paging_stack_top(uint32_t cpu, uint32_t ist);

/*
 * Walks the tables and panics at the first rule that does not hold; says so in one line if all
 * do.
 */
void paging_self_check(void);

#endif
