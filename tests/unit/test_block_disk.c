// SPDX-License-Identifier: BSD-2-Clause
/*
 * A whole worker with a raw image, in this process: what is written is read, what may not be is refused, nothing
 * is left.
 */
#include "block_log.h"

#include <sys/resource.h>
#include <sys/stat.h>

#define MIB (1U << 20)

static struct front front;

static void fill(uint8_t *memory, uint32_t bytes, uint32_t seed)
{
	for (uint32_t i = 0; i < bytes; i++) {
		seed = seed * 1103515245 + 12345;
		memory[i] = (uint8_t)(seed >> 16);
	}
}

static bool is_filled(const uint8_t *memory, uint32_t bytes, uint32_t seed)
{
	for (uint32_t i = 0; i < bytes; i++) {
		seed = seed * 1103515245 + 12345;
		if (memory[i] != (uint8_t)(seed >> 16))
			return false;
	}
	return true;
}

static bool is_zero(const uint8_t *memory, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++) {
		if (memory[i])
			return false;
	}
	return true;
}

static uint32_t transfer(uint8_t operation, uint64_t sector, uint32_t sectors, uint32_t place)
{
	struct rf_block_request request = front_request(operation, sector, sectors, place);

	return front_do(&front, &request);
}

static void writes_are_read(void **state)
{
	(void)state;
	front_open(&front, 8 * MIB);
	fill(front_pool(&front), MIB, 1);
	assert_int_equal(transfer(RF_BLOCK_WRITE, 16, 2048, 0), RF_BLOCK_OK);
	assert_int_equal(transfer(RF_BLOCK_READ, 16, 2048, MIB), RF_BLOCK_OK);
	assert_true(is_filled(front_pool(&front) + MIB, MIB, 1));
	/* The last sector, and what was never written. */
	assert_int_equal(transfer(RF_BLOCK_WRITE, 8 * MIB / 512 - 1, 1, 512), RF_BLOCK_OK);
	assert_int_equal(transfer(RF_BLOCK_READ, 4096, 8, 0), RF_BLOCK_OK);
	assert_true(is_zero(front_pool(&front), 4096));
	front_detach(&front);
	front_end(&front);
}

/* Of grants of single requests and of the pool, in one request; mapped and unmapped. */
static void segments_are_one_after_the_other(void **state)
{
	struct rf_block_request request = front_request(RF_BLOCK_WRITE, 0, 24, 8192);

	(void)state;
	front_open(&front, MIB);
	front_link_grant(&front.shared, 7, 3);
	fill(front_pool(&front) + 8192, 4096, 5);
	fill(front.shared.grant[7].address + 512, 8192, 6);
	request.segments = 2;
	request.segment[0].bytes = 4096;
	request.segment[1] = (struct rf_block_segment){ 7, 512, 8192 };
	assert_int_equal(front_do(&front, &request), RF_BLOCK_OK);
	assert_int_equal(front.shared.grant[7].mapped, 0);
	assert_int_equal(front.disk.common.statistics.grant_maps, 1);
	assert_int_equal(transfer(RF_BLOCK_READ, 0, 24, 65536), RF_BLOCK_OK);
	assert_true(is_filled(front_pool(&front) + 65536, 4096, 5));
	assert_true(is_filled(front_pool(&front) + 65536 + 4096, 8192, 6));
	front_detach(&front);
	front_end(&front);
}

static void grants_that_are_not_there_are_refused(void **state)
{
	struct rf_block_request request = front_request(RF_BLOCK_READ, 0, 16, 0);

	(void)state;
	front_open(&front, MIB);
	front_link_grant(&front.shared, 7, 1);
	request.segments = 2;
	request.segment[0].bytes = 4096;
	for (uint32_t grant = 7; grant < 10; grant++) {
		/* The first can be mapped, and must be given back. */
		request.segment[0].grant = 7;
		request.segment[1] = (struct rf_block_segment){ grant, 4096, 4096 };
		assert_int_equal(front_do(&front, &request), RF_BLOCK_INVALID);
		assert_int_equal(front.shared.grant[7].mapped, 0);
	}
	front_detach(&front);
	front_end(&front);
}

