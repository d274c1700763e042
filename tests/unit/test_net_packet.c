// SPDX-License-Identifier: BSD-2-Clause
/* What packets of a guest may say, rule by rule; the tap's header both ways; addresses as words. */
#include "unit.h"

#include <string.h>

#include "backends/net/packet.h"

#define POOL 65536U

static struct packet_rules rules;
static struct rf_net_transmit_request request;
static uint8_t header[RF_NET_HEADER_MAX];

static const uint8_t tcp4[] = {
	/* Ethernet */ 0x02,
	0,
	0,
	0,
	0,
	9,
	0x02,
	0,
	0,
	0,
	0,
	1,
	0x08,
	0x00,
	/* IP */ 0x45,
	0,
	0x3f,
	0xf0,
	0,
	0,
	0x40,
	0,
	64,
	6,
	0,
	0,
	10,
	0,
	0,
	1,
	10,
	0,
	0,
	2,
	/* TCP */ 0,
	1,
	0,
	2,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0x50,
	0x10,
	0,
	0,
	0,
	0,
	0,
	0
};

static const uint8_t arp[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0,  1, 0x08, 0x06,
			       0,    1,	   8,	 0,    6,    4,	   0, 2, 2, 0, 0,  0, 0,    1,
			       10,   0,	   0,	 1,    2,    0,	   0, 0, 0, 9, 10, 0, 0,    2 };

/* A TCP packet of 20000 bytes, to be cut, in two pieces: every rule holds. */
static int prepare(void **state)
{
	(void)state;
	rules = (struct packet_rules){ .mtu = 1500,
				       .checksum = 1,
				       .tcp4 = 1,
				       .tcp6 = 1,
				       .filter_mac = 1,
				       .mac = { 2, 0, 0, 0, 0, 1 } };
	request = (struct rf_net_transmit_request){
		.id = 7,
		.bytes = 20000,
		.offload = { RF_NET_CHECKSUM, RF_NET_TCP4, 54, 1460, 34, 16, 0 },
		.segments = 2,
		.segment = { { 0, 54 }, { 4096, 19946 } },
	};
	memset(header, 0, sizeof(header));
	memcpy(header, tcp4, sizeof(tcp4));
	return 0;
}

static uint32_t check(void)
{
	uint32_t status = packet_check_request(&request, &rules, POOL);

	return status ? status : packet_check_headers(&request, header, &rules);
}

static void plain(uint32_t bytes)
{
	request.bytes = bytes;
	request.offload = (struct rf_net_offload){ 0 };
	request.segments = 1;
	request.segment[0] = (struct rf_net_segment){ 0, bytes };
}

static void what_is_right_passes(void **state)
{
	(void)state;
	assert_int_equal(check(), RF_NET_OK);
	plain(54);
	assert_int_equal(check(), RF_NET_OK);
	plain(14);
	assert_int_equal(check(), RF_NET_OK);
	plain(1518);
	assert_int_equal(check(), RF_NET_OK);
}

#define WRONG(...)                                                                                 \
	do {                                                                                       \
		prepare(NULL);                                                                     \
		assert_int_equal(check(), RF_NET_OK);                                              \
		__VA_ARGS__;                                                                       \
		assert_int_equal(check(), RF_NET_INVALID);                                         \
	} while (0)

static void segments_are_within_the_pool_and_add_up(void **state)
{
	(void)state;
	WRONG(request.segments = 0);
	WRONG(request.segments = 1);
	WRONG(request.segments = 3);
	WRONG(request.segments = RF_NET_SEGMENTS_MAX + 1);
	WRONG(request.segments = 255);
	WRONG(request.segment[0].bytes = 0);
	WRONG(request.segment[0].bytes = 53);
	WRONG(request.segment[1].bytes = UINT32_MAX - 53);
	WRONG(request.segment[1].offset = POOL - 19945);
	WRONG(request.segment[1].offset = POOL);
	WRONG(request.segment[1].offset = UINT32_MAX - 10);
	/* Sums that come to the right number only modulo 2^32. */
	WRONG(request.segments = 3; request.segment[1].bytes = 0x80000000;
	      request.segment[2] = (struct rf_net_segment){ 0, 0x80000000 + 19946 });
}

static void sizes_have_bounds(void **state)
{
	(void)state;
	WRONG(plain(0));
	WRONG(plain(13));
	WRONG(plain(1519));
	WRONG(request.bytes = RF_NET_BYTES_MAX + 1;
	      request.segment[1].bytes = RF_NET_BYTES_MAX + 1 - 54; request.segment[1].offset = 0);
	/* With nothing behind its headers there is nothing to cut. */
	WRONG(request.bytes = 54; request.segments = 1);
}

