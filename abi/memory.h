/* SPDX-License-Identifier: MIT */
/*
 * Memory a domain gives back and takes again, within its limit: extents of guest frames. The control
 * domain does it for others, too.
 *
 * memory_populate and memory_release take an array of extents, perform them in order, and return
 * how many they did; if not even the first, its error. They stop at the first that fails, and after
 * RF_MEMORY_BATCH_FRAMES frames: then call again with the rest. What is released reads as absent at
 * once, for every vCPU; what is populated is zeroed.
 *
 * -EPERM   another domain than the control domain names somebody else
 * -ESRCH   there is no such domain, or it is being destroyed
 * -EINVAL  order is neither 0 nor 9, gfn is not aligned to it or not below the limit, reserved is
 *	    not zero
 * -E2BIG   more than RF_MEMORY_BATCH_MAX extents
 * -EFAULT  the array is not readable
 * -EEXIST  populate: a frame of the extent is there already
 * -ENOENT  release: a frame of the extent is not there
 * -ENOSPC  populate: the domain would own more than its limit
 * -ENOMEM  populate: the machine has no such frames left; release of one frame of a 2 MiB extent:
 *	    it has none to note the others with
 */
#ifndef RINGFENCE_ABI_MEMORY_H
#define RINGFENCE_ABI_MEMORY_H

#include <stdint.h>

#define RF_MEMORY_BATCH_MAX    512  /* extents a call */
#define RF_MEMORY_BATCH_FRAMES 2048 /* a call that has done so many stops */

struct rf_memory_extent {
	uint64_t gfn;	   /* first guest frame, aligned to its size */
	uint32_t order;	   /* 2^order frames: 0 or 9 */
	uint32_t reserved; /* must be zero */
};

_Static_assert(sizeof(struct rf_memory_extent) == 16, "rf_memory_extent layout");

#endif
