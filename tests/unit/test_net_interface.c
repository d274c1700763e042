// SPDX-License-Identifier: BSD-2-Clause
/* An interface with a front end, honest and not, and a pair of sockets in place of the tap. */
#include <time.h>

#include "net_front.h"

static struct front front;
static uint8_t got[RF_NET_BYTES_MAX + 100];
static const struct virtio_net_hdr none;

static int setup(void **state)
{
	(void)state;
	front_open(&front);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	front_detach(&front);
	front_end(&front);
	return 0;
}

static const struct message_statistics *counts(void)
{
	return &front.interface.common.statistics;
}

static void turns(unsigned count)
{
	while (count--)
		front_turn(&front);
}

static void rest(void)
{
	struct timespec time = { 0, 70000000 };

	nanosleep(&time, NULL);
}

/* What came out of the tap behind its header; negative: nothing. */
static ssize_t departed(void)
{
	struct virtio_net_hdr header;
	struct iovec piece[2] = { { &header, sizeof(header) }, { got, sizeof(got) } };
	ssize_t length = readv(front.tap, piece, 2);

	return length < 0 ? length : length - (ssize_t)sizeof(header);
}

static void packets_go_as_they_are(void **state)
{
	(void)state;
	for (uint32_t bytes = 14; bytes <= 1518; bytes += 47) {
		struct rf_net_transmit_request request = front_packet(&front, bytes);

		assert_int_equal(front_do(&front, &request), RF_NET_OK);
		assert_int_equal(departed(), bytes);
		assert_memory_equal(got, front_pool(&front) + FRONT_DATA, bytes);
	}
}

/* In any pieces, however the copied bytes divide them. */
static void pieces_are_put_together(void **state)
{
	uint64_t random = 88172645463325252ULL;

	(void)state;
	for (unsigned round = 0; round < 500; round++) {
		struct rf_net_transmit_request request = front_packet(&front, 1400);
		uint32_t start = 0;

		request.segments = (uint8_t)(1 + unit_random(&random) % RF_NET_SEGMENTS_MAX);
		for (unsigned i = 0; i < request.segments; i++) {
			uint32_t bytes = 1 + (uint32_t)(unit_random(&random) % 270);

			if (i + 1U == request.segments)
				bytes = 1400 - start;
			request.segment[i] = (struct rf_net_segment){ FRONT_DATA + start, bytes };
			start += bytes;
		}
		assert_int_equal(front_do(&front, &request), RF_NET_OK);
		assert_int_equal(departed(), 1400);
		assert_memory_equal(got, front_pool(&front) + FRONT_DATA, 1400);
	}
}

static void what_breaks_a_rule_does_not_go(void **state)
{
	struct rf_net_transmit_request request = front_packet(&front, 100);

	(void)state;
	request.segment[0].offset = FRONT_POOL_FRAMES * 4096 - 99;
	assert_int_equal(front_do(&front, &request), RF_NET_INVALID);
	request = front_packet(&front, 100);
	front_pool(&front)[FRONT_DATA + 11] = 2;
	assert_int_equal(front_do(&front, &request), RF_NET_REFUSED);
	assert_true(departed() < 0);
	assert_int_equal(counts()->invalid, 1);
	assert_int_equal(counts()->refused, 1);
	/* And the next one does. */
	request = front_packet(&front, 100);
	assert_int_equal(front_do(&front, &request), RF_NET_OK);
}

static struct rf_net_receive_response received(void)
{
	struct rf_net_receive_response response;

	while (ring_front_take(&front.receive, &response) == RING_NONE)
		front_turn(&front);
	return response;
}

static void packets_come_into_buffers(void **state)
{
	(void)state;
	for (uint32_t bytes = 14; bytes <= 1500; bytes += 51) {
		struct rf_net_receive_response response;

		front_give(&front, bytes % 30);
		assert_true(front_arrive(&front, &none, bytes));
		response = received();
		assert_int_equal(response.id, bytes % 30);
		assert_int_equal(response.bytes, bytes);
		assert_int_equal(response.buffers, 1);
		assert_int_equal(front_pool(&front)[bytes % 30 * 4096 + 5],
				 (uint8_t)(5 * 13 + bytes));
	}
}

/* One of 60,000 bytes takes fifteen, all at once, each full but for the last. */
static void large_packets_take_several(void **state)
{
	const struct virtio_net_hdr header = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
					       .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
					       .gso_size = 1448,
					       .csum_start = 34,
					       .csum_offset = 16 };

	(void)state;
	for (uint32_t i = 0; i < 20; i++)
		front_give(&front, i);
	turns(2);
	assert_true(front_arrive(&front, &header, 60000));
	for (uint32_t i = 0; i < 15; i++) {
		struct rf_net_receive_response response = received();

		assert_int_equal(response.id, i);
		assert_int_equal(response.buffers, i ? 0 : 15);
		assert_int_equal(response.bytes, i < 14 ? 4096 : 60000 - 14 * 4096);
		assert_int_equal(response.offload.cut, i ? 0 : RF_NET_TCP4);
		assert_int_equal(front_pool(&front)[i * 4096 + 1],
				 (uint8_t)((i * 4096 + 1) * 13 + 60000));
	}
}

