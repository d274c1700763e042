/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_BLOCK_REQUEST_H
#define BACKENDS_BLOCK_REQUEST_H

/*
 * What a disk's request says, and whether it may. The request is a copy already; nothing here looks at shared memory or
 * has an effect.
 */
#include <stdbool.h>
#include <stdint.h>

#include "abi/io/block.h"

/* What this disk is, and what its front end was told. */
struct request_rules {
	uint64_t sectors;
	uint32_t sector_size;
	uint32_t bytes_max;
	uint32_t sectors_max; /* of operations without data */
	bool read_only;
	bool flush;
	bool discard;
	bool write_zeroes;
	bool grants; /* of single requests */
};

/* Of a queue: what is mapped all the time. */
struct request_pool {
	uint32_t grant;
	uint32_t bytes; /* zero: there is none */
};

/* RF_BLOCK_OK: it may be done as it is. Otherwise what to answer. */
uint32_t request_check(const struct rf_block_request *request, const struct request_rules *rules,
		       const struct request_pool *pool);
bool request_has_data(const struct rf_block_request *request);
/* False: it is of a grant of its own. */
bool request_in_pool(const struct rf_block_segment *segment, const struct request_pool *pool);

#endif