static void checksums_are_within_the_headers(void **state)
{
	(void)state;
	WRONG(request.offload.flags = 0);
	WRONG(request.offload.flags = RF_NET_CHECKED);
	WRONG(request.offload.flags = RF_NET_CHECKSUM | 0x80);
	WRONG(rules.checksum = 0);
	WRONG(request.offload.checksum_start = 35);
	WRONG(request.offload.checksum_offset = 6);
	WRONG(plain(60); request.offload.checksum_start = 34);
	WRONG(plain(60);
	      request.offload = (struct rf_net_offload){ RF_NET_CHECKSUM, 0, 0, 0, 13, 2, 0 });
	WRONG(plain(60);
	      request.offload = (struct rf_net_offload){ RF_NET_CHECKSUM, 0, 0, 0, 34, 25, 0 });
	WRONG(plain(1500);
	      request.offload = (struct rf_net_offload){ RF_NET_CHECKSUM, 0, 0, 0, 250, 5, 0 });
	WRONG(plain(1500); request.offload = (struct rf_net_offload){ RF_NET_CHECKSUM, 0, 0, 0,
								      65535, 65535, 0 });
	prepare(NULL);
	plain(60);
	request.offload = (struct rf_net_offload){ RF_NET_CHECKSUM, 0, 0, 0, 34, 24, 0 };
	assert_int_equal(check(), RF_NET_OK);
}

static void cuts_are_of_tcp_whose_headers_are_where_they_are_said_to_be(void **state)
{
	(void)state;
	WRONG(request.offload.cut = RF_NET_CUTS);
	WRONG(request.offload.cut = 255);
	WRONG(request.offload.cut = RF_NET_TCP6);
	WRONG(rules.tcp4 = 0);
	WRONG(request.offload.segment_bytes = 0);
	WRONG(request.offload.segment_bytes = RF_NET_SEGMENT_MIN - 1);
	WRONG(request.offload.segment_bytes = 1500);
	WRONG(request.offload.header_bytes = 0);
	WRONG(request.offload.header_bytes = 53);
	WRONG(request.offload.header_bytes = 58);
	WRONG(request.offload.header_bytes = RF_NET_HEADER_MAX + 1);
	WRONG(header[12] = 0x86);
	WRONG(header[14] = 0x65);
	WRONG(header[14] = 0x44);
	WRONG(header[14] = 0x4f);
	WRONG(header[20] = 0x20); /* a piece, with more to come */
	WRONG(header[21] = 1);	  /* a later one */
	WRONG(header[23] = 17);
	WRONG(header[46] = 0x40);
	WRONG(header[46] = 0xf0);
	/* A tag moves everything by four bytes. */
	WRONG(header[12] = 0x81; header[13] = 0);
}

static void what_has_to_be_zero_is(void **state)
{
	(void)state;
	WRONG(request.reserved0 = 1);
	WRONG(request.reserved1 = 1);
	WRONG(request.offload.reserved = 1);
	WRONG(plain(60); request.offload.header_bytes = 1);
	WRONG(plain(60); request.offload.segment_bytes = 1);
	WRONG(plain(60); request.offload.checksum_offset = 1);
}

static void tcp6_and_tags_are_known(void **state)
{
	(void)state;
	memmove(header + 18, header + 14, 40);
	memcpy(header + 12, "\x81\x00\x00\x05\x08\x00", 6);
	request.offload.header_bytes = 58;
	request.offload.checksum_start = 38;
	assert_int_equal(check(), RF_NET_OK);
	memmove(header + 58, header + 38, 20);
	memcpy(header + 16, "\x86\xdd\x60\0\0\0\0\0\x06", 9);
	request.offload =
		(struct rf_net_offload){ RF_NET_CHECKSUM, RF_NET_TCP6, 78, 1400, 58, 16, 0 };
	assert_int_equal(check(), RF_NET_OK);
	header[24] = 0;
	assert_int_equal(check(), RF_NET_INVALID);
}

static void another_sender_is_refused(void **state)
{
	(void)state;
	header[11] = 2;
	assert_int_equal(check(), RF_NET_REFUSED);
	rules.filter_mac = 0;
	assert_int_equal(check(), RF_NET_OK);
	assert_true(packet_parse_addresses("10.0.0.2 fe80::1", &rules));
	assert_int_equal(check(), RF_NET_REFUSED);
	assert_true(packet_parse_addresses("10.0.0.2\n10.0.0.1", &rules));
	assert_int_equal(check(), RF_NET_OK);
	/* Who has no address yet asks for one. */
	memset(header + 26, 0, 4);
	assert_int_equal(check(), RF_NET_OK);
	plain(33);
	assert_int_equal(check(), RF_NET_REFUSED);
}

static void claims_are_looked_at(void **state)
{
	(void)state;
	plain(42);
	memcpy(header, arp, sizeof(arp));
	assert_true(packet_parse_addresses("10.0.0.1 2001:db8::1", &rules));
	assert_int_equal(check(), RF_NET_OK);
	header[31] = 7;
	assert_int_equal(check(), RF_NET_REFUSED);
	header[31] = 1;
	header[27] = 7;
	assert_int_equal(check(), RF_NET_REFUSED);
	/* Neither IP nor ARP. */
	header[12] = 0x88;
	assert_int_equal(check(), RF_NET_REFUSED);
	rules.addresses = 0;
	assert_int_equal(check(), RF_NET_OK);
}

