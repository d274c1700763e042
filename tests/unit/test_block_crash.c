// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is on the disk if the power goes, at every moment of a long random use: whatever a flush or a durable write
 * has acknowledged is in each image that could be left. And what a guest is told when the disk fails.
 *
 * Each write has a number of its own, larger than all before, in each of its sectors. So an image is good if each
 * sector's number is at least the one that was promised.
 */
#include "block_log.h"

#define REQUESTS 3000
#define IMAGES	 6 /* random ones, at each moment */
#define MOST	 8 /* sectors a request */

static struct front front;
static struct log_engine logged;

struct user_request {
	struct rf_block_request request;
	uint64_t number;
	uint64_t acknowledged[LOG_SECTORS]; /* of a flush: when it was asked for */
	unsigned zeroed[LOG_SECTORS];	    /* the same */
	bool active;
};

static struct {
	uint64_t random;
	uint64_t number;
	uint64_t acknowledged[LOG_SECTORS]; /* written, and answered */
	uint64_t promised[LOG_SECTORS];
	unsigned zeroed[LOG_SECTORS]; /* so many times */
	bool busy[LOG_SECTORS];	      /* a request is about it: never two */
	struct user_request slot[FRONT_SLOTS];
	unsigned answered;
	unsigned lost; /* promised, and not in an image */
} user;

static void user_start(void)
{
	memset(&user, 0, sizeof(user));
	user.random = 1234567;
}

static uint64_t dice(uint64_t sides)
{
	return unit_random(&user.random) % sides;
}

static void mark(const struct rf_block_request *request, bool busy)
{
	for (uint32_t i = 0; i < request->sectors; i++)
		user.busy[request->sector + i] = busy;
}

static bool is_free(uint64_t first, uint32_t sectors)
{
	for (uint32_t i = 0; i < sectors; i++) {
		if (user.busy[first + i])
			return false;
	}
	return true;
}

static void fill(struct user_request *slot, uint32_t place)
{
	slot->number = ++user.number;
	for (uint32_t i = 0; i < slot->request.sectors; i++)
		memcpy(front_pool(&front) + place + i * 512, &slot->number, sizeof(slot->number));
}

static struct rf_block_request any_request(uint32_t place)
{
	uint32_t sectors = (uint32_t)dice(MOST) + 1;
	uint64_t sector = dice(LOG_SECTORS - MOST);
	struct rf_block_request request;

	if (dice(6) == 0)
		return front_request(RF_BLOCK_FLUSH, 0, 0, 0);
	if (dice(12) == 0)
		request = front_request(RF_BLOCK_WRITE_ZEROES, sector, sectors, 0);
	else
		request = front_request(RF_BLOCK_WRITE, sector, sectors, place);
	request.flags = dice(4) == 0 ? RF_BLOCK_FUA : 0;
	return request;
}

/* Zeroes have no number: they would look old. So they promise nothing, and what was promised is forgotten. */
static void forget(const struct rf_block_request *request)
{
	for (uint64_t i = request->sector; i < request->sector + request->sectors; i++) {
		user.promised[i] = 0;
		user.acknowledged[i] = 0;
		user.zeroed[i]++;
	}
}

static void make(unsigned index)
{
	struct user_request *slot = &user.slot[index];
	uint32_t place = index * MOST * 512;

	if (slot->active)
		return;
	slot->request = any_request(place);
	slot->request.id = index;
	if (!is_free(slot->request.sector, slot->request.sectors))
		return;
	fill(slot, place);
	mark(&slot->request, true);
	if (slot->request.operation == RF_BLOCK_WRITE_ZEROES)
		forget(&slot->request);
	memcpy(slot->acknowledged, user.acknowledged, sizeof(user.acknowledged));
	memcpy(slot->zeroed, user.zeroed, sizeof(user.zeroed));
	slot->active = true;
	assert_true(ring_front_request(&front.ring, &slot->request));
}

static void promise(uint64_t sector, uint64_t number)
{
	if (user.promised[sector] < number)
		user.promised[sector] = number;
}

static void take_written(const struct user_request *slot)
{
	for (uint32_t i = 0; i < slot->request.sectors; i++) {
		uint64_t sector = slot->request.sector + i;

		user.acknowledged[sector] = slot->number;
		if (slot->request.flags & RF_BLOCK_FUA)
			promise(sector, slot->number);
	}
}

