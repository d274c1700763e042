// SPDX-License-Identifier: BSD-2-Clause
/*
 * The rules of abi/io/net.h and docs/io.md for packets that go, each in one place. A packet that has passed can be sent
 * without another look: its pieces are within the pool, what the kernel is asked to sum up or cut is where it says, and
 * it comes from where this interface may send from.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "backends/net/packet.h"

#define TYPE_IP4     0x0800
#define TYPE_ARP     0x0806
#define TYPE_IP6     0x86dd
#define TYPE_VLAN    0x8100

#define ETHERNET     14
#define VLAN	     4
#define IP4	     20
#define IP6	     40
#define TCP	     20
#define ARP	     28

#define PROTO_TCP    6
#define PROTO_ICMP   58
#define ADVERTISE    136 /* of a neighbour, ICMPv6 */

#define CHECKSUM_TCP 16 /* where it is in the header */

/* Headers as far as they are there. */
struct packet_view {
	const uint8_t *byte;
	uint32_t bytes;
	uint32_t network; /* where the network header starts */
	uint16_t type;
};

static uint16_t packet_word(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* --- The request --- */

static uint32_t packet_longest(const struct rf_net_offload *offload,
			       const struct packet_rules *rules)
{
	return offload->cut ? RF_NET_BYTES_MAX : rules->mtu + ETHERNET + VLAN;
}

static bool packet_segments(const struct rf_net_transmit_request *request, uint32_t pool_bytes)
{
	uint64_t sum = 0;

	if (!request->segments || request->segments > RF_NET_SEGMENTS_MAX)
		return false;
	for (unsigned i = 0; i < request->segments; i++) {
		const struct rf_net_segment *segment = &request->segment[i];

		if (!segment->bytes || segment->offset >= pool_bytes ||
		    segment->bytes > pool_bytes - segment->offset)
			return false;
		sum += segment->bytes;
	}
	return sum == request->bytes;
}

/* Two bytes, which are within what is copied and checked. */
static bool packet_checksum(const struct rf_net_offload *offload, uint32_t bytes,
			    const struct packet_rules *rules)
{
	uint32_t limit = bytes < RF_NET_HEADER_MAX ? bytes : RF_NET_HEADER_MAX;

	if (!offload->flags)
		return !offload->checksum_start && !offload->checksum_offset;
	return offload->flags == RF_NET_CHECKSUM && rules->checksum &&
	       offload->checksum_start >= ETHERNET &&
	       (uint32_t)offload->checksum_start + offload->checksum_offset + 2 <= limit;
}

static bool packet_cut(const struct rf_net_offload *offload, uint32_t bytes,
		       const struct packet_rules *rules)
{
	if (offload->cut == RF_NET_WHOLE)
		return !offload->header_bytes && !offload->segment_bytes;
	if (!(offload->cut == RF_NET_TCP4 && rules->tcp4) &&
	    !(offload->cut == RF_NET_TCP6 && rules->tcp6))
		return false;
	/* Each piece costs the control domain as much as a packet. */
	if (offload->segment_bytes < RF_NET_SEGMENT_MIN ||
	    (uint32_t)offload->header_bytes + offload->segment_bytes > rules->mtu + ETHERNET + VLAN)
		return false;
	return offload->flags && offload->header_bytes <= RF_NET_HEADER_MAX &&
	       offload->header_bytes < bytes;
}

uint32_t packet_check_request(const struct rf_net_transmit_request *request,
			      const struct packet_rules *rules, uint32_t pool_bytes)
{
	const struct rf_net_offload *offload = &request->offload;

	if (request->reserved0 || request->reserved1 || offload->reserved)
		return RF_NET_INVALID;
	if (request->bytes < RF_NET_BYTES_MIN || request->bytes > packet_longest(offload, rules))
		return RF_NET_INVALID;
	if (!packet_segments(request, pool_bytes) ||
	    !packet_checksum(offload, request->bytes, rules) ||
	    !packet_cut(offload, request->bytes, rules))
		return RF_NET_INVALID;
	return RF_NET_OK;
}

bool packet_check_buffer(const struct rf_net_receive_request *request, uint32_t pool_bytes)
{
	return !request->reserved && request->bytes >= RF_NET_BUFFER_MIN &&
	       request->offset < pool_bytes && request->bytes <= pool_bytes - request->offset;
}

/* --- Headers --- */

/* At least 14 bytes are there. */
static struct packet_view packet_view(const uint8_t *header, uint32_t bytes)
{
	struct packet_view view = { header, bytes, ETHERNET, packet_word(header + 12) };

	if (view.type == TYPE_VLAN && bytes >= ETHERNET + VLAN) {
		view.type = packet_word(header + ETHERNET + 2);
		view.network += VLAN;
	}
	return view;
}

/* NULL: so many bytes from there on are not. */
static const uint8_t *packet_at(const struct packet_view *view, uint32_t start, uint32_t bytes)
{
	return start + bytes <= view->bytes ? view->byte + start : NULL;
}

/* Where the TCP header starts; zero: it is no TCP that could be cut. */
static uint32_t packet_tcp4(const struct packet_view *view)
{
	const uint8_t *ip = packet_at(view, view->network, IP4);
	uint32_t length;

	if (view->type != TYPE_IP4 || !ip)
		return 0;
	length = (ip[0] & 0xfU) * 4;
	/* No later piece, and no more to come. */
	if (ip[0] >> 4 != 4 || length < IP4 || ip[9] != PROTO_TCP || packet_word(ip + 6) & 0x3fff)
		return 0;
	return view->network + length;
}

static uint32_t packet_tcp6(const struct packet_view *view)
{
	const uint8_t *ip = packet_at(view, view->network, IP6);

	if (view->type != TYPE_IP6 || !ip || ip[0] >> 4 != 6 || ip[6] != PROTO_TCP)
		return 0;
	return view->network + IP6;
}

static bool packet_is_cut_right(const struct rf_net_offload *offload,
				const struct packet_view *view)
{
	uint32_t start = offload->cut == RF_NET_TCP4 ? packet_tcp4(view) : packet_tcp6(view);
	const uint8_t *tcp = packet_at(view, start, TCP);
	uint32_t length;

	if (!start || !tcp)
		return false;
	length = (uint32_t)(tcp[12] >> 4) * 4;
	return length >= TCP && offload->header_bytes == start + length &&
	       offload->checksum_start == start && offload->checksum_offset == CHECKSUM_TCP;
}

/* --- Where it comes from --- */

static bool packet_is_zero(const uint8_t *at, unsigned bytes)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < bytes; i++)
		sum |= at[i];
	return !sum;
}

