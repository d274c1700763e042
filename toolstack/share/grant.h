/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that other domains granted, shown to this program. */
#ifndef TOOLSTACK_SHARE_GRANT_H
#define TOOLSTACK_SHARE_GRANT_H

#include "toolstack/share/share.h"

#define GRANT_PAGE 4096UL

struct grant {
	void *memory;
	size_t size;
	uint32_t domain;
	uint64_t offset;
};

/* All the segments, one behind the other. 0, or a negative error. */
int grant_map(struct share *share, struct grant *grant, uint32_t domain,
	      const struct rf_control_segment *segments, uint32_t count, bool write);
/* The granter sees it at once, unless the kernel is still at work with a page of it. */
void grant_unmap(struct share *share, struct grant *grant);

#endif
