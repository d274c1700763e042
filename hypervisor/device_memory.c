// SPDX-License-Identifier: BSD-2-Clause
/*
 * Who may map what is no RAM: the control domain, all but the pages of devices that are the
 * hypervisor's own.
 *
 * Interface: device_memory.h. Locks: none. What is RAM was found at boot, and stays it: such a
 * frame is FRAME_INVALID and nothing else as long as the machine runs, so nothing has to be taken
 * back, and leaves of device memory are counted nowhere.
 * Odd: it is asked only where shadows are filled and compared. Everything else, page tables and
 * arguments of hypercalls, asks for memory the domain owns, and no device is anybody's.
 */
#include "device_memory.h"

#include "arch.h"
#include "domain.h"
#include "frame.h"

static bool is_ram(uint64_t mfn)
{
	return mfn < frame_limit && frame_of(index_clamp(mfn, frame_limit))->state != FRAME_INVALID;
}

bool device_memory_allowed(const struct domain *d, uint64_t gfn, uint64_t count)
{
	if (!d->control || arch_device_is_own(gfn, count))
		return false;
	for (uint64_t mfn = gfn; mfn < gfn + count && mfn < frame_limit; mfn++)
		if (is_ram(mfn))
			return false;
	return true;
}
