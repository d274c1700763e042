// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory that is there, or the program ends.
 *
 * Interface: memory_alloc, memory_zero, memory_grow, memory_string; free() gives back.
 * What is odd: quotas bound what clients can make the store hold, so running out is no client's doing.
 * Ending is safe at any point, by the journal, and less can go wrong than on thousands of error paths.
 */
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *memory_check(void *memory)
{
	if (!memory) {
		fputs("rfstored: out of memory\n", stderr);
		abort();
	}
	return memory;
}

void *memory_alloc(size_t size)
{
	return memory_check(malloc(size ? size : 1));
}

void *memory_zero(size_t size)
{
	return memory_check(calloc(1, size ? size : 1));
}

void *memory_grow(void *old, size_t size)
{
	return memory_check(realloc(old, size ? size : 1));
}

char *memory_string(const char *text)
{
	return memory_check(strdup(text));
}