/* Of a request with as many as there may be: those before it are given back. */
static void any_grant_of_a_request_may_be_refused(void **state)
{
	struct rf_block_request request =
		front_request(RF_BLOCK_WRITE, 0, RF_BLOCK_SEGMENTS_MAX, 0);

	(void)state;
	front_open(&front, MIB);
	request.segments = RF_BLOCK_SEGMENTS_MAX;
	for (uint32_t i = 0; i < RF_BLOCK_SEGMENTS_MAX; i++) {
		front_link_grant(&front.shared, 4 + i, 1);
		request.segment[i] = (struct rf_block_segment){ 4 + i, 512, 512 };
	}
	for (unsigned i = 1; i <= RF_BLOCK_SEGMENTS_MAX + 1; i++) {
		front.shared.refuse = i;
		assert_int_equal(front_do(&front, &request),
				 i <= RF_BLOCK_SEGMENTS_MAX ? RF_BLOCK_INVALID : RF_BLOCK_OK);
		for (uint32_t k = 0; k < RF_BLOCK_SEGMENTS_MAX; k++)
			assert_int_equal(front.shared.grant[4 + k].mapped, 0);
	}
	front_detach(&front);
	front_end(&front);
}

static void put_read(uint64_t sector)
{
	struct rf_block_request request = front_request(RF_BLOCK_READ, sector, 8, 0);

	assert_true(ring_front_request(&front.ring, &request));
}

static void take_responses(unsigned count)
{
	struct rf_block_response response;

	while (count) {
		if (ring_front_take(&front.ring, &response) == RING_TAKEN)
			count--;
		else
			disk_turn(&front.disk);
	}
}

/* It will look again anyway; before it waits it asks for the next. */
static void no_events_are_asked_for_by_who_is_busy(void **state)
{
	(void)state;
	front_open(&front, MIB);
	assert_true(queue_wait(&front.disk.queue[0]));
	put_read(0);
	assert_true(ring_front_publish(&front.ring));
	front_link_write(front.shared.to_back);
	disk_turn(&front.disk);
	put_read(8);
	assert_false(ring_front_publish(&front.ring));
	take_responses(2);
	assert_true(queue_wait(&front.disk.queue[0]));
	put_read(16);
	assert_true(ring_front_publish(&front.ring));
	assert_false(queue_wait(&front.disk.queue[0]));
	take_responses(1);
	front_detach(&front);
	front_end(&front);
}

/* Others may be at the image for long. */
static void it_asks_for_the_next_while_others_take_long(void **state)
{
	static struct log_engine log;

	(void)state;
	log_open(&front, &log);
	for (unsigned i = 0; i < 16; i++)
		put_read(8 * i);
	front_publish(&front);
	while (log.count < 16)
		log_turn(&front);
	assert_true(queue_wait(&front.disk.queue[0]));
	put_read(8 * 16);
	assert_true(ring_front_publish(&front.ring));
	while (log_complete(&log))
		;
	log_turn(&front);
	take_responses(16);
	while (log_complete(&log))
		;
	take_responses(1);
	front_detach(&front);
	front_end(&front);
}

/* What is written comes from memory that the back end may only read; nothing is read into that. */
static void what_is_granted_to_be_read_is_only_read(void **state)
{
	struct rf_block_request request = front_request(RF_BLOCK_WRITE, 8, 16, 0);

	(void)state;
	front_open(&front, MIB);
	front_link_grant(&front.shared, 7, 2);
	front.shared.grant[7].read_only = true;
	fill(front.shared.grant[7].address, 8192, 6);
	request.segment[0].grant = 7;
	assert_int_equal(front_do(&front, &request), RF_BLOCK_OK);
	assert_int_equal(transfer(RF_BLOCK_READ, 8, 16, 65536), RF_BLOCK_OK);
	assert_true(is_filled(front_pool(&front) + 65536, 8192, 6));
	request.operation = RF_BLOCK_READ;
	assert_int_equal(front_do(&front, &request), RF_BLOCK_INVALID);
	assert_int_equal(front.shared.grant[7].mapped, 0);
	front_detach(&front);
	front_end(&front);
}