/* A sector that was zeroed meanwhile is not promised its old number. */
static void take_flushed(const struct user_request *slot)
{
	for (unsigned i = 0; i < LOG_SECTORS; i++) {
		if (user.zeroed[i] == slot->zeroed[i])
			promise(i, slot->acknowledged[i]);
	}
}

static void take(void)
{
	struct rf_block_response response;

	while (ring_front_take(&front.ring, &response) == RING_TAKEN) {
		struct user_request *slot = &user.slot[response.id];

		assert_true(slot->active);
		assert_int_equal(response.status, RF_BLOCK_OK);
		slot->active = false;
		mark(&slot->request, false);
		user.answered++;
		if (slot->request.operation == RF_BLOCK_WRITE)
			take_written(slot);
		else if (slot->request.operation == RF_BLOCK_FLUSH)
			take_flushed(slot);
	}
}

static bool zeroing(unsigned sector)
{
	for (unsigned i = 0; i < FRONT_SLOTS; i++) {
		const struct rf_block_request *request = &user.slot[i].request;

		if (user.slot[i].active && request->operation == RF_BLOCK_WRITE_ZEROES &&
		    sector >= request->sector && sector < request->sector + request->sectors)
			return true;
	}
	return false;
}

static uint64_t any_version(unsigned sector)
{
	uint64_t value;

	if (dice(3) == 0 && log_under_way(&logged, sector, &value))
		return value;
	return log_version(&logged, sector, (unsigned)dice(logged.sector[sector].versions + 1));
}

/* The oldest of everything, then any mixtures. */
static void cut_power(void)
{
	for (unsigned image = 0; image <= IMAGES; image++) {
		for (unsigned i = 0; i < LOG_SECTORS; i++) {
			uint64_t value = image ? any_version(i) : log_version(&logged, i, 0);

			if (value < user.promised[i] && !zeroing(i))
				user.lost++;
		}
	}
}

static void use_disk(void)
{
	while (user.answered < REQUESTS) {
		uint64_t one = 1;

		for (uint64_t i = dice(6); i > 0; i--)
			make((unsigned)dice(FRONT_SLOTS));
		if (ring_front_publish(&front.ring))
			assert_int_equal(write(front.shared.to_back, &one, sizeof(one)),
					 sizeof(one));
		log_turn(&front);
		for (uint64_t i = dice(8); i > 0 && log_complete(&logged); i--)
			cut_power();
		log_turn(&front);
		take();
		cut_power();
	}
}

static void finish(void)
{
	while (log_complete(&logged))
		log_turn(&front);
	log_turn(&front);
	front_detach(&front);
	front_end(&front);
}

static void what_was_acknowledged_is_in_every_image(void **state)
{
	(void)state;
	user_start();
	log_open(&front, &logged);
	logged.short_transfers = true;
	use_disk();
	assert_int_equal(user.lost, 0);
	assert_true(logged.syncs > 300);
	finish();
}

/* The test itself: it must notice. */
static void a_disk_that_lies_is_found_out(void **state)
{
	(void)state;
	user_start();
	log_open(&front, &logged);
	logged.lies = true;
	front.disk.common.image.no_zero_range = true;
	user.answered = REQUESTS - 200;
	use_disk();
	assert_true(user.lost > 0);
	finish();
}

static uint32_t do_logged(const struct rf_block_request *request)
{
	struct rf_block_response response;

	assert_true(ring_front_request(&front.ring, request));
	front_publish(&front);
	while (ring_front_take(&front.ring, &response) == RING_NONE) {
		log_turn(&front);
		log_complete(&logged);
	}
	return response.status;
}

static uint32_t do_simple(uint8_t operation, uint8_t flags)
{
	struct rf_block_request request =
		front_request(operation, 0, operation == RF_BLOCK_FLUSH ? 0 : 8, 0);

	request.flags = flags;
	return do_logged(&request);
}

static void a_failed_flush_stays_failed(void **state)
{
	(void)state;
	log_open(&front, &logged);
	assert_int_equal(do_simple(RF_BLOCK_WRITE, 0), RF_BLOCK_OK);
	logged.sync_error = -EIO;
	assert_int_equal(do_simple(RF_BLOCK_FLUSH, 0), RF_BLOCK_ERROR);
	/* The disk says that all is well again. It has forgotten the write. */
	logged.sync_error = 0;
	assert_int_equal(do_simple(RF_BLOCK_FLUSH, 0), RF_BLOCK_ERROR);
	assert_int_equal(do_simple(RF_BLOCK_WRITE, RF_BLOCK_FUA), RF_BLOCK_ERROR);
	assert_int_equal(do_simple(RF_BLOCK_WRITE, 0), RF_BLOCK_OK);
	assert_int_equal(do_simple(RF_BLOCK_READ, 0), RF_BLOCK_OK);
	finish();
}

