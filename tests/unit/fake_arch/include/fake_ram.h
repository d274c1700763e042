/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FAKE_RAM_H
#define FAKE_RAM_H

#include <stdint.h>

/* Replaces RAM by this many frames of zeros; 0 takes it away. */
void fake_ram_set(uint64_t frames);

#endif
