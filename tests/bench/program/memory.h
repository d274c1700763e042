/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory at a known place, for the operations on it. */
#ifndef PROGRAM_MEMORY_H
#define PROGRAM_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#define MEMORY_PAGE   4096ul
#define MEMORY_REGION 0x200000000000ul

/* Whether this process and its children may have huge pages. */
void memory_allow_huge(bool allow);
/* Maps private memory at MEMORY_REGION. */
void *memory_map(uint64_t size);

#endif
