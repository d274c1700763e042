/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An operation that is measured: a name that the tables know, how often it is done, and what
 * does it. Each file of operations exports one list of them, which ends with a name of NULL.
 */
#ifndef PROGRAM_OPERATION_H
#define PROGRAM_OPERATION_H

#include <stdbool.h>
#include <stdint.h>

struct operation {
	const char *name;
	uint64_t iterations;
	void (*prepare)(void);		      /* not measured; may be NULL */
	void (*perform)(uint64_t iterations); /* measured */
	void (*finish)(void);		      /* not measured; may be NULL */
	bool (*available)(void);	      /* whether this machine can; NULL: every one can */
};

extern const struct operation call_operations[];
extern const struct operation memory_operations[];
extern const struct operation process_operations[];
extern const struct operation file_operations[];
extern const struct operation socket_operations[];
extern const struct operation switch_operations[];
extern const struct operation task_operations[];
extern const struct operation interrupt_operations[];
extern const struct operation smp_operations[];
extern const struct operation scaling_operations[];
extern const struct operation domain_operations[];
extern const struct operation program_operations[];

/* Of what was measured, so much was only spent waiting and is no cost. */
void operation_discount(uint64_t nanoseconds);
uint64_t operation_now(void);

/* Anything unexpected ends the program, and with it the measurement. */
void operation_fail(const char *what) __attribute__((noreturn));

static inline void operation_check(int ok, const char *what)
{
	if (!ok)
		operation_fail(what);
}

#endif
