// SPDX-License-Identifier: GPL-2.0
/*
 * A back end of a network that breaks the rules of abi/io/ring.h and abi/io/net.h, for
 * tests/system/test_net_hostile.py:
 *	bad_net DOMAIN SLOTS TRANSMIT-GRANT RECEIVE-GRANT PORT HOW
 * It says `ready` when it is connected, waits for packets and buffers, answers them in that way, says
 * `done`, and ends when it is killed.
 */
#include "bad.h"
#include "abi/io/net.h"

#include <time.h>

#define PACKET	60 /* bytes of one that is right */
#define STORM 2 /* seconds */

static struct rf_ring *transmit, *receive;

/* --- Packets that go --- */

static void answer(uint32_t number, uint32_t id, uint32_t status)
{
	*(struct rf_net_transmit_response *)response_of(transmit, number) =
		(struct rf_net_transmit_response){ id, status };
}

static uint32_t packet_id(uint32_t number)
{
	return ((const struct rf_net_transmit_request *)request_of(transmit, number))->id;
}

static void sent_ahead(void)
{
	respond(transmit, transmit->request_producer + 1);
}

static void sent_far_ahead(void)
{
	respond(transmit, transmit->request_producer + 0x80000000);
}

static void sent_no_id(void)
{
	answer(0, 0xffffffff, RF_NET_OK);
	respond(transmit, 1);
}

/* Of no packet that is under way: the ids are those of the slots. */
static void sent_other_id(void)
{
	answer(0, packet_id(0) + transmit->slots - 1, RF_NET_OK);
	respond(transmit, 1);
}

static void sent_twice(void)
{
	wait_for_requests(transmit, 2);
	answer(0, packet_id(0), RF_NET_OK);
	answer(1, packet_id(0), RF_NET_OK);
	respond(transmit, 2);
}

static void sent_back(void)
{
	answer(0, packet_id(0), RF_NET_OK);
	respond(transmit, 1);
	wait_for_requests(transmit, 2);
	respond(transmit, 0);
}

/* No rule says that it must be known: the packet is lost. */
static void sent_status(void)
{
	for (uint32_t i = 0; i < 3; i++) {
		wait_for_requests(transmit, i + 1);
		answer(i, packet_id(i), 99);
		respond(transmit, i + 1);
	}
}

/* --- Packets that come --- */

static void give(uint32_t number, struct rf_net_receive_response response)
{
	*(struct rf_net_receive_response *)response_of(receive, number) = response;
}

static uint32_t buffer_id(uint32_t number)
{
	return ((const struct rf_net_receive_request *)request_of(receive, number))->id;
}

static struct rf_net_receive_response packet(uint32_t number)
{
	return (struct rf_net_receive_response){ .id = buffer_id(number),
						 .bytes = PACKET,
						 .buffers = 1 };
}

/* The first buffer's, and what is wrong with it. */
static void come(struct rf_net_receive_response response)
{
	give(0, response);
	respond(receive, 1);
}

static void come_with(uint32_t bytes, uint8_t buffers)
{
	struct rf_net_receive_response response = packet(0);

	response.bytes = bytes;
	response.buffers = buffers;
	come(response);
}

static void came_ahead(void)
{
	respond(receive, receive->request_producer + 1);
}

static void came_far_ahead(void)
{
	respond(receive, receive->request_producer + 0x80000000);
}

static void came_no_id(void)
{
	struct rf_net_receive_response response = packet(0);

	response.id = 0xfffffff0;
	come(response);
}

/* Within a packet. */
static void came_twice(void)
{
	struct rf_net_receive_response response = packet(0);

	response.buffers = 2;
	give(0, response);
	response.buffers = 0;
	give(1, response);
	respond(receive, 2);
}

static void came_back(void)
{
	give(0, packet(0));
	give(1, packet(1));
	respond(receive, 2);
	wait_for_requests(receive, receive->slots + 2);
	respond(receive, 1);
}

static void came_long(void)
{
	come_with(4097, 1);
}

static void came_endless(void)
{
	come_with(0xffffffff, 1);
}

static void came_in_none(void)
{
	come_with(PACKET, 0);
}

static void came_in_many(void)
{
	come_with(PACKET, 255);
}

/* The second buffer was not answered. */
static void came_in_part(void)
{
	come_with(PACKET, 2);
}

/* A packet begins within another one. */
static void came_nested(void)
{
	struct rf_net_receive_response response = packet(0);

	response.buffers = 2;
	give(0, response);
	give(1, packet(1));
	respond(receive, 2);
}

/* --- What hurts nobody --- */

