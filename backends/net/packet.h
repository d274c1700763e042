/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_NET_PACKET_H
#define BACKENDS_NET_PACKET_H

/*
 * What a packet says, and whether it may go. Requests and headers are copies already; nothing here looks at shared
 * memory or has an effect.
 */
#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/io/net.h"

#define PACKET_MAC	     6
#define PACKET_ADDRESSES_MAX 16

/* IPv4 addresses are in the last four bytes, the rest is zero. */
struct packet_address {
	uint8_t version; /* 4 or 6 */
	uint8_t byte[16];
};

/* What this interface may do, and its front end was told. */
struct packet_rules {
	uint32_t mtu;
	uint8_t checksum; /* features */
	uint8_t tcp4;
	uint8_t tcp6;
	uint8_t filter_mac;
	uint8_t mac[PACKET_MAC];
	uint16_t addresses; /* zero: any */
	struct packet_address address[PACKET_ADDRESSES_MAX];
};

/* The request alone: RF_NET_OK, or what to answer. */
uint32_t packet_check_request(const struct rf_net_transmit_request *request,
			      const struct packet_rules *rules, uint32_t pool_bytes);
/* Its first bytes, min(request->bytes, RF_NET_HEADER_MAX), after the request was checked. */
uint32_t packet_check_headers(const struct rf_net_transmit_request *request, const uint8_t *header,
			      const struct packet_rules *rules);
/* A buffer may be used for a packet that comes. */
bool packet_check_buffer(const struct rf_net_receive_request *request, uint32_t pool_bytes);

/* What the tap is told of a packet that was checked. */
void packet_to_tap(const struct rf_net_offload *offload, struct virtio_net_hdr *header);
/* False: what the tap says is nothing that this front end takes (`rules` of what it accepts), or knows. */
bool packet_from_tap(const struct virtio_net_hdr *header, uint32_t bytes,
		     const struct packet_rules *accepts, struct rf_net_offload *offload);

/* Of words with blanks between. False: one is no address, or there are too many. */
bool packet_parse_addresses(const char *text, struct packet_rules *rules);
/* xx:xx:xx:xx:xx:xx, an address of one interface. */
bool packet_parse_mac(const char *text, uint8_t *mac);

#endif