static bool packet_may_be(const struct packet_rules *rules, unsigned version, const uint8_t *from)
{
	unsigned bytes = version == 4 ? 4 : 16;

	for (unsigned i = 0; i < rules->addresses; i++) {
		const struct packet_address *address = &rules->address[i];

		if (address->version == version &&
		    memcmp(address->byte + 16 - bytes, from, bytes) == 0)
			return true;
	}
	return false;
}

static bool packet_source4(const struct packet_view *view, const struct packet_rules *rules)
{
	const uint8_t *ip = packet_at(view, view->network, IP4);

	return ip && (packet_is_zero(ip + 12, 4) || packet_may_be(rules, 4, ip + 12));
}

/* A neighbour's advertisement claims the address in it. */
static bool packet_source6(const struct packet_view *view, const struct packet_rules *rules)
{
	const uint8_t *ip = packet_at(view, view->network, IP6);
	const uint8_t *claim = packet_at(view, view->network + IP6, 24);

	if (!ip || (!packet_is_zero(ip + 8, 16) && !packet_may_be(rules, 6, ip + 8)))
		return false;
	return ip[6] != PROTO_ICMP || !claim || claim[0] != ADVERTISE ||
	       packet_may_be(rules, 6, claim + 8);
}

static bool packet_source_arp(const struct packet_view *view, const struct packet_rules *rules)
{
	const uint8_t *arp = packet_at(view, view->network, ARP);

	return arp && (!rules->filter_mac || memcmp(arp + 8, rules->mac, PACKET_MAC) == 0) &&
	       (packet_is_zero(arp + 14, 4) || packet_may_be(rules, 4, arp + 14));
}

static bool packet_source(const struct packet_view *view, const struct packet_rules *rules)
{
	if (rules->filter_mac && memcmp(view->byte + PACKET_MAC, rules->mac, PACKET_MAC) != 0)
		return false;
	if (!rules->addresses)
		return true;
	if (view->type == TYPE_IP4)
		return packet_source4(view, rules);
	if (view->type == TYPE_IP6)
		return packet_source6(view, rules);
	return view->type == TYPE_ARP && packet_source_arp(view, rules);
}

