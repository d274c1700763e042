/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_STATES_H
#define UNIT_STATES_H

/*
 * Every operation in every state that a model can come to. The walk goes from state to state in one machine, always to
 * the nearest operation that was not tried yet; so whatever led to a state, all that follows is as after the
 * shortest way there. The test says what the model is, which operations are possible, and performs one, comparing.
 */
#include "unit.h"

#define STATES_OPERATIONS 128
#define STATES_MAX	  (1 << 17)
#define STATES_HASH	  (1 << 18)
#define STATES_MODEL	  64 /* bytes, at most */
#define STATES_UNKNOWN	  (-1)
#define STATES_IMPOSSIBLE (-2)

struct states_test {
	const void *model; /* as it is now; no padding */
	size_t size;
	unsigned operations;
	bool (*is_possible)(unsigned operation);
	void (*perform)(unsigned operation);
	void (*audit)(void); /* now and then */
	unsigned audit_every;
};

struct states_one {
	uint8_t model[STATES_MODEL];
	int32_t next[STATES_OPERATIONS]; /* by operation: a state, or one of those above */
	uint32_t round;			 /* of the search that saw it, */
	int32_t from;			 /* from where */
	uint8_t by;
	uint8_t first_unknown; /* operations below it are known */
};

static struct {
	const struct states_test *test;
	struct states_one *all;
	int32_t *table, *queue;
	int32_t count;
	uint32_t round;
	uint64_t steps;
} states;

static inline uint64_t states_hash(void)
{
	const uint8_t *bytes = states.test->model;
	uint64_t hash = 14695981039346656037ULL;

	for (size_t i = 0; i < states.test->size; i++)
		hash = (hash ^ bytes[i]) * 1099511628211ULL;
	return hash ^ hash >> 32;
}

static inline int32_t states_add(void)
{
	struct states_one *s = &states.all[states.count];

	assert_true(states.count < STATES_MAX);
	memcpy(s->model, states.test->model, states.test->size);
	for (unsigned op = 0; op < states.test->operations; op++)
		s->next[op] = states.test->is_possible(op) ? STATES_UNKNOWN : STATES_IMPOSSIBLE;
	if ((unsigned)states.count % states.test->audit_every == 0)
		states.test->audit();
	return states.count++;
}

/* The state that the model is in now. */
static inline int32_t states_now(void)
{
	uint64_t i = states_hash() % STATES_HASH;

	for (; states.table[i] >= 0; i = (i + 1) % STATES_HASH)
		if (!memcmp(states.all[states.table[i]].model, states.test->model,
			    states.test->size))
			return states.table[i];
	states.table[i] = states_add();
	return states.table[i];
}

static inline int32_t states_step(int32_t from, unsigned operation)
{
	states.test->perform(operation);
	states.steps++;
	states.all[from].next[operation] = states_now();
	return states.all[from].next[operation];
}

static inline unsigned states_first_unknown(struct states_one *s)
{
	while (s->first_unknown < states.test->operations &&
	       s->next[s->first_unknown] != STATES_UNKNOWN)
		s->first_unknown++;
	return s->first_unknown;
}

/* Goes back along the search, and then does what was found. */
static inline int32_t states_go(int32_t from, int32_t to)
{
	static uint8_t way[STATES_MAX];
	uint32_t length = 0;

	for (int32_t at = to; at != from; at = states.all[at].from)
		way[length++] = states.all[at].by;
	while (length > 0)
		from = states_step(from, way[--length]);
	assert_int_equal(from, to);
	return from;
}

static inline void states_look_from(int32_t from, int32_t *tail)
{
	for (unsigned op = 0; op < states.test->operations; op++) {
		int32_t next = states.all[from].next[op];

		if (next < 0 || states.all[next].round == states.round)
			continue;
		states.all[next].round = states.round;
		states.all[next].from = from;
		states.all[next].by = (uint8_t)op;
		states.queue[(*tail)++] = next;
	}
}

/* The nearest state with something unknown, or -1. */
static inline int32_t states_search(int32_t from)
{
	int32_t tail = 0;

	states.all[from].round = ++states.round;
	states.queue[tail++] = from;
	for (int32_t head = 0; head < tail; head++) {
		struct states_one *s = &states.all[states.queue[head]];

		if (states_first_unknown(s) < states.test->operations)
			return states.queue[head];
		states_look_from(states.queue[head], &tail);
	}
	return -1;
}

static inline void states_try_all(const struct states_test *test)
{
	int32_t at, to;

	assert_true(test->size <= STATES_MODEL && test->operations <= STATES_OPERATIONS);
	states.test = test;
	states.all = calloc(STATES_MAX, sizeof(*states.all));
	states.queue = calloc(STATES_MAX, sizeof(*states.queue));
	states.table = malloc(STATES_HASH * sizeof(*states.table));
	memset(states.table, 0xff, STATES_HASH * sizeof(*states.table));
	at = states_now();
	while ((to = states_search(at)) >= 0) {
		at = states_go(at, to);
		at = states_step(at, states_first_unknown(&states.all[at]));
	}
	print_message("%d states, %u operations, %lu steps\n", states.count, test->operations,
		      states.steps);
	free(states.all);
	free(states.queue);
	free(states.table);
}

#endif
