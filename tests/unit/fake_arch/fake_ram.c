// SPDX-License-Identifier: BSD-2-Clause
/*
 * The machine's memory as an array, and the CPU a thread of a test plays.
 *
 * Interface: fake_ram_set(); arch_inline.h reads the variables.
 * Locks: none, RAM is set while a test has one thread.
 * Odd: RAM is one heap block, so the address sanitizer sees an access past its ends.
 */
#include "fake_ram.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch_inline.h"

uint8_t *fake_ram;
uint64_t fake_ram_frames;
_Thread_local struct cpu *fake_cpu;

void fake_ram_set(uint64_t frames)
{
	free(fake_ram);
	fake_ram = NULL;
	fake_ram_frames = frames;
	if (!frames)
		return;
	fake_ram = aligned_alloc(4096, frames << 12);
	if (!fake_ram)
		abort();
	memset(fake_ram, 0, frames << 12);
}

void fake_ram_fault(uint64_t mfn)
{
	fprintf(stderr, "the core used frame 0x%" PRIx64 " of 0x%" PRIx64 "\n", mfn,
		fake_ram_frames);
	abort();
}
