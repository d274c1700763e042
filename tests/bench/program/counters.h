/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's own counters, as the kernel shows them: a line "name number" each. On other
 * systems there are none, and nothing is printed.
 */
#ifndef PROGRAM_COUNTERS_H
#define PROGRAM_COUNTERS_H

#include <stdint.h>

#define COUNTERS_TEXT 8192

struct counters {
	char text[COUNTERS_TEXT];
};

void counters_open(void);
/* Fills in nothing but the text, so that little is done between reading and measuring. */
void counters_read(struct counters *counters);
/* A line for each counter that differs: "counter RUN OPERATION NAME DIFFERENCE". */
void counters_print(unsigned int run, const char *operation, const struct counters *before,
		    const struct counters *after);

#endif
