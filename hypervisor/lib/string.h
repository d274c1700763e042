/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LIB_STRING_H
#define LIB_STRING_H

#include <stdbool.h>
#include <stddef.h>

/* The host has a C library; the hypervisor has string.c. */
#if __STDC_HOSTED__
#include <string.h>
#else
void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t size);
char *strchr(const char *s, int c);

/* Let the compiler expand copies and comparisons of a small constant size in place. */
#define memcpy(to, from, size)	__builtin_memcpy(to, from, size)
#define memset(to, value, size) __builtin_memset(to, value, size)
#define memcmp(a, b, size)	__builtin_memcmp(a, b, size)
#define strlen(s)		__builtin_strlen(s)
#endif

/*
 * Copy a string into a buffer of `size` bytes, cut short if need be and always ended by a NUL.
 * Returns false when it was cut short. A `size` of 0 writes nothing.
 */
bool string_copy(char *to, const char *from, size_t size);

#endif
