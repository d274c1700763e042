/* SPDX-License-Identifier: MIT */
/*
 * Networks: what is in the slots of the rings (ring.h) of class "net". The keys of the store that go with it, and the
 * order of things, are in docs/io.md.
 *
 * A queue is two rings, one for each direction, with one port and one pool for both. Two rings, since a request has a
 * slot until it is answered: buffers that wait for packets to come would else take the slots of those that go, and a
 * front end that gives no buffers could not send. A pool is a grant of contiguous frames; all packets go through it, so
 * there is no grant operation for a packet, ever.
 *
 * Transmitting (from the guest): a request is one packet, an Ethernet frame in up to RF_NET_SEGMENTS_MAX pieces of the
 * pool. When it is answered the pieces may be used again. The back end copies the headers once, checks the copy and
 * sends that; of what comes after them nothing is believed, so it may change under way and hurts nobody but its sender.
 *
 * Receiving (by the guest): a request is an empty buffer in the pool. A packet fills one or more, in the order in
 * which they were asked for, each but the last completely; each is one response, the first one describes the
 * packet, and all of them are published at once. The front end copies a packet out of the pool before it looks into it.
 *
 * Packets may be lost, as in every network: when there is no buffer, by limits, and when one of the sides dies. None is
 * ever sent again by these two: what has to arrive is repeated by those who talk (TCP).
 */
#ifndef RINGFENCE_ABI_IO_NET_H
#define RINGFENCE_ABI_IO_NET_H

#include <stdint.h>

#include "ring.h"

#define RF_NET_VERSION	    1	  /* key `version` */
#define RF_NET_QUEUES_MAX   8	  /* of an interface */
#define RF_NET_SEGMENTS_MAX 5	  /* of a packet that goes */
#define RF_NET_BUFFERS_MAX  33	  /* of a packet that comes */
#define RF_NET_BUFFER_MIN   2048  /* bytes, all but the last of a packet */
#define RF_NET_BYTES_MIN    14	  /* of a packet: the Ethernet header */
#define RF_NET_BYTES_MAX    65553 /* the largest IP packet, with Ethernet header and VLAN tag */
#define RF_NET_HEADER_MAX                                                                          \
	256 /* all headers of a packet to be cut into segments; where a checksum is */
#define RF_NET_SEGMENT_MIN 48	/* bytes of data in each piece of a packet that goes and is cut */
#define RF_NET_POOL_MAX	   1024 /* frames of a queue's pool */
#define RF_NET_MTU_MIN	   68
#define RF_NET_MTU_MAX	   65535

/* Flags of rf_net_offload. */
#define RF_NET_CHECKSUM                                                                            \
	0x1 /* the checksum is of the pseudo header only: the receiver completes or ignores it */
#define RF_NET_CHECKED 0x2 /* of packets that come: the checksum was found right */

/* How a packet that is larger than the MTU is to be cut; with RF_NET_CHECKSUM always. */
#define RF_NET_WHOLE   0
#define RF_NET_TCP4    1 /* feature-tcp4 */
#define RF_NET_TCP6    2 /* feature-tcp6 */
#define RF_NET_CUTS    3

/* What is left to be done with a packet. Fields that a flag or a cut does not need are zero. */
struct rf_net_offload {
	uint8_t flags;
	uint8_t cut;
	uint16_t header_bytes; /* with a cut, of packets that go: Ethernet, IP, TCP; at most RF_NET_HEADER_MAX */
	uint16_t segment_bytes; /* with a cut: of data in each piece; RF_NET_SEGMENT_MIN to MTU */
	uint16_t checksum_start; /* from the start of the packet: what is summed up from there to its end */
	uint16_t checksum_offset; /* from there: two bytes within the packet and RF_NET_HEADER_MAX */
	uint16_t reserved;	  /* zero, as all that is reserved */
};

struct rf_net_segment {
	uint32_t offset; /* in the pool */
	uint32_t bytes;	 /* not zero; the sum is that of the packet */
};

struct rf_net_transmit_request {
	uint32_t id; /* any; comes back in the response */
	uint32_t bytes;
	struct rf_net_offload offload;
	uint8_t segments; /* 1 to RF_NET_SEGMENTS_MAX */
	uint8_t reserved0;
	uint16_t reserved1;
	struct rf_net_segment segment[RF_NET_SEGMENTS_MAX];
};

/* What became of a packet, or of a buffer. */
#define RF_NET_OK      0
#define RF_NET_DROPPED 1 /* it was right, and is lost */
#define RF_NET_REFUSED 2 /* from an address that this interface may not use */
#define RF_NET_INVALID 3 /* the request breaks a rule */

struct rf_net_transmit_response {
	uint32_t id;
	uint32_t status;
};

struct rf_net_receive_request {
	uint32_t id;
	uint32_t offset; /* in the pool */
	uint32_t bytes;	 /* at least RF_NET_BUFFER_MIN */
	uint32_t reserved;
};

struct rf_net_receive_response {
	uint32_t id;
	uint32_t bytes;		       /* in this buffer */
	struct rf_net_offload offload; /* of the first buffer */
	uint8_t buffers; /* of the first: how many the packet has, itself too; 0: this is one of the further ones */
	uint8_t status; /* RF_NET_OK, or RF_NET_INVALID: the buffer is given back, with buffers 1 and bytes 0 */
	uint16_t reserved;
};

_Static_assert(sizeof(struct rf_net_offload) == 12, "rf_net_offload layout");
_Static_assert(sizeof(struct rf_net_segment) == 8, "rf_net_segment layout");
_Static_assert(sizeof(struct rf_net_transmit_request) == RF_RING_LINE,
	       "rf_net_transmit_request layout");
_Static_assert(__builtin_offsetof(struct rf_net_transmit_request, segment) == 24,
	       "rf_net_transmit_request layout");
_Static_assert(sizeof(struct rf_net_transmit_response) == 8, "rf_net_transmit_response layout");
_Static_assert(sizeof(struct rf_net_receive_request) == 16, "rf_net_receive_request layout");
_Static_assert(sizeof(struct rf_net_receive_response) == 24, "rf_net_receive_response layout");
_Static_assert(__builtin_offsetof(struct rf_net_receive_response, buffers) == 20,
	       "rf_net_receive_response layout");
_Static_assert(RF_NET_BUFFERS_MAX *RF_NET_BUFFER_MIN >= RF_NET_BYTES_MAX,
	       "the largest packet fits into the smallest buffers");

#endif
