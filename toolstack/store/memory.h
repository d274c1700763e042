/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_MEMORY_H
#define STORE_MEMORY_H

#include <stddef.h>

/* Never NULL: without memory the program ends, and its journal has all that was acknowledged. */
void *memory_alloc(size_t size);
void *memory_zero(size_t size);
void *memory_grow(void *old, size_t size);
char *memory_string(const char *text);

#endif
