// SPDX-License-Identifier: BSD-2-Clause
/*
 * The rules of abi/io/block.h, each in one place. A request that has passed can be done without another look: it is
 * within the disk, its segments are within the pool or a grant's largest size, and add up to its sectors.
 */
#include "abi/grant.h"
#include "backends/block/request.h"

#define GRANT_BYTES (RF_GRANT_FRAMES * 4096U)

/* What may be set, by operation. */
static const uint8_t request_flags[RF_BLOCK_OPERATIONS] = {
	[RF_BLOCK_WRITE] = RF_BLOCK_FUA,
	[RF_BLOCK_WRITE_ZEROES] = RF_BLOCK_FUA | RF_BLOCK_KEEP,
};

bool request_has_data(const struct rf_block_request *request)
{
	return request->operation == RF_BLOCK_READ || request->operation == RF_BLOCK_WRITE;
}

bool request_in_pool(const struct rf_block_segment *segment, const struct request_pool *pool)
{
	return pool->bytes && segment->grant == pool->grant;
}

static bool request_supported(const struct rf_block_request *request,
			      const struct request_rules *rules)
{
	if (request->operation >= RF_BLOCK_OPERATIONS ||
	    request->flags & ~request_flags[request->operation])
		return false;
	if (request->operation == RF_BLOCK_DISCARD)
		return rules->discard;
	if (request->operation == RF_BLOCK_WRITE_ZEROES)
		return rules->write_zeroes && (rules->flush || !(request->flags & RF_BLOCK_FUA));
	if (request->operation == RF_BLOCK_FLUSH || request->flags & RF_BLOCK_FUA)
		return rules->flush;
	return true;
}

static bool request_reserved(const struct rf_block_request *request)
{
	return request->reserved0 || request->reserved1[0] || request->reserved1[1] ||
	       request->reserved1[2];
}

/* Within the disk, in whole sectors of the disk's size, and not too many. */
static bool request_range(const struct rf_block_request *request, const struct request_rules *rules)
{
	uint32_t unit = rules->sector_size / RF_BLOCK_SECTOR;
	uint32_t most = request_has_data(request) ? rules->bytes_max / RF_BLOCK_SECTOR
						  : rules->sectors_max;

	if (request->operation == RF_BLOCK_FLUSH)
		return !request->sector && !request->sectors;
	if (!request->sectors || request->sectors > most)
		return false;
	if (request->sector % unit || request->sectors % unit)
		return false;
	return request->sector < rules->sectors &&
	       request->sectors <= rules->sectors - request->sector;
}

static bool request_segment(const struct rf_block_segment *segment,
			    const struct request_rules *rules, const struct request_pool *pool)
{
	bool pooled = request_in_pool(segment, pool);
	uint32_t limit = pooled ? pool->bytes : GRANT_BYTES;

	if (!segment->bytes || segment->bytes % RF_BLOCK_SECTOR ||
	    segment->offset % RF_BLOCK_SECTOR)
		return false;
	if (segment->offset >= limit || segment->bytes > limit - segment->offset)
		return false;
	return pooled || rules->grants;
}

/* As many bytes as sectors; at most 8 segments of at most 4 MiB, so the sum is a number. */
static bool request_segments(const struct rf_block_request *request,
			     const struct request_rules *rules, const struct request_pool *pool)
{
	uint32_t bytes = 0;

	if (!request_has_data(request))
		return !request->segments;
	if (request->segments > RF_BLOCK_SEGMENTS_MAX)
		return false;
	for (unsigned i = 0; i < request->segments; i++) {
		if (!request_segment(&request->segment[i], rules, pool))
			return false;
		bytes += request->segment[i].bytes;
	}
	return bytes == request->sectors * RF_BLOCK_SECTOR;
}

uint32_t request_check(const struct rf_block_request *request, const struct request_rules *rules,
		       const struct request_pool *pool)
{
	if (!request_supported(request, rules))
		return RF_BLOCK_UNSUPPORTED;
	if (request_reserved(request) || !request_range(request, rules) ||
	    !request_segments(request, rules, pool))
		return RF_BLOCK_INVALID;
	if (rules->read_only && request->operation != RF_BLOCK_READ &&
	    request->operation != RF_BLOCK_FLUSH)
		return RF_BLOCK_READ_ONLY;
	return RF_BLOCK_OK;
}
