// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any request and any first bytes of a packet. What passes is looked at once more, by other means: its pieces are in
 * the pool, what the kernel will sum up and cut is where it says, and its sender is this interface. Also what a tap may
 * say, and words of addresses.
 *
 * options: -max_len=400 -runs=400000
 * full-options: -max_len=400 -runs=20000000
 */
#include <stdlib.h>
#include <string.h>

#include "backends/net/packet.h"

#define POOL 262144U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t mac[PACKET_MAC] = { 2, 0, 0, 0, 0, 1 };

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void verify_request(const struct rf_net_transmit_request *request,
			   const struct packet_rules *rules)
{
	uint64_t sum = 0;

	require(request->segments >= 1 && request->segments <= RF_NET_SEGMENTS_MAX);
	for (unsigned i = 0; i < request->segments; i++) {
		require((uint64_t)request->segment[i].offset + request->segment[i].bytes <= POOL);
		sum += request->segment[i].bytes;
	}
	require(sum == request->bytes && sum >= 14 && sum <= RF_NET_BYTES_MAX);
	require(request->offload.cut || sum <= rules->mtu + 18);
}

static void verify_offload(const struct rf_net_transmit_request *request, const uint8_t *header)
{
	const struct rf_net_offload *offload = &request->offload;
	unsigned end = offload->checksum_start + offload->checksum_offset + 2U;

	if (offload->flags)
		require(end <= request->bytes && end <= RF_NET_HEADER_MAX);
	if (!offload->cut)
		return;
	require(offload->flags == RF_NET_CHECKSUM && offload->segment_bytes >= RF_NET_SEGMENT_MIN);
	require(offload->header_bytes < request->bytes);
	require(offload->header_bytes >= offload->checksum_start + 20);
	/* The header of TCP says the same. */
	require(header[offload->checksum_start + 12] >> 4 ==
		(offload->header_bytes - offload->checksum_start) / 4);
}

static void check_tap(const uint8_t *data, const struct packet_rules *rules)
{
	struct virtio_net_hdr tap;
	struct rf_net_offload offload;

	memcpy(&tap, data, sizeof(tap));
	if (!packet_from_tap(&tap, 1000, rules, &offload))
		return;
	require(offload.cut < RF_NET_CUTS && (!offload.cut || offload.segment_bytes));
	require(!(offload.flags & RF_NET_CHECKSUM) ||
		offload.checksum_start + offload.checksum_offset + 2 <= 1000);
}

static void check_words(const uint8_t *data, size_t size)
{
	char text[400];
	struct packet_rules rules;
	uint8_t address[PACKET_MAC];

	memcpy(text, data, size);
	text[size] = '\0';
	packet_parse_mac(text, address);
	if (packet_parse_addresses(text, &rules))
		require(rules.addresses <= PACKET_ADDRESSES_MAX);
}

/* Most of what the input leaves alone is right. */
static void make_right(struct rf_net_transmit_request *request, uint8_t *header, uint8_t how)
{
	if (how & 1)
		memcpy(header + PACKET_MAC, mac, PACKET_MAC);
	if (how & 2) {
		request->segments = 1;
		request->segment[0] = (struct rf_net_segment){ 0, request->bytes };
		request->reserved0 = 0;
		request->reserved1 = 0;
		request->offload.reserved = 0;
	}
	if (how & 4) {
		request->bytes = request->segment[0].bytes = 100 + (request->bytes & 0x3ff);
		request->offload.flags = RF_NET_CHECKSUM;
		request->offload.cut = 1 + (how >> 7);
		request->offload.checksum_offset = 16;
		request->offload.segment_bytes = 500;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packet_rules rules = { .mtu = 1500,
				      .checksum = 1,
				      .tcp4 = 1,
				      .tcp6 = 1,
				      .filter_mac = 1 };
	struct rf_net_transmit_request request;
	uint8_t header[RF_NET_HEADER_MAX] = { 0 };
	struct virtio_net_hdr tap;

	if (size < sizeof(request) + 1 || size >= 400)
		return 0;
	memcpy(rules.mac, mac, sizeof(mac));
	memcpy(&request, data + 1, sizeof(request));
	check_tap(data + 1, &rules);
	check_words(data + 1, size - 1);
	size -= sizeof(request) + 1;
	memcpy(header, data + sizeof(request) + 1, size < sizeof(header) ? size : sizeof(header));
	make_right(&request, header, data[0]);
	if (data[0] & 8)
		packet_parse_addresses("10.0.0.1 fe80::1", &rules);
	if (packet_check_request(&request, &rules, POOL))
		return 0;
	verify_request(&request, &rules);
	if (packet_check_headers(&request, header, &rules))
		return 0;
	require(memcmp(header + PACKET_MAC, mac, PACKET_MAC) == 0);
	verify_offload(&request, header);
	packet_to_tap(&request.offload, &tap);
	return 0;
}
