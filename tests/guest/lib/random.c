// SPDX-License-Identifier: BSD-2-Clause
/* Random numbers: a 64-bit counter, well mixed. No locks. */
#include "random.h"

#include "test.h"

static uint64_t seed;
static uint64_t state;

void random_init(void)
{
	seed = test_number("seed", read_tsc() & 0xffffffff);
	state = seed;
}

uint64_t random_seed(void)
{
	return seed;
}

uint64_t random_u64(void)
{
	uint64_t x = __atomic_add_fetch(&state, 0x9e3779b97f4a7c15UL, __ATOMIC_RELAXED);

	x = (x ^ x >> 32) * 0xd6e8feb86659fd93UL;
	x = (x ^ x >> 32) * 0xd6e8feb86659fd93UL;
	return x ^ x >> 32;
}

uint64_t random_below(uint64_t limit)
{
	return random_u64() % limit;
}