/* Nothing is taken, ever: what waits is bounded, the rest is dropped and counted; afterwards it works. */
static void who_takes_nothing_costs_nothing(void **state)
{
	unsigned arrived = 0, round;

	(void)state;
	rest();
	for (round = 0; round < 200; round++) {
		for (unsigned i = 0; i < 50; i++)
			arrived += front_arrive(&front, &none, 1000);
		turns(2);
		if (round == 20)
			rest();
	}
	rest();
	turns(200);
	assert_true(arrived > 1000);
	assert_int_equal(counts()->no_buffer, arrived);
	assert_int_equal(counts()->received, 0);
	front_give(&front, 3);
	turns(4);
	assert_true(front_arrive(&front, &none, 333));
	assert_int_equal(received().bytes, 333);
}

/* Unless this test itself had to wait too long, which it then tries again. */
static void a_short_lack_of_buffers_loses_nothing(void **state)
{
	uint64_t start, lost;

	(void)state;
	do {
		start = loop_now();
		lost = counts()->no_buffer;
		assert_true(front_arrive(&front, &none, 500));
		turns(10);
		lost = counts()->no_buffer - lost;
		front_give(&front, 1);
		if (!lost)
			assert_int_equal(received().bytes, 500);
		for (unsigned i = 2; lost && i < 20; i++)
			front_give(&front, i);
		turns(4);
	} while (lost && loop_now() - start >= 50000000);
	assert_int_equal(lost, 0);
}

static void buffers_that_break_a_rule_come_back(void **state)
{
	struct rf_net_receive_request request = { 9, FRONT_POOL_FRAMES * 4096 - 4095, 4096, 0 };
	struct rf_net_receive_response response;

	(void)state;
	assert_true(ring_front_request(&front.receive, &request));
	front_publish(&front, &front.receive);
	response = received();
	assert_int_equal(response.id, 9);
	assert_int_equal(response.status, RF_NET_INVALID);
	assert_int_equal(response.bytes, 0);
}

static void a_limit_makes_late_and_loses_nothing(void **state)
{
	struct rf_net_transmit_request request = front_packet(&front, 60);
	uint64_t start = loop_now();

	(void)state;
	front_set(&front, 100);
	turns(3);
	for (unsigned i = 0; i < 120; i++)
		assert_int_equal(front_do(&front, &request), RF_NET_OK);
	assert_true(loop_now() - start >= 150000000);
	assert_int_equal(counts()->sent, 120);
}

/* A batch costs one event each way, and a queue that is looked at none. */
static void busy_rings_need_no_events(void **state)
{
	struct rf_net_transmit_request request = front_packet(&front, 60);

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		for (unsigned k = 0; k < 20; k++)
			assert_true(ring_front_request(&front.transmit, &request));
		front_publish(&front, &front.transmit);
		turns(3);
		for (unsigned k = 0; k < 20; k++) {
			struct rf_net_transmit_response response;

			assert_int_equal(ring_front_take(&front.transmit, &response), RING_TAKEN);
		}
		ring_front_wait(&front.transmit, 1);
		while (departed() >= 0)
			continue;
	}
	assert_in_range(front_link_events(&front.shared), 1, 10);
	assert_in_range(counts()->events_in, 1, 11);
}

static void a_broken_ring_ends_the_connection_and_a_new_one_works(void **state)
{
	struct rf_ring *const rings[] = { front.transmit.shared, front.receive.shared };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		uint64_t one = 1;

		rings[i]->request_producer += FRONT_SLOTS + 1;
		assert_int_equal(write(front.shared.to_back, &one, sizeof(one)), sizeof(one));
		front_hear(&front, MESSAGE_BROKEN);
		front_hear(&front, MESSAGE_RELEASED);
		front_link_unused(&front.shared);
		assert_string_equal(front_attach(&front).text, "");
	}
	packets_go_as_they_are(state);
}

static void rings_that_do_not_fit_are_refused(void **state)
{
	struct message_queue *queue = &front.connect.queue[0];
	uint32_t *const fields[] = { &queue->port,	    &queue->transmit_slots,
				     &queue->receive_slots, &queue->transmit_grant,
				     &queue->receive_grant, &queue->pool_grant };

	(void)state;
	front_detach(&front);
	for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		uint32_t before = *fields[i];

		*fields[i] = i == 1 || i == 2 ? 64 : 99;
		assert_string_not_equal(front_attach(&front).text, "");
		front_hear(&front, MESSAGE_RELEASED);
		front_link_unused(&front.shared);
		*fields[i] = before;
	}
	assert_string_equal(front_attach(&front).text, "");
}

