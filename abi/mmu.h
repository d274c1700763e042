/* SPDX-License-Identifier: MIT */
/*
 * Page tables: a guest's tables are its own memory, in the format of the hardware, holding
 * guest frame numbers. The hypervisor fills its shadow from them as a TLB would. Making an
 * entry present, or looser, needs no notice; making one tighter needs a flush that names the
 * level-4 table and the range; after it no vCPU uses an older translation.
 *
 * Addresses 0xffff800000000000-0xffff87ffffffffff and the last page below 0x0000800000000000
 * cannot be mapped.
 *
 * mmu_batch(operations, count) performs them in order and returns how many it did: fewer when
 * something else has to happen first, or when the next one is wrong; then call again with the
 * rest. If not even the first was done, its error:
 *
 * -EFAULT  it is not readable
 * -EINVAL  an unknown operation, a root or range that is not as below, or something in a field
 *	    that must be zero
 * -EBUSY   RF_MMU_DESTROY_ROOT: a CPU has it loaded
 * -E2BIG   more than RF_MMU_BATCH_MAX operations, none of which is looked at
 */
#ifndef RINGFENCE_ABI_MMU_H
#define RINGFENCE_ABI_MMU_H

#include <stdint.h>

enum rf_mmu_operation {
	RF_MMU_LOAD_ROOT = 0,	 /* root: this vCPU runs on it from now on; not a flush */
	RF_MMU_FLUSH_RANGE = 1,	 /* root, start, end: in the user half of root */
	RF_MMU_FLUSH_KERNEL = 2, /* start, end: in the kernel half, which all roots share */
	RF_MMU_FLUSH_ALL = 3,	 /* every translation of the domain */
	RF_MMU_PREFILL = 4, /* root, start, end: what is present and accessed can be used; a hint */
	RF_MMU_DROP_USER = 5,	    /* root: forget its user half */
	RF_MMU_DESTROY_ROOT = 6,    /* root: forget it; no vCPU that runs may have it loaded */
	RF_MMU_SET_KERNEL_ROOT = 7, /* root: from now on the kernel half is walked from here */
	RF_MMU_OPERATIONS
};

#define RF_MMU_BATCH_MAX 1024

struct rf_mmu_op {
	uint32_t operation; /* enum rf_mmu_operation */
	uint32_t reserved;  /* must be zero */
	uint64_t root; /* guest-physical address of a level-4 table; zero where the operation takes none */
	uint64_t start; /* first byte, page aligned; zero where the operation takes no range */
	uint64_t end; /* first byte after, page aligned; zero: the end of the kernel half, or no range */
};

_Static_assert(sizeof(struct rf_mmu_op) == 32, "rf_mmu_op layout");

#endif