/* Each is a packet that the guest throws away: what it is said to be it cannot be. */
static void came_absurd(void)
{
	static const struct rf_net_offload absurd[] = {
		{ .flags = RF_NET_CHECKSUM, .checksum_start = 65535, .checksum_offset = 65535 },
		{ .flags = RF_NET_CHECKSUM, .checksum_start = 59 },
		{ .flags = RF_NET_CHECKSUM,
		  .cut = RF_NET_TCP4,
		  .checksum_start = 34,
		  .checksum_offset = 16 },
		{ .flags = RF_NET_CHECKSUM,
		  .cut = RF_NET_TCP6,
		  .segment_bytes = 1,
		  .checksum_start = 54,
		  .checksum_offset = 16 },
		{ .cut = RF_NET_TCP4, .segment_bytes = 1448 },
		{ .cut = 255, .segment_bytes = 65535, .header_bytes = 65535 },
		{ .flags = 255, .reserved = 65535 },
	};
	uint32_t count = sizeof(absurd) / sizeof(absurd[0]);

	for (uint32_t i = 0; i < count; i++) {
		struct rf_net_receive_response response = packet(i);

		response.offload = absurd[i];
		give(i, response);
	}
	respond(receive, count);
}

/* Too short, empty, of a status that nobody knows. */
static void came_little(void)
{
	for (uint32_t i = 0; i < 14; i++) {
		struct rf_net_receive_response response = packet(i);

		response.bytes = i;
		give(i, response);
	}
	for (uint32_t i = 14; i < 16; i++) {
		struct rf_net_receive_response response = packet(i);

		response.status = (uint8_t)(i * 16);
		give(i, response);
	}
	respond(receive, 16);
}

/* Two packets in one buffer: it was given anew when the first had been copied. */
static void came_again(void)
{
	give(0, packet(0));
	give(1, packet(0));
	respond(receive, 2);
}

/* Events with nothing behind them. */
static void events(void)
{
	time_t end = time(NULL) + STORM;

	while (time(NULL) < end)
		tell();
}

/* Headers say something else than they said. */
static void headers(void)
{
	memset(transmit, 0xff, rf_ring_requests_offset() / 4);
	memset(receive, 0, rf_ring_requests_offset() / 4);
	tell();
}

/* --- Anything, anywhere --- */

static uint64_t dice(void)
{
	static uint64_t state = 88172645463325252ULL;

	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

/* In responses most of all, of which there seem to be more and more. */
static void storm(void)
{
	time_t end = time(NULL) + STORM;

	for (uint32_t i = 1; time(NULL) < end; i++) {
		struct rf_net_receive_response response = packet(i);
		uint32_t *words = (uint32_t *)&response;

		if (dice() % 8 == 0)
			words[dice() % (sizeof(response) / 4)] ^= (uint32_t)(1ULL << dice() % 32);
		give(i - 1, response);
		((uint8_t *)request_of(receive, 0))[dice() % 1024] = (uint8_t)dice();
		respond(receive, i);
	}
}

static const struct way ways[] = {
	{ "sent_ahead", sent_ahead },
	{ "sent_far_ahead", sent_far_ahead },
	{ "sent_no_id", sent_no_id },
	{ "sent_other_id", sent_other_id },
	{ "sent_twice", sent_twice },
	{ "sent_back", sent_back },
	{ "sent_status", sent_status },
	{ "came_ahead", came_ahead },
	{ "came_far_ahead", came_far_ahead },
	{ "came_no_id", came_no_id },
	{ "came_twice", came_twice },
	{ "came_back", came_back },
	{ "came_long", came_long },
	{ "came_endless", came_endless },
	{ "came_in_none", came_in_none },
	{ "came_in_many", came_in_many },
	{ "came_in_part", came_in_part },
	{ "came_nested", came_nested },
	{ "came_absurd", came_absurd },
	{ "came_little", came_little },
	{ "came_again", came_again },
	{ "events", events },
	{ "headers", headers },
	{ "storm", storm },
};

static uint32_t number_of(const char *text)
{
	return (uint32_t)atoi(text);
}

int main(int count, char **arguments)
{
	uint32_t domain, slots;

	if (count != 7)
		return SKIPPED;
	open_device();
	domain = number_of(arguments[1]);
	slots = number_of(arguments[2]);
	transmit = map_ring(domain, number_of(arguments[3]), slots,
			    sizeof(struct rf_net_transmit_request),
			    sizeof(struct rf_net_transmit_response));
	receive = map_ring(domain, number_of(arguments[4]), slots,
			   sizeof(struct rf_net_receive_request),
			   sizeof(struct rf_net_receive_response));
	connect_port(domain, number_of(arguments[5]));
	say("ready");
	wait_for_requests(transmit, 1);
	wait_for_requests(receive, slots);
	misbehave(ways, sizeof(ways) / sizeof(ways[0]), arguments[6]);
	return 0;
}
