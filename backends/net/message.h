/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_NET_MESSAGE_H
#define BACKENDS_NET_MESSAGE_H

/*
 * What the two processes of an interface say to each other, over a SOCK_SEQPACKET socket: the monitor, which knows the
 * store (device.c), and the worker, which has the tap, the guest's rings and nothing else (interface.c). The monitor
 * checks what the worker says only so far that nothing breaks: a worker that a guest has taken over tells lies about
 * its own interface.
 */
#include <stdint.h>

#include "backends/net/packet.h"

enum message_kind {
	/* From the monitor. */
	MESSAGE_CONNECT, /* the front end's rings are there */
	MESSAGE_RELEASE, /* let go of them */
	MESSAGE_SETTINGS,
	/* From the worker. */
	MESSAGE_READY,	   /* the tap is open */
	MESSAGE_FAILED,	   /* it is not, the text says why; the worker ends */
	MESSAGE_CONNECTED, /* or text: why not */
	MESSAGE_BROKEN,	   /* text: what the front end did; it is let go of */
	MESSAGE_RELEASED,
	MESSAGE_STATISTICS,
	MESSAGE_KINDS,
};

#define MESSAGE_TEXT 256

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

struct message {
	uint32_t kind;
	uint32_t reserved;
	union {
		struct message_connect connect;
		struct message_settings settings;
		struct message_statistics statistics;
		char text[MESSAGE_TEXT];
	};
};

#endif
