// SPDX-License-Identifier: BSD-2-Clause
/*
 * A front end that misbehaves in every way there is, one after another:
 *	net_front TAP STORE DOMAIN ID SOCKET
 * After each, packets go and come, or it ends with an error.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "front.h"

#define ETHERNET 14
#define HEADERS	 (ETHERNET + 20 + 20)
#define UNCUT	 20000U
#define FLOOD	 20000U

static struct front front;
static uint64_t state_of_random = 88172645463325252ULL;
static bool scribbling;

static uint64_t dice(uint64_t sides)
{
	state_of_random ^= state_of_random << 13;
	state_of_random ^= state_of_random >> 7;
	state_of_random ^= state_of_random << 17;
	return state_of_random % sides;
}

static void __attribute__((noreturn, format(printf, 1, 2))) fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

/* --- Packets --- */

static struct rf_net_transmit_request plain(uint32_t bytes)
{
	static const uint8_t header[ETHERNET] = { 2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1, 0x88, 0xb5 };
	uint8_t *data = front_data(&front);

	for (uint32_t i = 0; i < bytes; i++)
		data[i] = (uint8_t)(i * 7 + bytes);
	memcpy(data, header, sizeof(header));
	return (struct rf_net_transmit_request){ .id = bytes,
						 .bytes = bytes,
						 .segments = 1,
						 .segment = { { FRONT_DATA, bytes } } };
}

/* TCP, of IPv4, that is to be cut. */
static struct rf_net_transmit_request uncut(void)
{
	static const uint8_t ip[20] = { 0x45,
					0,
					(UNCUT - ETHERNET) >> 8,
					(UNCUT - ETHERNET) & 0xff,
					0,
					0,
					0,
					0,
					64,
					6,
					0,
					0,
					10,
					9,
					9,
					1,
					10,
					9,
					9,
					2 };
	struct rf_net_transmit_request request = plain(UNCUT);
	uint8_t *data = front_data(&front);

	data[12] = 8;
	data[13] = 0;
	memcpy(data + ETHERNET, ip, sizeof(ip));
	data[ETHERNET + 20 + 12] = 5 << 4;
	request.offload = (struct rf_net_offload){ RF_NET_CHECKSUM, RF_NET_TCP4, HEADERS, 1400,
						   ETHERNET + 20,   16,		 0 };
	return request;
}

static void goes(const char *after, uint32_t bytes)
{
	static uint8_t packet[FRONT_PACKET_MAX];
	struct rf_net_transmit_request request = plain(bytes);
	int length = -1;

	while (front_departed(&front, packet, sizeof(packet)) >= 0)
		continue;
	if (front_send(&front, &request) != RF_NET_OK)
		fail("after %s: nothing goes: %u", after, front.sent.status);
	for (unsigned i = 0; i < 1000 && length != (int)bytes; i++) {
		length = front_departed(&front, packet, sizeof(packet));
		if (length < 0)
			usleep(1000);
	}
	if (length != (int)bytes || memcmp(packet, front_data(&front), bytes) != 0)
		fail("after %s: what went is not what came out: %d", after, length);
}

/* Others' packets (the kernel's own, of IPv6) may come, too. */
static void comes(const char *after, uint32_t bytes)
{
	for (unsigned i = 0; i < 100; i++) {
		uint64_t before = front.arrived;
		struct rf_net_receive_request buffer = { i, i % 32 * 4096, 4096, 0 };

		front_give(&front, &buffer);
		front_arrive(&front, bytes);
		while (front.arrived == before)
			face_turn(&front.face, 1000);
		if (front.came.bytes == bytes)
			return;
	}
	fail("after %s: nothing comes: %u bytes, status %u", after, front.came.bytes,
	     front.came.status);
}

static void works(const char *after)
{
	goes(after, 999);
	comes(after, 777);
	printf("ok: %s\n", after);
}

/* --- Connections that end --- */

static void is_thrown_out(const char *what)
{
	if (!face_is_thrown_out(&front.face))
		fail("%s: no error is told", what);
	works(what);
}