static void advertisements_are_looked_at(void **state)
{
	(void)state;
	plain(86);
	memset(header + 12, 0, 80);
	memcpy(header + 12, "\x86\xdd\x60", 3);
	header[20] = 58;
	header[54] = 136;
	memcpy(header + 22, "\x20\x01\x0d\xb8", 4);
	header[37] = 1;
	memcpy(header + 62, header + 22, 16);
	assert_true(packet_parse_addresses("2001:db8::1", &rules));
	assert_int_equal(check(), RF_NET_OK);
	header[77] = 2;
	assert_int_equal(check(), RF_NET_REFUSED);
	header[54] = 135;
	assert_int_equal(check(), RF_NET_OK);
	header[37] = 2;
	assert_int_equal(check(), RF_NET_REFUSED);
}

static void the_taps_header_both_ways(void **state)
{
	struct virtio_net_hdr tap;
	struct rf_net_offload offload;

	(void)state;
	packet_to_tap(&request.offload, &tap);
	assert_int_equal(tap.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
	assert_int_equal(tap.gso_size, 1460);
	assert_true(packet_from_tap(&tap, 20000, &rules, &offload));
	assert_int_equal(offload.cut, RF_NET_TCP4);
	assert_int_equal(offload.segment_bytes, 1460);
	assert_int_equal(offload.checksum_start, 34);
	/* What the front end does not take does not come. */
	rules.tcp4 = 0;
	assert_false(packet_from_tap(&tap, 20000, &rules, &offload));
	rules.tcp4 = 1;
	rules.checksum = 0;
	assert_false(packet_from_tap(&tap, 20000, &rules, &offload));
	rules.checksum = 1;
	assert_false(packet_from_tap(&tap, 51, &rules, &offload));
	tap.gso_type = VIRTIO_NET_HDR_GSO_UDP;
	assert_false(packet_from_tap(&tap, 20000, &rules, &offload));
	tap = (struct virtio_net_hdr){ .flags = VIRTIO_NET_HDR_F_DATA_VALID };
	assert_true(packet_from_tap(&tap, 60, &rules, &offload));
	assert_int_equal(offload.flags, RF_NET_CHECKED);
}

static void buffers_are_within_the_pool(void **state)
{
	struct rf_net_receive_request buffer = { 1, POOL - 4096, 4096, 0 };

	(void)state;
	assert_true(packet_check_buffer(&buffer, POOL));
	buffer.offset++;
	assert_false(packet_check_buffer(&buffer, POOL));
	buffer = (struct rf_net_receive_request){ 1, 0, RF_NET_BUFFER_MIN - 1, 0 };
	assert_false(packet_check_buffer(&buffer, POOL));
	buffer = (struct rf_net_receive_request){ 1, 0, 4096, 1 };
	assert_false(packet_check_buffer(&buffer, POOL));
	buffer = (struct rf_net_receive_request){ 1, 4096, UINT32_MAX, 0 };
	assert_false(packet_check_buffer(&buffer, POOL));
}

static void words_are_addresses_or_refused(void **state)
{
	static const char *const wrong[] = { "02:00:00:00:00",	  "02:00:00:00:00:011",
					     "2:0:0:0:0:1:2:3:4", "02-00-00-00-00-01",
					     "03:00:00:00:00:01", "00:00:00:00:00:00",
					     "02:00:00:00:00:0g", "" };
	uint8_t mac[PACKET_MAC];
	char many[64 * 8] = "";

	(void)state;
	assert_true(packet_parse_mac("02:16:3E:00:ab:ff", mac));
	assert_int_equal(mac[5], 0xff);
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(packet_parse_mac(wrong[i], mac));
	assert_false(packet_parse_addresses("10.0.0", &rules));
	assert_false(packet_parse_addresses("10.0.0.1 x", &rules));
	assert_true(packet_parse_addresses("", &rules));
	assert_int_equal(rules.addresses, 0);
	for (unsigned i = 0; i <= PACKET_ADDRESSES_MAX; i++)
		strcat(many, " 10.0.0.1");
	assert_false(packet_parse_addresses(many, &rules));
	assert_true(packet_parse_addresses(many + 9, &rules));
	assert_int_equal(rules.addresses, PACKET_ADDRESSES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_is_right_passes, prepare),
		cmocka_unit_test_setup(segments_are_within_the_pool_and_add_up, prepare),
		cmocka_unit_test_setup(sizes_have_bounds, prepare),
		cmocka_unit_test_setup(checksums_are_within_the_headers, prepare),
		cmocka_unit_test_setup(cuts_are_of_tcp_whose_headers_are_where_they_are_said_to_be,
				       prepare),
		cmocka_unit_test_setup(what_has_to_be_zero_is, prepare),
		cmocka_unit_test_setup(tcp6_and_tags_are_known, prepare),
		cmocka_unit_test_setup(another_sender_is_refused, prepare),
		cmocka_unit_test_setup(claims_are_looked_at, prepare),
		cmocka_unit_test_setup(advertisements_are_looked_at, prepare),
		cmocka_unit_test_setup(the_taps_header_both_ways, prepare),
		cmocka_unit_test_setup(buffers_are_within_the_pool, prepare),
		cmocka_unit_test_setup(words_are_addresses_or_refused, prepare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