static void zeroes_and_discards(void **state)
{
	struct rf_block_request zeroes = front_request(RF_BLOCK_WRITE_ZEROES, 8, 1024, 0);
	struct stat status;

	(void)state;
	front_open(&front, 4 * MIB);
	fill(front_pool(&front), MIB, 3);
	for (unsigned flags = 0; flags < 4; flags++) {
		assert_int_equal(transfer(RF_BLOCK_WRITE, 0, 2048, 0), RF_BLOCK_OK);
		zeroes.flags = (uint8_t)flags;
		assert_int_equal(front_do(&front, &zeroes), RF_BLOCK_OK);
		assert_int_equal(transfer(RF_BLOCK_READ, 0, 2048, MIB), RF_BLOCK_OK);
		assert_true(is_filled(front_pool(&front) + MIB, 4096, 3));
		assert_true(is_zero(front_pool(&front) + MIB + 4096, 1024 * 512));
		assert_memory_equal(front_pool(&front) + MIB + 1032 * 512,
				    front_pool(&front) + 1032 * 512, 1016 * 512);
	}
	/* The same where the file system cannot do it. */
	front.disk.common.image.no_zero_range = true;
	assert_int_equal(transfer(RF_BLOCK_WRITE, 0, 2048, 0), RF_BLOCK_OK);
	assert_int_equal(front_do(&front, &zeroes), RF_BLOCK_OK);
	assert_int_equal(transfer(RF_BLOCK_READ, 0, 2048, MIB), RF_BLOCK_OK);
	assert_true(is_zero(front_pool(&front) + MIB + 4096, 1024 * 512));
	assert_true(is_filled(front_pool(&front) + MIB, 4096, 3));
	assert_int_equal(transfer(RF_BLOCK_DISCARD, 0, 8192, 0), RF_BLOCK_OK);
	assert_int_equal(stat(front.path, &status), 0);
	assert_int_equal(status.st_size, 4 * MIB);
	assert_true(status.st_blocks < 64);
	front_detach(&front);
	front_end(&front);
}

static void flushes_and_durable_writes(void **state)
{
	struct rf_block_request write = front_request(RF_BLOCK_WRITE, 8, 8, 0);

	(void)state;
	front_open(&front, MIB);
	write.flags = RF_BLOCK_FUA;
	assert_int_equal(front_do(&front, &write), RF_BLOCK_OK);
	assert_int_equal(transfer(RF_BLOCK_FLUSH, 0, 0, 0), RF_BLOCK_OK);
	front_detach(&front);
	front_end(&front);
}

/* A file that became shorter under the disk: an error, not an endless loop, and not zeroes. */
static void an_image_that_shrinks_gives_errors(void **state)
{
	(void)state;
	front_open(&front, 4 * MIB);
	assert_int_equal(truncate(front.path, 2 * MIB), 0);
	assert_int_equal(transfer(RF_BLOCK_READ, 2 * MIB / 512 - 8, 8, 0), RF_BLOCK_OK);
	assert_int_equal(transfer(RF_BLOCK_READ, 2 * MIB / 512 - 8, 16, 0), RF_BLOCK_ERROR);
	assert_int_equal(transfer(RF_BLOCK_READ, 2 * MIB / 512, 8, 0), RF_BLOCK_ERROR);
	front_detach(&front);
	front_end(&front);
}

static void an_image_grows_while_it_is_used(void **state)
{
	(void)state;
	front_open(&front, MIB);
	assert_int_equal(transfer(RF_BLOCK_READ, MIB / 512, 8, 0), RF_BLOCK_INVALID);
	assert_int_equal(truncate(front.path, 2 * MIB), 0);
	front_tell(&front, MESSAGE_RESIZE, NULL, 0);
	assert_int_equal(front_hear_sectors(&front), 2 * MIB / 512);
	assert_int_equal(transfer(RF_BLOCK_READ, MIB / 512, 8, 0), RF_BLOCK_OK);
	front_detach(&front);
	front_end(&front);
}