static void a_durable_write_that_fails_fails_flushes(void **state)
{
	(void)state;
	log_open(&front, &logged);
	logged.write_error = -EIO;
	assert_int_equal(do_simple(RF_BLOCK_WRITE, 0), RF_BLOCK_ERROR);
	assert_int_equal(do_simple(RF_BLOCK_FLUSH, 0), RF_BLOCK_OK);
	assert_int_equal(do_simple(RF_BLOCK_WRITE, RF_BLOCK_FUA), RF_BLOCK_ERROR);
	logged.write_error = 0;
	assert_int_equal(do_simple(RF_BLOCK_FLUSH, 0), RF_BLOCK_ERROR);
	finish();
}

static void no_space_waits_until_there_is(void **state)
{
	struct rf_block_request request = front_request(RF_BLOCK_WRITE, 0, 8, 0);
	struct rf_block_response response;
	uint64_t start = loop_now();

	(void)state;
	log_open(&front, &logged);
	logged.write_error = -ENOSPC;
	assert_true(ring_front_request(&front.ring, &request));
	front_publish(&front);
	while (TAILQ_EMPTY(&front.disk.common.full)) {
		log_turn(&front);
		log_complete(&logged);
	}
	log_turn(&front);
	assert_true(front_hear(&front, MESSAGE_PAUSED).text[0]);
	/* Others go on, and it is tried again, in vain. */
	while (loop_now() - start < 700000000ULL) {
		log_turn(&front);
		log_complete(&logged);
	}
	assert_int_equal(do_simple(RF_BLOCK_READ, 0), RF_BLOCK_OK);
	assert_int_equal(ring_front_take(&front.ring, &response), RING_NONE);
	logged.write_error = 0;
	while (ring_front_take(&front.ring, &response) == RING_NONE) {
		log_turn(&front);
		log_complete(&logged);
	}
	assert_int_equal(response.status, RF_BLOCK_OK);
	assert_string_equal(front_hear(&front, MESSAGE_PAUSED).text, "");
	finish();
}

static void no_space_is_an_error_if_that_is_wanted(void **state)
{
	struct message_limits limits = { .report_full = 1 };

	(void)state;
	log_open(&front, &logged);
	front_tell(&front, MESSAGE_LIMITS, &limits, sizeof(limits));
	log_turn(&front);
	log_turn(&front);
	logged.write_error = -ENOSPC;
	assert_int_equal(do_simple(RF_BLOCK_WRITE, 0), RF_BLOCK_NO_SPACE);
	assert_int_equal(do_simple(RF_BLOCK_WRITE, RF_BLOCK_FUA), RF_BLOCK_NO_SPACE);
	assert_int_equal(do_simple(RF_BLOCK_FLUSH, 0), RF_BLOCK_OK);
	finish();
}

/* What waits for space does not keep a front end that goes. */
static void letting_go_does_not_wait_for_space(void **state)
{
	struct rf_block_request request = front_request(RF_BLOCK_WRITE, 0, 8, 0);

	(void)state;
	log_open(&front, &logged);
	logged.write_error = -ENOSPC;
	assert_true(ring_front_request(&front.ring, &request));
	front_publish(&front);
	while (TAILQ_EMPTY(&front.disk.common.full)) {
		log_turn(&front);
		log_complete(&logged);
	}
	log_turn(&front);
	front_hear(&front, MESSAGE_PAUSED);
	front_detach(&front);
	assert_true(TAILQ_EMPTY(&front.disk.common.full));
	front_end(&front);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_acknowledged_is_in_every_image),
		cmocka_unit_test(a_disk_that_lies_is_found_out),
		cmocka_unit_test(a_failed_flush_stays_failed),
		cmocka_unit_test(a_durable_write_that_fails_fails_flushes),
		cmocka_unit_test(no_space_waits_until_there_is),
		cmocka_unit_test(no_space_is_an_error_if_that_is_wanted),
		cmocka_unit_test(letting_go_does_not_wait_for_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
