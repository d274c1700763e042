/* SPDX-License-Identifier: BSD-2-Clause */
/* What a library function has to say to whoever called it: one error, and some warnings (report.c). */
#ifndef TOOLSTACK_LIB_REPORT_H
#define TOOLSTACK_LIB_REPORT_H

#include <stdbool.h>

#define REPORT_LINE	512
#define REPORT_WARNINGS 16

struct report {
	char error[REPORT_LINE]; /* one line without its end; empty: none */
	unsigned warnings;	 /* also those that are not kept */
	char warning[REPORT_WARNINGS][REPORT_LINE];
};

/* The first error is kept. Always false, so that a function can end with it. */
bool report_fail(struct report *report, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void report_warn(struct report *report, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
