// SPDX-License-Identifier: GPL-2.0
/*
 * Mapping what other domains granted, in the control domain: see <asm/ringfence/grant_map.h>.
 *
 * There a guest frame number is a machine's, so what another domain grants has a struct page, and a place
 * in the direct map: as RAM that was reserved at boot, with one reference that is never given back. But short
 * pieces of RAM were left out of the start information, and what the hypervisor had for itself then was none: such
 * frames have an address for page tables, and nothing else.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include <asm/ringfence/grant_map.h>

#include "ringfence.h"

int rf_granted_init(struct rf_granted *granted, unsigned int room)
{
	*granted = (struct rf_granted){ .room = room, .direct = true };
	granted->pages = kvcalloc(room, sizeof(*granted->pages), GFP_KERNEL);
	granted->unmap = kvcalloc(room, sizeof(*granted->unmap), GFP_KERNEL);
	if (granted->pages && granted->unmap)
		return 0;
	kvfree(granted->pages);
	kvfree(granted->unmap);
	return -ENOMEM;
}

/* The room is there for as many mappings as frames. */
static void add_pages(struct rf_granted *granted, const struct rf_grant_map *map)
{
	u32 i;

	granted->unmap[granted->mappings++].handle = map->handle;
	for (i = 0; i < map->count; i++) {
		unsigned long frame = map->gfn + i;

		if (!pfn_valid(frame) || !pfn_range_is_mapped(frame, frame + 1))
			granted->direct = false;
		granted->pages[granted->frames++] = pfn_to_page(frame);
	}
}

int rf_granted_add(struct rf_granted *granted, u32 domain, u32 grant, u32 first, u32 count,
		   u32 flags)
{
	u32 end = first + count;

	if (count > granted->room - granted->frames || end < first)
		return -EINVAL;
	while (first < end) {
		struct rf_grant_map map = {
			.domain = domain,
			.grant	= grant,
			.first	= first,
			.count	= end - first,
			.flags	= flags,
		};
		long done = rf_call2(RF_HYPERCALL_grant_map, (unsigned long)&map, 1);

		if (done < 0)
			return done;
		add_pages(granted, &map);
		first += map.count;
	}
	return 0;
}

bool rf_granted_busy(const struct rf_granted *granted)
{
	unsigned int i;

	for (i = 0; granted->direct && i < granted->frames; i++)
		if (page_count(granted->pages[i]) > 1)
			return true;
	return false;
}

void rf_granted_end(struct rf_granted *granted)
{
	unsigned int at = 0;

	while (at < granted->mappings) {
		unsigned int count = min_t(unsigned int, granted->mappings - at, RF_GRANT_BATCH_MAX);
		long done = rf_call2(RF_HYPERCALL_grant_unmap,
				     (unsigned long)&granted->unmap[at], count);

		WARN_ONCE(done < 0, "Ringfence: a grant cannot be unmapped: %ld\n", done);
		at += done > 0 ? done : 1;
	}
	kvfree(granted->pages);
	kvfree(granted->unmap);
	*granted = (struct rf_granted){ };
}
