// SPDX-License-Identifier: BSD-2-Clause
/*
 * A heart that beats every 10 ms: how late the beats were, on average and at worst, in microseconds.
 *
 *     beat SECONDS
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BEAT_NS	  10000000LL
#define SECOND_NS 1000000000LL

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * SECOND_NS + time.tv_nsec;
}

static int64_t lateness(int64_t due)
{
	struct timespec time = { due / SECOND_NS, due % SECOND_NS };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
	return now() - due;
}

int main(int count, char **words)
{
	int64_t beats = (count > 1 ? atoi(words[1]) : 5) * SECOND_NS / BEAT_NS;
	int64_t due = now(), sum = 0, most = 0;

	for (int64_t i = 0; i < beats; i++) {
		int64_t late;

		due += BEAT_NS;
		late = lateness(due);
		sum += late;
		most = late > most ? late : most;
		/* One that was missed is not made up for. */
		if (late > BEAT_NS)
			due = now();
	}
	printf("beats %lld mean %lld most %lld\n", (long long)beats,
	       (long long)(sum / beats / 1000), (long long)(most / 1000));
	return 0;
}
