/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls from a program of the control domain. Everything else of the toolstack makes them through
 * this, so that tests can put something else in place of the hypervisor.
 */
#ifndef TOOLSTACK_LIB_ACCESS_H
#define TOOLSTACK_LIB_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/hypercall.h"
#include "toolstack/lib/report.h"

#define ACCESS_ARGUMENTS 6

struct access {
	/* The result of the hypercall of that number: an error is negative. */
	int64_t (*call)(struct access *access, uint32_t number, const uint64_t *arguments);
	/*
	 * A domain that domain_create has made ends with this way to it, or this program, until then. NULL: they
	 * all stay.
	 */
	int64_t (*keep)(struct access *access, uint32_t domain);
	int device; /* negative: none, there are never news */
};

/* False: the report says why, and what would help. */
bool access_open(struct access *access, struct report *report);
void access_close(struct access *access);
/*
 * Waits until there is news of domains, or something to read from another file (negative: none), but no longer
 * than that; true: there is something to read.
 */
bool access_wait(struct access *access, int other, unsigned milliseconds);

/* The domain stays from now on. 0, or a negative error. */
int access_keep(struct access *access, uint32_t domain);

/* Pointers are passed as numbers. */
#define access_call(access, number, ...)                                                           \
	((access)->call((access), (number), (const uint64_t[ACCESS_ARGUMENTS]){ __VA_ARGS__ }))
#define access_pointer(pointer) ((uint64_t)(uintptr_t)(pointer))

#endif
