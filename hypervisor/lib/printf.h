/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LIB_PRINTF_H
#define LIB_PRINTF_H

#include <stdarg.h>
#include <stddef.h>

/*
 * Formats into `buffer` of `size` bytes, cut short if need be and always ended by a NUL (unless
 * `size` is 0). Returns the length the whole text has, without the NUL.
 *
 * %d %i %u %x %X %o %c %s %p %%; flags - 0 + space #; width and precision as digits or *;
 * sizes hh h l ll z t j. Anything else is printed as it stands.
 */
__attribute__((format(printf, 3, 0))) int format_string(char *buffer, size_t size,
							const char *format, va_list arguments);

/* The host has a C library; the hypervisor has printf.c. */
#if __STDC_HOSTED__
#include <stdio.h>
#else
__attribute__((format(printf, 3, 4))) int snprintf(char *buffer, size_t size, const char *format,
						   ...);
#endif

#endif
