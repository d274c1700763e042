// SPDX-License-Identifier: BSD-2-Clause
/* Both sides of a ring, honest and not, and the limits of a disk. */
#include "unit.h"

#include "backends/common/limit.h"
#include "backends/common/ring.h"

#define SLOTS  8
#define SECOND 1000000000ULL

struct slot {
	uint64_t word[4];
};

static _Alignas(4096) uint8_t memory[4096];
static struct ring front, back;
static struct rf_ring *shared = (struct rf_ring *)memory;
static const struct ring_shape shape = { SLOTS, sizeof(struct slot), 8 };

static int connect_ring(void **state)
{
	(void)state;
	memset(memory, 0xee, sizeof(memory));
	ring_front_open(&front, memory, shape);
	return ring_back_open(&back, memory, shape) ? -1 : 0;
}

/* As if the ring had been used for so long already. */
static void start_at(uint32_t number)
{
	shared->request_producer = shared->response_producer = number;
	front.requested = front.responded = front.published = number;
	back.requested = back.responded = back.published = number;
	ring_back_wait(&back, 1);
	ring_front_wait(&front, 1);
}

static bool request(uint64_t number)
{
	struct slot slot = { { number, ~number, number * 3, 0 } };

	return ring_front_request(&front, &slot);
}

static enum ring_result take(uint64_t *number)
{
	struct slot slot;
	enum ring_result result = ring_back_take(&back, &slot);

	if (result == RING_TAKEN) {
		assert_int_equal(slot.word[1], ~slot.word[0]);
		*number = slot.word[0];
	}
	return result;
}

static void everything_comes_once_and_in_order(void **state)
{
	uint64_t random = 88172645463325252ULL, made = 0, taken = 0, answered = 0, seen = 0, number;

	(void)state;
	start_at(UINT32_MAX - 500);
	while (seen < 2000) {
		uint64_t dice = unit_random(&random) % 4;

		if (dice == 0 && made < 2000 && request(made))
			made++;
		if (dice == 1)
			ring_front_publish(&front);
		if (dice == 2 && take(&number) == RING_TAKEN)
			assert_int_equal(number, taken++);
		if (dice == 3 && answered < taken)
			ring_back_answer(&back, &(uint64_t){ answered++ });
		if (dice == 3)
			ring_back_publish(&back);
		if (ring_front_take(&front, &number) == RING_TAKEN)
			assert_int_equal(number, seen++);
		assert_true(made - seen <= SLOTS);
	}
	assert_int_equal(ring_back_open_requests(&back), 0);
}

static void a_full_ring_takes_no_more(void **state)
{
	uint64_t number;

	(void)state;
	for (uint64_t i = 0; i < SLOTS; i++)
		assert_true(request(i));
	assert_false(request(99));
	ring_front_publish(&front);
	/* Taking is not enough: a request without a response has its slot. */
	assert_int_equal(take(&number), RING_TAKEN);
	assert_false(request(99));
	ring_back_answer(&back, &number);
	ring_back_publish(&back);
	assert_int_equal(ring_front_take(&front, &number), RING_TAKEN);
	assert_true(request(99));
}

/* An event for the first, none while the other side is busy, one when it waits again. */
static void events_only_for_who_waits(void **state)
{
	uint64_t number;

	(void)state;
	request(0);
	assert_true(ring_front_publish(&front));
	assert_false(ring_front_publish(&front));
	request(1);
	assert_false(ring_front_publish(&front));
	assert_int_equal(take(&number), RING_TAKEN);
	assert_true(ring_back_wait(&back, 1));
	assert_int_equal(take(&number), RING_TAKEN);
	assert_false(ring_back_wait(&back, 3));
	request(2);
	assert_false(ring_front_publish(&front));
	request(3);
	request(4);
	assert_true(ring_front_publish(&front));
	ring_back_answer(&back, &number);
	assert_true(ring_back_publish(&back));
	ring_back_answer(&back, &number);
	assert_false(ring_back_publish(&back));
}

static void the_threshold_works_across_the_wrap(void **state)
{
	(void)state;
	for (uint32_t before = UINT32_MAX - 20; before != 20; before++) {
		for (uint32_t made = 0; made < 10; made++) {
			for (uint32_t after = 1; after < 10; after++)
				assert_int_equal(rf_ring_wants_event(before, before + made,
								     before + after),
						 made >= after);
		}
	}
}

