/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_COMMON_LIMIT_H
#define BACKENDS_COMMON_LIMIT_H

/*
 * So much a second, and so much at once after a rest: a token bucket. Times are nanoseconds of a clock that only goes
 * forward. Nothing is ever refused, only late; a piece that is larger than the burst is paid for afterwards.
 */
#include <stdint.h>

struct limit {
	uint64_t rate;	/* a second; zero: no limit */
	uint64_t burst; /* what may be done at once after a rest */
	uint64_t paid;	/* until when what was done is paid for */
};

/* May be called at any time; debts are forgotten. */
void limit_set(struct limit *limit, uint64_t rate, uint64_t burst, uint64_t now);
/* How long to wait until something may be done; zero: now. */
uint64_t limit_wait(const struct limit *limit, uint64_t now);
void limit_use(struct limit *limit, uint64_t units, uint64_t now);

#endif