static void two_writers_are_refused_by_name(void **state)
{
	struct image second = { .kind = &image_raw };
	char error[MESSAGE_TEXT] = "";

	(void)state;
	front_open(&front, MIB);
	second.path = front.path;
	second.loop = &front.disk.common.loop;
	image_raw_patience(2);
	assert_false(image_open(&second, error, sizeof(error)));
	assert_non_null(strstr(error, front.path));
	assert_non_null(strstr(error, "in use"));
	second.read_only = true;
	assert_false(image_open(&second, error, sizeof(error)));
	front_detach(&front);
	front_end(&front);
}

static void images_that_are_none_are_refused_by_name(void **state)
{
	static const char *const paths[] = { "/nowhere/image", "/", "/dev/null" };

	(void)state;
	front_open(&front, MIB);
	for (unsigned i = 0; i < 3; i++) {
		struct image image = { .kind = &image_raw,
				       .path = paths[i],
				       .loop = &front.disk.common.loop };
		char error[MESSAGE_TEXT] = "";

		assert_false(image_open(&image, error, sizeof(error)));
		assert_memory_equal(error, paths[i], strlen(paths[i]));
	}
	front_detach(&front);
	front_end(&front);
}

/* After each of these the disk lets go, and can be connected again. */
static void a_broken_ring_ends_the_connection(void **state)
{
	static const uint32_t producers[] = { FRONT_SLOTS + 1, 0x80000000, UINT32_MAX };
	struct rf_ring *shared;

	(void)state;
	front_open(&front, MIB);
	shared = (struct rf_ring *)front.shared.grant[FRONT_RING].address;
	for (unsigned i = 0; i < 3; i++) {
		uint64_t one = 1;

		__atomic_store_n(&shared->request_producer, producers[i], __ATOMIC_SEQ_CST);
		assert_int_equal(write(front.shared.to_back, &one, sizeof(one)), sizeof(one));
		assert_string_equal(front_hear(&front, MESSAGE_BROKEN).text,
				    "queue 0: its number of requests is out of range");
		front_hear(&front, MESSAGE_RELEASED);
		assert_int_equal(front.shared.grant[FRONT_RING].mapped +
					 front.shared.grant[FRONT_POOL].mapped,
				 0);
		assert_string_equal(front_attach(&front).text, "");
	}
	front_detach(&front);
	front_end(&front);
}

static void what_cannot_be_connected_is_let_go(void **state)
{
	struct rf_ring *shared;

	(void)state;
	front_open(&front, MIB);
	front_detach(&front);
	shared = (struct rf_ring *)front.shared.grant[FRONT_RING].address;
	for (unsigned i = 0; i < 6; i++) {
		struct message_connect connect = front.connect;

		ring_front_open(&front.ring, front.shared.grant[FRONT_RING].address, front_shape());
		if (i == 0)
			connect.queue[0].ring_grant = 9;
		if (i == 1)
			connect.queue[0].pool_frames = 513;
		if (i == 2)
			connect.queue[0].port = 6;
		if (i == 3)
			shared->magic = 0;
		if (i == 4)
			shared->slots = 64;
		if (i == 5)
			shared->request_bytes = 64;
		front_tell(&front, MESSAGE_CONNECT, &connect, sizeof(connect));
		assert_true(front_hear(&front, MESSAGE_CONNECTED).text[0]);
		front_hear(&front, MESSAGE_RELEASED);
		assert_int_equal(front.shared.grant[FRONT_RING].mapped +
					 front.shared.grant[FRONT_POOL].mapped,
				 0);
		assert_int_equal(front.shared.connected, 0);
	}
	assert_string_equal(front_attach(&front).text, "");
	front_detach(&front);
	front_end(&front);
}

