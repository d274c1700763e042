/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SYSTEM_NET_FRONT_H
#define SYSTEM_NET_FRONT_H

/*
 * A front end of a network as a program of the same machine (face.h), and what is behind its tap: a socket to which all
 * packets come that go, and from which packets come.
 */
#include <stdbool.h>
#include <stdint.h>

#include "abi/io/net.h"
#include "backends/common/ring.h"
#include "tests/system/face/face.h"

#define FRONT_SLOTS	  32
#define FRONT_POOL_FRAMES 64
#define FRONT_TRANSMIT	  1 /* the grants */
#define FRONT_RECEIVE	  2
#define FRONT_POOL	  3
#define FRONT_DATA                                                                                 \
	(32 * 4096U) /* where packets that go are in the pool; before are buffers, a frame each */
#define FRONT_PACKET_MAX (FRONT_POOL_FRAMES * 4096U - FRONT_DATA)

struct front {
	struct face face;
	struct ring transmit;
	struct ring receive;
	int outside; /* the socket */
	struct rf_net_transmit_response sent;
	struct rf_net_receive_response came;
	uint64_t answered; /* how many packets and */
	uint64_t arrived;  /* how many buffers were; the last of each is above */
};

/* False: said why on stderr. */
bool front_open(struct front *front, const char *tap, char **store_domain_id_socket);
uint8_t *front_data(struct front *front);
/* One packet, until it is answered: its status. */
uint32_t front_send(struct front *front, const struct rf_net_transmit_request *request);
/* A buffer, for which an answer comes at some time. */
void front_give(struct front *front, const struct rf_net_receive_request *request);
/* A packet of so many bytes from outside, of a kind that nobody else sends. False: the tap has no room. */
bool front_arrive(struct front *front, uint32_t bytes);
/* The next such packet that came out of the tap, its bytes; -1: none is there. */
int front_departed(struct front *front, uint8_t *packet, uint32_t bytes);

#endif
