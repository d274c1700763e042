/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_NET_MESSAGE_H
#define BACKENDS_NET_MESSAGE_H

/* What monitor and worker of an interface say to each other beyond what all devices' do (backends/common/message.h). */
#include <assert.h>

#include "backends/common/message.h"
#include "backends/net/packet.h"

enum {
	/* From the monitor. */
	MESSAGE_SETTINGS = MESSAGE_OF_CLASS,
};

struct message_queue {
	uint32_t port;
	uint32_t transmit_slots;
	uint32_t receive_slots;
	uint32_t transmit_grant;
	uint32_t receive_grant;
	uint32_t pool_grant;
	uint32_t pool_frames;
};

struct message_connect {
	uint32_t queues;
	uint32_t checksum; /* what it accepts */
	uint32_t tcp4;
	uint32_t tcp6;
	struct message_queue queue[RF_NET_QUEUES_MAX];
};

struct message_settings {
	struct packet_rules rules;
	uint32_t link;
	uint64_t bytes;
	uint64_t bytes_burst;
	uint64_t packets;
	uint64_t packets_burst;
};

struct message_statistics {
	uint64_t sent;
	uint64_t sent_bytes;
	uint64_t received;
	uint64_t received_bytes;
	uint64_t lost;	    /* went, and the tap did not take it */
	uint64_t refused;   /* of an address that is not this interface's */
	uint64_t invalid;   /* requests that broke a rule */
	uint64_t no_buffer; /* came, and the guest had no buffer */
	uint64_t unfit;	    /* came, and are nothing that the front end accepts */
	uint64_t events_in;
	uint64_t events_out;
};

static_assert(sizeof(struct message_connect) <= MESSAGE_CONTENT, "too long");
static_assert(sizeof(struct message_settings) <= MESSAGE_CONTENT, "too long");
static_assert(sizeof(struct message_statistics) <= MESSAGE_CONTENT, "too long");

#endif
