// SPDX-License-Identifier: BSD-2-Clause
/*
 * Other domains' memory. Interface: grant.h. Locks: none.
 */
#include "toolstack/share/grant.h"

#include <errno.h>

#include "abi/grant.h"

static void give_back(struct share *share, const struct grant *grant)
{
	struct rf_control_grant_unmap c = { .domain = grant->domain, .offset = grant->offset };

	share->call(share, RF_CONTROL_GRANT_UNMAP, &c);
}

int grant_map(struct share *share, struct grant *grant, uint32_t domain,
	      const struct rf_control_segment *segments, uint32_t count, bool write)
{
	struct rf_control_grant_map c = {
		.domain = domain,
		.count = count,
		.segments = (uint64_t)(uintptr_t)segments,
		.flags = write ? RF_GRANT_MAP_WRITE : 0,
	};
	int64_t error = share->call(share, RF_CONTROL_GRANT_MAP, &c);

	if (error < 0)
		return (int)error;
	*grant = (struct grant){ .domain = domain, .offset = c.offset };
	for (uint32_t i = 0; i < count; i++)
		grant->size += segments[i].count * GRANT_PAGE;
	grant->memory = share->show(share, c.offset, grant->size, write);
	error = grant->memory ? 0 : -errno;
	if (error)
		give_back(share, grant);
	return (int)error;
}

void grant_unmap(struct share *share, struct grant *grant)
{
	share->hide(share, grant->memory, grant->size);
	give_back(share, grant);
	*grant = (struct grant){ .size = 0 };
}
