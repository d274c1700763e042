// SPDX-License-Identifier: BSD-2-Clause
/*
 * A token bucket as one number: until when what was done so far is paid for, at the rate. It never lies further back
 * than the burst is worth; while it is in the past there are tokens.
 */
#include "backends/common/limit.h"

#define SECOND 1000000000ULL

/* How long so many units take at the rate; a rate of one in a second and 2^64 units would still be a number. */
static uint64_t limit_time(const struct limit *limit, uint64_t units)
{
	unsigned __int128 time = (unsigned __int128)units * SECOND / limit->rate;

	return time > UINT64_MAX / 4 ? UINT64_MAX / 4 : (uint64_t)time;
}

static uint64_t limit_oldest(const struct limit *limit, uint64_t now)
{
	uint64_t burst = limit_time(limit, limit->burst);

	return now > burst ? now - burst : 0;
}

void limit_set(struct limit *limit, uint64_t rate, uint64_t burst, uint64_t now)
{
	limit->rate = rate;
	limit->burst = burst;
	limit->paid = rate ? limit_oldest(limit, now) : 0;
}

uint64_t limit_wait(const struct limit *limit, uint64_t now)
{
	return limit->rate && limit->paid > now ? limit->paid - now : 0;
}

void limit_use(struct limit *limit, uint64_t units, uint64_t now)
{
	uint64_t oldest;

	if (!limit->rate)
		return;
	oldest = limit_oldest(limit, now);
	if (limit->paid < oldest)
		limit->paid = oldest;
	limit->paid += limit_time(limit, units);
}
