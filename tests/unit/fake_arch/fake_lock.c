// SPDX-License-Identifier: BSD-2-Clause
/*
 * The order in which locks nest, as unit tests take them: whoever takes two in one order after somebody has taken
 * them in the other could wait for ever, though nobody did this time. The test ends there, and says so.
 *
 * Interface: arch_lock_taken, arch_lock_given of arch.h; fake_lock.h. Locks: one, only while a second lock is taken.
 * Odd: locks are told apart by their addresses, not by what they are for, so the same two must meet in both
 * orders; and a circle of three is not seen.
 */
#include "fake_lock.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch.h"

#define HELD  16
#define PAIRS 4096 /* a power of two; when most are taken, no more are noted */

struct pair {
	const void *outer, *inner;
};

static pthread_mutex_t pairs_lock = PTHREAD_MUTEX_INITIALIZER;
static struct pair pairs[PAIRS];
static size_t pair_count;
static _Thread_local const void *held[HELD];
static _Thread_local unsigned int held_count;

/* Its place, or the one where it would be. */
static struct pair *find(const void *outer, const void *inner)
{
	uint64_t hash = ((uintptr_t)outer * 31 + (uintptr_t)inner) * 0x9e3779b97f4a7c15ULL;
	size_t i = hash >> 52; /* so many bits as PAIRS has */

	while (pairs[i].outer && (pairs[i].outer != outer || pairs[i].inner != inner))
		i = (i + 1) % PAIRS;
	return &pairs[i];
}

static void note(const void *outer, const void *inner)
{
	struct pair *pair;
	bool reverse;

	pthread_mutex_lock(&pairs_lock);
	reverse = find(inner, outer)->outer != NULL;
	pair = find(outer, inner);
	if (!pair->outer && pair_count < PAIRS / 2) {
		*pair = (struct pair){ outer, inner };
		pair_count++;
	}
	pthread_mutex_unlock(&pairs_lock);
	if (!reverse)
		return;
	fprintf(stderr, "fake_arch: locks %p and %p are taken in both orders\n", outer, inner);
	abort();
}

void arch_lock_taken(const void *lock)
{
	for (unsigned int i = 0; i < held_count; i++)
		note(held[i], lock);
	if (held_count == HELD) {
		fprintf(stderr, "fake_arch: more than %d locks are held\n", HELD);
		abort();
	}
	held[held_count++] = lock;
}

/* In any order. */
void arch_lock_given(const void *lock)
{
	for (unsigned int i = 0; i < held_count; i++) {
		if (held[i] != lock)
			continue;
		held[i] = held[--held_count];
		return;
	}
}

void fake_lock_forget(void)
{
	held_count = 0;
	memset(pairs, 0, sizeof(pairs));
	pair_count = 0;
}

void fake_lock_forget_held(void)
{
	held_count = 0;
}
