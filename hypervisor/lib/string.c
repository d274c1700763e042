// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory and string functions.
 *
 * Interface: the functions of the C library that the compiler calls by itself or that we use,
 * with their standard meaning, and string_copy().
 * Locks: none.
 * Odd: copying and filling are `rep` instructions on 8-byte words with a byte tail: that is the
 * fast path of every x86-64 processor for a page and one instruction per word in an emulator.
 * On the host (unit tests) the standard functions are renamed lib_*, see LIBC_RENAME in the
 * Makefile.
 */
#include "string.h"

#include <stdint.h>

/* Here the functions themselves are wanted, not the compiler's versions. */
#undef memcpy
#undef memset
#undef memcmp
#undef strlen

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	void *end = to;
	size_t words = size / 8;
	size_t bytes = size % 8;

	asm volatile("rep movsq\n\t"
		     "mov %[bytes], %%rcx\n\t"
		     "rep movsb"
		     : "+D"(end), "+S"(from), "+c"(words)
		     : [bytes] "r"(bytes)
		     : "memory");
	return to;
}

void *memmove(void *to, const void *from, size_t size)
{
	unsigned char *t = to;
	const unsigned char *f = from;

	if ((uintptr_t)to - (uintptr_t)from >= size)
		return memcpy(to, from, size);
	while (size--)
		t[size] = f[size];
	return to;
}

void *memset(void *to, int value, size_t size)
{
	void *end = to;
	uint64_t pattern = (unsigned char)value * 0x0101010101010101UL;
	size_t words = size / 8;
	size_t bytes = size % 8;

	asm volatile("rep stosq\n\t"
		     "mov %[bytes], %%rcx\n\t"
		     "rep stosb"
		     : "+D"(end), "+c"(words)
		     : "a"(pattern), [bytes] "r"(bytes)
		     : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const unsigned char *x = a;
	const unsigned char *y = b;

	for (size_t i = 0; i < size; i++)
		if (x[i] != y[i])
			return x[i] - y[i];
	return 0;
}

size_t strlen(const char *s)
{
	size_t length = 0;

	while (s[length])
		length++;
	return length;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		int difference = (unsigned char)a[i] - (unsigned char)b[i];

		if (difference || !a[i])
			return difference;
	}
	return 0;
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)s;
		if (!*s)
			return NULL;
	}
}

bool string_copy(char *to, const char *from, size_t size)
{
	if (!size)
		return false;
	for (size_t i = 0; i < size; i++) {
		to[i] = from[i];
		if (!from[i])
			return true;
	}
	to[size - 1] = '\0';
	return false;
}
