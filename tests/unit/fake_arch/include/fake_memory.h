/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine with RAM for the tests of what stands on the frame allocator. */
#ifndef FAKE_MEMORY_H
#define FAKE_MEMORY_H

#include <stdint.h>

/* fake_arch_init, a boot map of one range of RAM, and frame_init. No modules: add to boot_info for them. */
void fake_memory_init(uint64_t ram_frames, uint32_t cpu_number);

/*
 * Takes free frames until so many are left, all of them single ones as far as that is possible, and
 * gives them back: to see what happens when memory runs out at each point.
 */
void fake_memory_starve(uint64_t left);
void fake_memory_feed(void);

#endif
