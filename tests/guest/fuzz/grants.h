/* SPDX-License-Identifier: BSD-2-Clause */
/* Grants for the fuzzer: each lets the others use its spare frames, and uses theirs. */
#ifndef FUZZ_GRANTS_H
#define FUZZ_GRANTS_H

#include <stdint.h>

/* Frames whose contents matter to nobody. */
void grants_prepare(uint64_t first_gfn, uint64_t count);
/* The victim's: everybody may read this page. */
void grants_of_victim(const void *page);
/* A call about grants, with the operations in this page; others may change it meanwhile. */
void grants_call(uint64_t number, void *page);
/* How many calls have mapped something. */
uint32_t grants_mapped(void);
/* A page table entry for a place where something may be mapped. */
uint64_t grants_entry(void);

#endif