uint32_t packet_check_headers(const struct rf_net_transmit_request *request, const uint8_t *header,
			      const struct packet_rules *rules)
{
	uint32_t bytes = request->bytes < RF_NET_HEADER_MAX ? request->bytes : RF_NET_HEADER_MAX;
	struct packet_view view = packet_view(header, bytes);

	if (request->offload.cut && !packet_is_cut_right(&request->offload, &view))
		return RF_NET_INVALID;
	return packet_source(&view, rules) ? RF_NET_OK : RF_NET_REFUSED;
}

/* --- The tap's header --- */

void packet_to_tap(const struct rf_net_offload *offload, struct virtio_net_hdr *header)
{
	static const uint8_t cuts[RF_NET_CUTS] = { VIRTIO_NET_HDR_GSO_NONE,
						   VIRTIO_NET_HDR_GSO_TCPV4,
						   VIRTIO_NET_HDR_GSO_TCPV6 };

	*header = (struct virtio_net_hdr){
		.flags = offload->flags & RF_NET_CHECKSUM ? VIRTIO_NET_HDR_F_NEEDS_CSUM : 0,
		.gso_type = cuts[offload->cut],
		.hdr_len = offload->header_bytes,
		.gso_size = offload->segment_bytes,
		.csum_start = offload->checksum_start,
		.csum_offset = offload->checksum_offset,
	};
}

static bool packet_cut_from_tap(const struct virtio_net_hdr *header,
				const struct packet_rules *accepts, struct rf_net_offload *offload)
{
	/* The mark for congestion needs nothing: who cuts copies it. */
	uint8_t kind = header->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;

	if (kind == VIRTIO_NET_HDR_GSO_NONE)
		return true;
	offload->cut = kind == VIRTIO_NET_HDR_GSO_TCPV4 ? RF_NET_TCP4 : RF_NET_TCP6;
	offload->segment_bytes = header->gso_size;
	if (!offload->segment_bytes || !offload->flags)
		return false;
	return (kind == VIRTIO_NET_HDR_GSO_TCPV4 && accepts->tcp4) ||
	       (kind == VIRTIO_NET_HDR_GSO_TCPV6 && accepts->tcp6);
}

bool packet_from_tap(const struct virtio_net_hdr *header, uint32_t bytes,
		     const struct packet_rules *accepts, struct rf_net_offload *offload)
{
	*offload = (struct rf_net_offload){ 0 };
	if (header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		offload->flags = RF_NET_CHECKSUM;
		offload->checksum_start = header->csum_start;
		offload->checksum_offset = header->csum_offset;
		if (!accepts->checksum ||
		    (uint32_t)header->csum_start + header->csum_offset + 2 > bytes)
			return false;
	} else if (header->flags & VIRTIO_NET_HDR_F_DATA_VALID) {
		offload->flags = RF_NET_CHECKED;
	}
	return packet_cut_from_tap(header, accepts, offload);
}

/* --- Words --- */

static bool packet_parse_address(const char *word, struct packet_address *address)
{
	*address = (struct packet_address){ 0 };
	address->version = 4;
	if (inet_pton(AF_INET, word, address->byte + 12) == 1)
		return true;
	address->version = 6;
	return inet_pton(AF_INET6, word, address->byte) == 1;
}

bool packet_parse_addresses(const char *text, struct packet_rules *rules)
{
	char word[INET6_ADDRSTRLEN];
	int used;

	rules->addresses = 0;
	while (sscanf(text, " %45s%n", word, &used) == 1) {
		if (rules->addresses == PACKET_ADDRESSES_MAX ||
		    !packet_parse_address(word, &rules->address[rules->addresses]))
			return false;
		rules->addresses++;
		text += used;
	}
	return true;
}

bool packet_parse_mac(const char *text, uint8_t *mac)
{
	int used = 0;

	if (strlen(text) != 17 || strspn(text, "0123456789abcdefABCDEF:") != 17 ||
	    sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2],
		   &mac[3], &mac[4], &mac[5], &used) != 6)
		return false;
	return used == 17 && !(mac[0] & 1) && !packet_is_zero(mac, PACKET_MAC);
}
