// SPDX-License-Identifier: BSD-2-Clause
/*
 * Looks up code addresses in the table of functions that make-symbols writes.
 *
 * Interface: symbols.h. The table is read-only data: no locks, usable in a panic.
 */
#include "symbols.h"

#include <stddef.h>

extern const uint32_t symbols_count;
extern const uint32_t symbols_offsets[]; /* low halves of the addresses, ascending */
extern const uint32_t symbols_names_at[];
extern const char symbols_names[];

extern const char image_start[], image_text_end[];

const char *symbols_find(uint64_t address, uint64_t *offset)
{
	uint32_t target = (uint32_t)address;
	uint32_t low = 0, high = symbols_count;

	if (address < (uint64_t)image_start || address >= (uint64_t)image_text_end)
		return NULL;
	/* The last entry that is not above the target lies in [low - 1, high). */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (symbols_offsets[middle] <= target)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return NULL;
	*offset = target - symbols_offsets[low - 1];
	return symbols_names + symbols_names_at[low - 1];
}