/* Of all queues, one after the other: what was mapped before is given back, and the next connection works. */
static void any_grant_and_port_may_be_refused(void **state)
{
	struct tap *tap = &front.interface.common.tap;

	(void)state;
	front_detach(&front);
	for (front.connect.queues = 1; front.connect.queues < RF_NET_QUEUES_MAX;
	     front.connect.queues++) {
		tap->file[tap->files++] = dup(tap->file[0]);
		front.connect.queue[front.connect.queues] = front.connect.queue[0];
	}
	for (unsigned i = 1; i <= 4 * RF_NET_QUEUES_MAX; i++) {
		front.shared.refuse = i;
		assert_string_not_equal(front_attach(&front).text, "");
		assert_int_equal(front.shared.refuse, 0);
		front_hear(&front, MESSAGE_RELEASED);
		front_link_unused(&front.shared);
	}
	front.shared.refuse = 4 * RF_NET_QUEUES_MAX + 1;
	assert_string_equal(front_attach(&front).text, "");
	front_detach(&front);
	front_link_unused(&front.shared);
	front.shared.refuse = 0;
	front.connect.queues = 1;
	assert_string_equal(front_attach(&front).text, "");
	packets_go_as_they_are(state);
}

/* As a packet of a Linux that gives its pages away may be in: 1 to 18 pieces, one of them empty, or not all there. */
static void pieces_have_any_shape(void **state)
{
	(void)state;
	for (unsigned pieces = 0; pieces <= 18; pieces++) {
		struct rf_net_transmit_request request = front_packet(&front, 1440);

		request.segments = (uint8_t)pieces;
		for (unsigned i = 0; i < pieces && i < RF_NET_SEGMENTS_MAX; i++)
			request.segment[i] =
				(struct rf_net_segment){ FRONT_DATA + i * 1440 / pieces,
							 1440 / pieces };
		assert_int_equal(front_do(&front, &request), pieces && pieces <= RF_NET_SEGMENTS_MAX
								     ? RF_NET_OK
								     : RF_NET_INVALID);
		for (unsigned i = 0; i < pieces && pieces <= RF_NET_SEGMENTS_MAX; i++) {
			struct rf_net_transmit_request bad = request;

			/* What is missing there is elsewhere. */
			bad.segment[i].bytes = 0;
			assert_int_equal(front_do(&front, &bad), RF_NET_INVALID);
			if (pieces > 1)
				bad.segment[(i + 1) % pieces].bytes += 1440 / pieces;
			assert_int_equal(front_do(&front, &bad), RF_NET_INVALID);
		}
		assert_int_equal(departed(), pieces && pieces <= RF_NET_SEGMENTS_MAX ? 1440 : -1);
	}
}

/* Wherever its headers are cut in two they are checked, and it goes as it is. */
static void headers_may_be_split_anywhere(void **state)
{
	(void)state;
	for (uint32_t at = 1; at < 400; at++) {
		struct rf_net_transmit_request request = front_packet(&front, 1000);

		request.segments = 2;
		request.segment[0].bytes = at;
		request.segment[1] = (struct rf_net_segment){ FRONT_DATA + at, 1000 - at };
		assert_int_equal(front_do(&front, &request), RF_NET_OK);
		assert_int_equal(departed(), 1000);
		assert_memory_equal(got, front_pool(&front) + FRONT_DATA, 1000);
		/* Another's address, of which one part may be in each. */
		front_pool(&front)[FRONT_DATA + 6 + at % 6] ^= 4;
		assert_int_equal(front_do(&front, &request), RF_NET_REFUSED);
		assert_true(departed() < 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(packets_go_as_they_are, setup, teardown),
		cmocka_unit_test_setup_teardown(pieces_are_put_together, setup, teardown),
		cmocka_unit_test_setup_teardown(what_breaks_a_rule_does_not_go, setup, teardown),
		cmocka_unit_test_setup_teardown(packets_come_into_buffers, setup, teardown),
		cmocka_unit_test_setup_teardown(large_packets_take_several, setup, teardown),
		cmocka_unit_test_setup_teardown(who_takes_nothing_costs_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_short_lack_of_buffers_loses_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(buffers_that_break_a_rule_come_back, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_limit_makes_late_and_loses_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(busy_rings_need_no_events, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_broken_ring_ends_the_connection_and_a_new_one_works, setup, teardown),
		cmocka_unit_test_setup_teardown(rings_that_do_not_fit_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(any_grant_and_port_may_be_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(pieces_have_any_shape, setup, teardown),
		cmocka_unit_test_setup_teardown(headers_may_be_split_anywhere, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
