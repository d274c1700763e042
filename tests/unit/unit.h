/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_UNIT_H
#define UNIT_UNIT_H

/* What every unit test includes first; cmocka.h wants the others before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A small random generator: the same sequence on every run, so that a failure comes again. */
static inline uint64_t unit_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state * 0x2545f4914f6cdd1dUL;
}

#endif
