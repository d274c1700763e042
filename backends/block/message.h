/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_BLOCK_MESSAGE_H
#define BACKENDS_BLOCK_MESSAGE_H

/*
 * What the two processes of a disk say to each other, over a SOCK_SEQPACKET socket: the monitor, which knows the store
 * (device.c), and the worker, which has the image, the guest's rings and nothing else (disk.c). The monitor checks what
 * the worker says only so far that nothing breaks: a worker that a guest has taken over tells lies about its own disk.
 */
#include <stdint.h>

#include "abi/io/block.h"

enum message_kind {
	/* From the monitor. */
	MESSAGE_CONNECT, /* the front end's rings are there */
	MESSAGE_RELEASE, /* let go of them */
	MESSAGE_LIMITS,
	MESSAGE_RESIZE, /* look how large the image is */
	/* From the worker. */
	MESSAGE_READY,	   /* the image is open, this is what it is */
	MESSAGE_FAILED,	   /* it is not, the text says why; the worker ends */
	MESSAGE_CONNECTED, /* or text: why not */
	MESSAGE_BROKEN,	   /* text: what the front end did; it is let go of */
	MESSAGE_RELEASED,
	MESSAGE_PAUSED, /* text: why requests wait; empty: they do not any more */
	MESSAGE_STATISTICS,
	MESSAGE_KINDS,
};

#define MESSAGE_TEXT 256

struct message_queue {
	uint32_t port;
	uint32_t slots;
	uint32_t ring_grant;
	uint32_t pool_grant;
	uint32_t pool_frames; /* zero: no pool */
};

struct message_connect {
	uint32_t queues;
	struct message_queue queue[RF_BLOCK_QUEUES_MAX];
};

struct message_limits {
	uint64_t bytes;
	uint64_t bytes_burst;
	uint64_t operations;
	uint64_t operations_burst;
	uint32_t report_full; /* answer with an error when there is no space, instead of waiting */
	uint32_t reserved;
};

struct message_ready {
	uint64_t sectors;
	uint32_t sector_size;
	uint32_t physical_size;
	uint32_t discard_granularity;
	uint32_t read_only;
	uint32_t flush;
	uint32_t discard;
	uint32_t write_zeroes;
	uint32_t grants;
};

struct message_statistics {
	uint64_t requests[RF_BLOCK_OPERATIONS];
	uint64_t bytes[RF_BLOCK_OPERATIONS];
	uint64_t refused; /* that broke a rule */
	uint64_t errors;
	uint64_t events_in;
	uint64_t events_out;
	uint64_t under_way; /* now */
	uint64_t grant_maps;
};

struct message {
	uint32_t kind;
	uint32_t reserved;
	union {
		struct message_connect connect;
		struct message_limits limits;
		struct message_ready ready;
		struct message_statistics statistics;
		char text[MESSAGE_TEXT];
	};
};

#endif
