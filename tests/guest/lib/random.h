/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random numbers: the seed is printed by every test, and `seed=` on its command line gives it
 * again.
 */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdint.h>

void random_init(void);
uint64_t random_seed(void);
/* Not for several vCPUs at once where a run must be repeatable. */
uint64_t random_u64(void);
/* Below `limit`, which is not zero. */
uint64_t random_below(uint64_t limit);

#endif
