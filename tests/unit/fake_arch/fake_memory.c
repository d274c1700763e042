// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory for unit tests: a machine's, and too little of it.
 *
 * Interface: fake_memory.h. Locks: none, for one thread.
 */
#include "fake_memory.h"

#include <stdlib.h>
#include <string.h>

#include "boot_info.h"
#include "fake_arch.h"
#include "frame.h"

static uint64_t *taken;
static uint64_t taken_count;

void fake_memory_init(uint64_t ram_frames, uint32_t cpu_number)
{
	fake_arch_init(ram_frames, cpu_number);
	memset(&boot_info, 0, sizeof(boot_info));
	boot_info.ranges[0].size = ram_frames << FRAME_SHIFT;
	boot_info.ranges[0].type = BOOT_RAM;
	boot_info.range_count = 1;
	frame_init(&boot_info);
}

void fake_memory_starve(uint64_t left)
{
	uint64_t count = frame_free_count();

	taken = calloc(count, sizeof(*taken));
	if (!taken)
		abort();
	for (taken_count = 0; taken_count + left < count; taken_count++)
		taken[taken_count] = frame_alloc(0);
}

void fake_memory_feed(void)
{
	while (taken_count > 0)
		frame_free(taken[--taken_count], 0);
	free(taken);
	taken = NULL;
}