static void a_producer_out_of_range_breaks_the_ring(void **state)
{
	static const uint32_t ahead[] = { SLOTS + 1, 1000, INT32_MAX, 0x80000000, UINT32_MAX };
	uint64_t number;

	for (unsigned i = 0; i < 5; i++) {
		connect_ring(state);
		start_at(UINT32_MAX - 3);
		shared->request_producer += ahead[i];
		assert_int_equal(take(&number), RING_BROKEN);
		/* For good. */
		shared->request_producer = back.requested + 1;
		assert_int_equal(take(&number), RING_BROKEN);
	}
}

/* What was taken and not answered counts: else there would be more responses than slots. */
static void unanswered_requests_have_slots(void **state)
{
	uint64_t number;

	(void)state;
	for (uint64_t i = 0; i < SLOTS; i++)
		request(i);
	ring_front_publish(&front);
	for (uint64_t i = 0; i < SLOTS; i++)
		assert_int_equal(take(&number), RING_TAKEN);
	shared->request_producer++;
	assert_int_equal(take(&number), RING_BROKEN);
}

static void responses_without_requests_break_the_ring(void **state)
{
	static const uint32_t ahead[] = { 2, SLOTS, SLOTS + 1, 0x80000000, UINT32_MAX };
	uint64_t number;

	for (unsigned i = 0; i < 5; i++) {
		connect_ring(state);
		request(0);
		request(1);
		/* The second is not published: the back end cannot know of it. */
		front.published = 1;
		shared->response_producer = ahead[i];
		assert_int_equal(ring_front_take(&front, &number), RING_BROKEN);
	}
}

static void a_header_that_does_not_fit_is_refused(void **state)
{
	uint32_t *const fields[] = { &shared->magic, &shared->slots, &shared->request_bytes,
				     &shared->response_bytes };

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		*fields[i] ^= 16;
		assert_non_null(ring_back_open(&back, memory, shape));
		*fields[i] ^= 16;
		assert_null(ring_back_open(&back, memory, shape));
	}
}

static uint64_t use(struct limit *limit, uint64_t units, uint64_t now)
{
	uint64_t wait = limit_wait(limit, now);

	limit_use(limit, units, now + wait);
	return now + wait;
}

static void a_limit_holds_over_time(void **state)
{
	struct limit limit = { 0 };
	uint64_t now = 100 * SECOND;

	(void)state;
	limit_set(&limit, 1000, 5000, now);
	/* The burst at once, and then the rate. */
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(use(&limit, 100, now), now);
	for (unsigned i = 0; i < 100; i++)
		now = use(&limit, 100, now);
	assert_in_range(now, 100 * SECOND + 9800000000ULL, 100 * SECOND + 10 * SECOND);
	/* A long rest is worth no more than the burst. */
	now += 1000 * SECOND;
	assert_int_equal(use(&limit, 5001, now), now);
	assert_true(limit_wait(&limit, now) > 0);
}

static void large_pieces_pass_and_are_paid_for(void **state)
{
	struct limit limit = { 0 };

	(void)state;
	limit_set(&limit, 1000, 1000, 10 * SECOND);
	assert_int_equal(use(&limit, 1000000, 10 * SECOND), 10 * SECOND);
	assert_in_range(limit_wait(&limit, 10 * SECOND), 998 * SECOND, 1000 * SECOND);
	/* A change forgives. */
	limit_set(&limit, 2000, 2000, 11 * SECOND);
	assert_int_equal(limit_wait(&limit, 11 * SECOND), 0);
	limit_set(&limit, 0, 0, 11 * SECOND);
	limit_use(&limit, UINT64_MAX, 11 * SECOND);
	assert_int_equal(limit_wait(&limit, 11 * SECOND), 0);
	limit_set(&limit, 1, UINT64_MAX, 11 * SECOND);
	limit_use(&limit, UINT64_MAX, 11 * SECOND);
	assert_true(limit_wait(&limit, 11 * SECOND) > SECOND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(everything_comes_once_and_in_order, connect_ring),
		cmocka_unit_test_setup(a_full_ring_takes_no_more, connect_ring),
		cmocka_unit_test_setup(events_only_for_who_waits, connect_ring),
		cmocka_unit_test(the_threshold_works_across_the_wrap),
		cmocka_unit_test(a_producer_out_of_range_breaks_the_ring),
		cmocka_unit_test_setup(unanswered_requests_have_slots, connect_ring),
		cmocka_unit_test(responses_without_requests_break_the_ring),
		cmocka_unit_test_setup(a_header_that_does_not_fit_is_refused, connect_ring),
		cmocka_unit_test(a_limit_holds_over_time),
		cmocka_unit_test(large_pieces_pass_and_are_paid_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
