/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_BLOCK_MESSAGE_H
#define BACKENDS_BLOCK_MESSAGE_H

/* What monitor and worker of a disk say to each other beyond what all devices' do (backends/common/message.h). */
#include <assert.h>

#include "abi/io/block.h"
#include "backends/common/message.h"

enum {
	/* From the monitor. */
	MESSAGE_LIMITS = MESSAGE_OF_CLASS,
	MESSAGE_RESIZE, /* look how large the image is; MESSAGE_READY tells */
	/* From the worker. */
	MESSAGE_PAUSED, /* text: why requests wait; empty: they do not any more */
};

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

static_assert(sizeof(struct message_connect) <= MESSAGE_CONTENT, "too long");
static_assert(sizeof(struct message_limits) <= MESSAGE_CONTENT, "too long");
static_assert(sizeof(struct message_ready) <= MESSAGE_CONTENT, "too long");
static_assert(sizeof(struct message_statistics) <= MESSAGE_CONTENT, "too long");

#endif