static void bad_producers(struct ring *ring)
{
	static const uint32_t ahead[] = { FRONT_SLOTS + 1, 0x80000000, UINT32_MAX };

	for (unsigned i = 0; i < 3; i++) {
		__atomic_add_fetch(&ring->shared->request_producer, ahead[i], __ATOMIC_SEQ_CST);
		face_kick(&front.face);
		is_thrown_out("a producer out of range");
	}
}

static void start_anew(void)
{
	face_say(&front.face, STATE_INITIALISING);
	front.face.state = STATE_NONE; /* by hand */
	face_until(&front.face, STATE_WAITING);
}

static void bad_keys(void)
{
	static const struct {
		const char *name, *value;
	} keys[] = { { "queues", "0" },
		     { "queues", "9" },
		     { "queues", "4294967297" },
		     { "queues", "two" },
		     { "queues", "-1" },
		     { "queues", "2" },
		     { "version", "2" },
		     { "queue-0/transmit-slots", "33" },
		     { "queue-0/transmit-slots", "2048" },
		     { "queue-0/transmit-slots", "64" },
		     { "queue-0/receive-slots", "4" },
		     { "queue-0/receive-slots", "64" },
		     { "queue-0/port", "0" },
		     { "queue-0/port", "4096" },
		     { "queue-0/port", "6" },
		     { "queue-0/transmit-grant", "9" },
		     { "queue-0/transmit-grant", "2" },
		     { "queue-0/receive-grant", "" },
		     { "queue-0/pool-grant", "7" },
		     { "queue-0/pool-frames", "0" },
		     { "queue-0/pool-frames", "65" },
		     { "queue-0/pool-frames", "1025" },
		     { "queue-0/pool-frames", "18446744073709551616" } };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		start_anew();
		front.face.class->show(&front.face);
		keys_write_text(front.face.store, front.face.folder, keys[i].name, keys[i].value);
		face_say(&front.face, STATE_INITIALISED);
		is_thrown_out(keys[i].name);
	}
}

/* Each grant, and the port, is refused in turn. */
static void refused_grants(void)
{
	for (unsigned i = 1; i <= 4; i++) {
		face_say(&front.face, STATE_INITIALISING);
		front.face.refuse = i;
		is_thrown_out("a grant that cannot be mapped");
	}
}

static void bad_headers(void)
{
	for (unsigned field = 0; field < 4; field++) {
		uint32_t *header;

		start_anew();
		front.face.class->show(&front.face);
		header = (uint32_t *)front.face.grant[field % 2 ? FRONT_TRANSMIT : FRONT_RECEIVE]
				 .memory;
		header[field] *= 2;
		face_say(&front.face, STATE_INITIALISED);
		is_thrown_out("a header that says something else");
	}
}

static void many_states(void)
{
	for (unsigned i = 0; i < 2000; i++)
		keys_write(front.face.store, front.face.folder, "state", dice(8));
	face_say(&front.face, STATE_CLOSED);
	sleep(1);
	face_say(&front.face, STATE_INITIALISING);
	face_until(&front.face, STATE_CONNECTED);
	works("states that come and go");
}

/* --- Requests that are refused --- */

static void refuse(const char *what, struct rf_net_transmit_request request, uint32_t status)
{
	if (front_send(&front, &request) != status)
		fail("%s: %u", what, front.sent.status);
	printf("ok: %s\n", what);
}

