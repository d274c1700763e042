/* SPDX-License-Identifier: MIT */
/* Memory a domain gives back and takes again, within its limit: extents of guest frames. */
#ifndef RINGFENCE_ABI_MEMORY_H
#define RINGFENCE_ABI_MEMORY_H

#include <stdint.h>

#define RF_MEMORY_BATCH_MAX 512 /* extents a call */

struct rf_memory_extent {
	uint64_t gfn;	   /* first guest frame, aligned to its size */
	uint32_t order;	   /* 2^order frames: 0 or 9 */
	uint32_t reserved; /* must be zero */
};

_Static_assert(sizeof(struct rf_memory_extent) == 16, "rf_memory_extent layout");

#endif
