/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LIB_INDEX_H
#define LIB_INDEX_H

#include <stdint.h>

/*
 * An index that a guest chose, after it was checked against `size`: the same index, and zero
 * while a mispredicted check lets a CPU run ahead with one that is too large. Both below 2^63.
 */
static inline uint64_t index_clamp(uint64_t index, uint64_t size)
{
	int64_t mask = (int64_t)(index - size);

	/* Or the compiler, which has seen the check, would know the mask. */
	__asm__("" : "+r"(mask));
	return index & (uint64_t)(mask >> 63);
}

#endif
