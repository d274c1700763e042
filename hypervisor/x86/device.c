// SPDX-License-Identifier: BSD-2-Clause
/*
 * The memory of devices that the hypervisor keeps for itself: interrupt controllers.
 *
 * Interface: device.h, arch_device_is_own() of arch.h. Locks: none, the list is written at boot,
 * before a domain runs.
 */
#include "device.h"

#include "arch.h"
#include "assert.h"

#define PAGE_SHIFT 12
#define KEPT_MAX   40 /* local controllers, 16 others at most, and what drivers of ours map */

struct kept {
	uint64_t first; /* frames */
	uint64_t end;
};

static struct kept kept[KEPT_MAX];
static uint32_t kept_count;

void device_keep(uint64_t physical, uint64_t size)
{
	BUG_ON(kept_count == KEPT_MAX || size == 0);
	kept[kept_count++] = (struct kept){
		.first = physical >> PAGE_SHIFT,
		.end = ((physical + size - 1) >> PAGE_SHIFT) + 1,
	};
}

bool arch_device_is_own(uint64_t mfn, uint64_t count)
{
	for (uint32_t i = 0; i < kept_count; i++)
		if (kept[i].first < mfn + count && mfn < kept[i].end)
			return true;
	return false;
}