/* Ring, pool and port of each queue, in turn. */
static void any_grant_and_port_may_be_refused(void **state)
{
	struct message_connect connect;

	(void)state;
	front_open(&front, MIB);
	front_detach(&front);
	connect = front.connect;
	for (connect.queues = 1; connect.queues < RF_BLOCK_QUEUES_MAX; connect.queues++)
		connect.queue[connect.queues] = connect.queue[0];
	for (unsigned i = 1; i <= 3 * RF_BLOCK_QUEUES_MAX; i++) {
		ring_front_open(&front.ring, front.shared.grant[FRONT_RING].address, front_shape());
		front.shared.refuse = i;
		front_tell(&front, MESSAGE_CONNECT, &connect, sizeof(connect));
		assert_true(front_hear(&front, MESSAGE_CONNECTED).text[0]);
		assert_int_equal(front.shared.refuse, 0);
		front_hear(&front, MESSAGE_RELEASED);
		front_link_unused(&front.shared);
	}
	assert_string_equal(front_attach(&front).text, "");
	front_detach(&front);
	front_end(&front);
}

/* A ring that is full of reads and writes, again and again: every one is answered once, in whatever order. */
static void many_at_once(void **state)
{
	uint32_t answered = 0, made = 0;

	(void)state;
	front_open(&front, 4 * MIB);
	fill(front_pool(&front), 2 * MIB, 9);
	while (answered < 5000) {
		struct rf_block_response response;
		struct rf_block_request request =
			front_request(made % 3 ? RF_BLOCK_READ : RF_BLOCK_WRITE, made % 1000 * 8, 8,
				      made % 500 * 4096);

		while (made < 5000 && ring_front_request(&front.ring, &request))
			made++;
		front_publish(&front);
		disk_turn(&front.disk);
		while (ring_front_take(&front.ring, &response) == RING_TAKEN) {
			assert_int_equal(response.status, RF_BLOCK_OK);
			answered++;
		}
	}
	assert_int_equal(front.disk.common.statistics.requests[RF_BLOCK_READ] +
				 front.disk.common.statistics.requests[RF_BLOCK_WRITE],
			 5000);
	front_detach(&front);
	front_end(&front);
}

/* Ten requests at fifty a second after the first two: not at once, and all of them. */
static void limits_hold_back_and_can_change(void **state)
{
	struct message_limits limits = { .operations = 50, .operations_burst = 2 };
	uint64_t start;

	(void)state;
	front_open(&front, MIB);
	front_tell(&front, MESSAGE_LIMITS, &limits, sizeof(limits));
	disk_turn(&front.disk);
	start = loop_now();
	for (unsigned i = 0; i < 12; i++)
		assert_int_equal(transfer(RF_BLOCK_READ, 8, 8, 0), RF_BLOCK_OK);
	assert_true(loop_now() - start >= 150000000);
	limits.operations = 0;
	front_tell(&front, MESSAGE_LIMITS, &limits, sizeof(limits));
	disk_turn(&front.disk);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(transfer(RF_BLOCK_READ, 8, 8, 0), RF_BLOCK_OK);
	front_detach(&front);
	front_end(&front);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_are_read),
		cmocka_unit_test(segments_are_one_after_the_other),
		cmocka_unit_test(grants_that_are_not_there_are_refused),
		cmocka_unit_test(any_grant_of_a_request_may_be_refused),
		cmocka_unit_test(what_is_granted_to_be_read_is_only_read),
		cmocka_unit_test(no_events_are_asked_for_by_who_is_busy),
		cmocka_unit_test(it_asks_for_the_next_while_others_take_long),
		cmocka_unit_test(zeroes_and_discards),
		cmocka_unit_test(flushes_and_durable_writes),
		cmocka_unit_test(an_image_that_shrinks_gives_errors),
		cmocka_unit_test(an_image_grows_while_it_is_used),
		cmocka_unit_test(two_writers_are_refused_by_name),
		cmocka_unit_test(images_that_are_none_are_refused_by_name),
		cmocka_unit_test(a_broken_ring_ends_the_connection),
		cmocka_unit_test(what_cannot_be_connected_is_let_go),
		cmocka_unit_test(any_grant_and_port_may_be_refused),
		cmocka_unit_test(many_at_once),
		cmocka_unit_test(limits_hold_back_and_can_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
