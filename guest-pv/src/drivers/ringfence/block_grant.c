// SPDX-License-Identifier: GPL-2.0
/*
 * The front end of disks: requests whose own frames the back end gets (docs/io.md), instead of a copy in the pool. Only
 * whole frames are granted, since the rest of a frame is somebody else's; and only in so many pieces as a request has
 * segments. What is written to the disk is granted to be read only.
 *
 * A request ends when nobody else can get at its frames any more: not granted, and not in use. Until then it
 * waits, answered or not, and whoever owns the frames keeps them.
 *
 * Requests of at least direct_bytes are done so. A disk has at most direct_grants of them at once: others need some
 * of the table, too, and a back end can map so many only. Without one the request's data go through the pool.
 */
#include <linux/atomic.h>
#include <linux/blk-mq.h>
#include <linux/moduleparam.h>

#include <asm/ringfence/grant.h>

#include "block.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "ringfence_block."

static unsigned int direct_bytes;
module_param(direct_bytes, uint, 0644);
MODULE_PARM_DESC(direct_bytes, "Grant the frames of requests of so many bytes or more (0: of none)");

/* The rings and pools of 16 queues are 32 of the 256 that a file of the control device can map. */
static unsigned int direct_grants = 192;
module_param(direct_grants, uint, 0644);
MODULE_PARM_DESC(direct_grants, "Grants that requests of a disk have at once, at most");

static bool is_wanted(const struct block_disk *disk, const struct request *rq)
{
	unsigned int least = READ_ONCE(direct_bytes);

	return least && disk->limits.grants && blk_rq_bytes(rq) >= least;
}

static bool follows(const struct rf_grant_range *range, phys_addr_t address)
{
	return range->address + PFN_PHYS(range->frames) == address;
}

/* How many; 0: they are too many, or begin or end within a frame. */
static unsigned int find_ranges(struct request *rq, struct rf_grant_range *ranges)
{
	struct req_iterator iterator;
	unsigned int count = 0;
	struct bio_vec vector;

	rq_for_each_bvec(vector, rq, iterator) {
		phys_addr_t address = page_to_phys(vector.bv_page) + vector.bv_offset;
		unsigned int frames = vector.bv_len >> PAGE_SHIFT;

		if (!PAGE_ALIGNED(address) || !PAGE_ALIGNED(vector.bv_len))
			return 0;
		if (count && follows(&ranges[count - 1], address))
			ranges[count - 1].frames += frames;
		else if (count < RF_BLOCK_SEGMENTS_MAX)
			ranges[count++] = (struct rf_grant_range){ address, frames };
		else
			return 0;
	}
	return count;
}

static bool take_share(struct block_disk *disk, unsigned int count)
{
	if (atomic_add_return(count, &disk->granted) <= READ_ONCE(direct_grants))
		return true;
	atomic_sub(count, &disk->granted);
	return false;
}

static bool grant_ranges(struct block_disk *disk, struct request *rq,
			 const struct rf_grant_range *ranges, unsigned int count)
{
	struct block_command *command = blk_mq_rq_to_pdu(rq);
	int numbers[RF_BLOCK_SEGMENTS_MAX];
	unsigned int i;

	if (!take_share(disk, count))
		return false;
	if (rf_grant_several(disk->device->backend_domain, ranges, count,
			     req_op(rq) == REQ_OP_READ, numbers)) {
		atomic_sub(count, &disk->granted);
		return false;
	}
	for (i = 0; i < count; i++)
		command->grants[i] = (struct block_grant){ numbers[i],
							   ranges[i].frames << PAGE_SHIFT };
	command->grant_count = count;
	return true;
}

bool block_grant_request(struct block_disk *disk, struct request *rq)
{
	struct rf_grant_range ranges[RF_BLOCK_SEGMENTS_MAX];
	unsigned int count;

	if (!is_wanted(disk, rq))
		return false;
	count = find_ranges(rq, ranges);
	return count && grant_ranges(disk, rq, ranges, count);
}

bool block_grant_take_back(struct block_disk *disk, struct block_command *command)
{
	unsigned int i;
	bool all = true;

	for (i = 0; i < command->grant_count; i++) {
		struct block_grant *grant = &command->grants[i];

		if (grant->number >= 0 && rf_grant_revoke(grant->number)) {
			grant->number = -ENOENT;
			atomic_dec(&disk->granted);
		}
		all &= grant->number < 0;
	}
	if (all)
		command->grant_count = 0;
	return all;
}
