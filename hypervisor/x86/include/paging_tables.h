/* SPDX-License-Identifier: BSD-2-Clause */
/* Between paging.c and paging_check.c only. */
#ifndef X86_PAGING_TABLES_H
#define X86_PAGING_TABLES_H

#include <stdbool.h>
#include <stdint.h>

/* The level-4 table. */
const uint64_t *paging_master(void);
/* CPUs that have stacks: 0 .. this-1. */
uint32_t paging_stacks_mapped(void);
/* Part of the image that nobody may write: text, constants, IDT. */
bool paging_is_constant(uint64_t physical);

#endif