#define BAD(start, change)                                                                         \
	do {                                                                                       \
		struct rf_net_transmit_request r = (start);                                        \
                                                                                                   \
		change;                                                                            \
		refuse(#change, r, RF_NET_INVALID);                                                \
	} while (0)

static void bad_segments(void)
{
	BAD(plain(100), r.segments = 0);
	BAD(plain(100), r.segments = RF_NET_SEGMENTS_MAX + 1);
	BAD(plain(100), r.segments = 255);
	BAD(plain(100), r.segment[0].bytes = 0);
	BAD(plain(100), r.segment[0].bytes = 99);
	BAD(plain(100), r.segment[0].bytes = UINT32_MAX);
	BAD(plain(100), r.segment[0].offset = FRONT_POOL_FRAMES * 4096 - 99);
	BAD(plain(100), r.segment[0].offset = UINT32_MAX - 50);
	BAD(plain(100), r.segments = 2);
	BAD(plain(100), r.segments = 2; r.segment[1].bytes = UINT32_MAX; r.bytes = 99);
	BAD(plain(100), r.bytes = 0; r.segment[0].bytes = 0);
	BAD(plain(13), );
	BAD(plain(1519), );
	BAD(plain(100), r.reserved0 = 1);
	BAD(plain(100), r.reserved1 = 1);
	BAD(plain(100), r.offload.reserved = 1);
}

static void bad_offloads(void)
{
	BAD(plain(100), r.offload.flags = RF_NET_CHECKED);
	BAD(plain(100), r.offload.flags = 255);
	BAD(plain(100), r.offload.cut = RF_NET_CUTS);
	BAD(plain(100), r.offload.checksum_start = 34);
	BAD(plain(100), r.offload.flags = RF_NET_CHECKSUM);
	BAD(plain(100), r.offload.flags = RF_NET_CHECKSUM; r.offload.checksum_start = 99);
	BAD(plain(100), r.offload.flags = RF_NET_CHECKSUM; r.offload.checksum_start = 65535;
	    r.offload.checksum_offset = 65535);
	BAD(uncut(), r.offload.flags = 0);
	BAD(uncut(), r.offload.cut = RF_NET_TCP6);
	BAD(uncut(), r.offload.cut = RF_NET_WHOLE);
	BAD(uncut(), r.offload.segment_bytes = 0);
	BAD(uncut(), r.offload.segment_bytes = RF_NET_SEGMENT_MIN - 1);
	BAD(uncut(), r.offload.segment_bytes = 65535);
	BAD(uncut(), r.offload.header_bytes = 0);
	BAD(uncut(), r.offload.header_bytes = HEADERS + 4);
	BAD(uncut(), r.offload.header_bytes = 65535);
	BAD(uncut(), r.offload.checksum_start = ETHERNET);
	BAD(uncut(), r.offload.checksum_offset = 6);
	BAD(uncut(), r.bytes = r.segment[0].bytes = HEADERS);
	BAD(uncut(), front_data(&front)[ETHERNET] = 0x4f);
	BAD(uncut(), front_data(&front)[ETHERNET + 9] = 17);
	BAD(uncut(), front_data(&front)[ETHERNET + 6] = 0x20);
	BAD(uncut(), front_data(&front)[ETHERNET + 20 + 12] = 0xf0);
	BAD(uncut(), front_data(&front)[ETHERNET + 20 + 12] = 0x40);
}

/* Headers in pieces of one byte are as good as others; whose packet it is not is another's. */
static void odd_packets(void)
{
	struct rf_net_transmit_request r = uncut();

	r.segments = 5;
	for (uint32_t i = 0; i < 5; i++)
		r.segment[i] = (struct rf_net_segment){ FRONT_DATA + i, i < 4 ? 1 : UNCUT - 4 };
	refuse("a header in pieces", r, RF_NET_OK);
	r = plain(100);
	front_data(&front)[11] = 77;
	refuse("another's address", r, RF_NET_REFUSED);
}

/* Whatever is in them, each has one answer. */
static void any_requests(void)
{
	for (unsigned i = 0; i < 20000; i++) {
		struct rf_net_transmit_request request = dice(2) ? uncut()
								 : plain(14 + (uint32_t)dice(1500));
		uint8_t *byte = (uint8_t *)&request;

		for (uint64_t changes = dice(4); changes; changes--)
			byte[dice(sizeof(request))] = (uint8_t)dice(256);
		for (uint64_t changes = dice(3); changes; changes--)
			front_data(&front)[dice(HEADERS)] = (uint8_t)dice(256);
		if (front_send(&front, &request) > RF_NET_INVALID)
			fail("a status that is none: %u", front.sent.status);
	}
	works("requests with anything in them");
}

static void *scribble(void *unused)
{
	uint64_t random = 12345;

	while (__atomic_load_n(&scribbling, __ATOMIC_RELAXED)) {
		const struct face_grant *grant = &front.face.grant[1 + random % 3];
		size_t start = grant->frames == 1 ? 256 : 0;

		random = random * 6364136223846793005ULL + 1442695040888963407ULL;
		__atomic_store_n(grant->memory + start +
					 (random >> 20) % (grant->frames * 4096 - start),
				 (uint8_t)(random >> 50), __ATOMIC_RELAXED);
	}
	return unused;
}

/* A second processor that changes slots and data without end. */
static void scribbled(void)
{
	pthread_t thread;

	scribbling = true;
	if (pthread_create(&thread, NULL, scribble, NULL))
		fail("no thread");
	for (unsigned i = 0; i < 20000; i++) {
		struct rf_net_transmit_request request = i % 2 ? uncut() : plain(60);

		front_send(&front, &request);
	}
	__atomic_store_n(&scribbling, false, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	face_say(&front.face, STATE_INITIALISING);
	face_until(&front.face, STATE_WAITING);
	face_until(&front.face, STATE_CONNECTED);
	works("slots and data that change");
}

/* --- Buffers --- */

static void bad_buffers(void)
{
	static const struct rf_net_receive_request bad[] = {
		{ 1, 0, RF_NET_BUFFER_MIN - 1, 0 },
		{ 2, 0, 0, 0 },
		{ 3, FRONT_POOL_FRAMES * 4096 - 4095, 4096, 0 },
		{ 4, UINT32_MAX - 4095, 4096, 0 },
		{ 5, 0, UINT32_MAX, 0 },
		{ 6, 0, 4096, 1 },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint64_t before = front.arrived;

		front_give(&front, &bad[i]);
		while (front.arrived == before)
			face_turn(&front.face, 1000);
		if (front.came.id != bad[i].id || front.came.status != RF_NET_INVALID ||
		    front.came.bytes)
			fail("a bad buffer: status %u", front.came.status);
	}
	works("buffers that are none");
}

/* What comes is dropped. How much memory that takes is looked at from outside. */
static void never_gives(void)
{
	uint64_t came = front.arrived, sent = 0;

	for (unsigned i = 0; i < FLOOD; i++) {
		sent += front_arrive(&front, 1400);
		if (i % 64 == 0)
			usleep(1000);
	}
	if (front.arrived != came || sent < FLOOD / 10)
		fail("%lu packets, of which %lu came", sent, front.arrived - came);
	works("packets and no buffers");
}

/* As many requests as there are slots, and nothing of it taken: then no more can be made. */
static void never_takes(void)
{
	struct rf_net_transmit_request request = plain(60);

	front.face.state = STATE_NONE; /* by hand */
	while (ring_front_request(&front.transmit, &request))
		continue;
	ring_front_publish(&front.transmit);
	face_kick(&front.face);
	sleep(1);
	__atomic_add_fetch(&front.transmit.shared->request_producer, 1 + FRONT_SLOTS,
			   __ATOMIC_SEQ_CST);
	face_kick(&front.face);
	is_thrown_out("answers that are not taken");
}

static void many_events(void)
{
	for (unsigned i = 0; i < 100000; i++)
		face_kick(&front.face);
	works("events without requests");
}

int main(int arguments, char **argument)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (arguments != 6)
		fail("usage: net_front TAP STORE DOMAIN ID SOCKET");
	if (!front_open(&front, argument[1], argument + 2))
		return 1;
	face_say(&front.face, STATE_INITIALISING);
	face_until(&front.face, STATE_CONNECTED);
	works("nothing");
	bad_producers(&front.transmit);
	bad_producers(&front.receive);
	bad_keys();
	bad_headers();
	refused_grants();
	many_states();
	bad_segments();
	bad_offloads();
	odd_packets();
	any_requests();
	scribbled();
	bad_buffers();
	never_gives();
	never_takes();
	many_events();
	face_say(&front.face, STATE_CLOSED);
	return 0;
}
