// SPDX-License-Identifier: BSD-2-Clause
/*
 * Time from the vCPU page; see abi/vcpu.h for the formula. No locks: the page is versioned by the
 * hypervisor.
 */
#include "clock.h"

#include "test.h"

uint64_t clock_convert(const struct rf_time_info *time, uint64_t tsc)
{
	uint64_t delta = tsc - time->tsc_timestamp;

	delta = time->shift >= 0 ? delta << time->shift : delta >> -time->shift;
	return time->system_time + (uint64_t)(((unsigned __int128)delta * time->multiplier) >> 32);
}

uint64_t clock_ns(void)
{
	volatile struct rf_time_info *time = &this_page()->time;
	struct rf_time_info copy;
	uint32_t version;
	uint64_t tsc;

	do {
		version = time->version;
		barrier();
		memcpy(&copy, (const void *)time, sizeof(copy));
		tsc = read_tsc();
		barrier();
	} while ((version & 1) || version != time->version);
	return clock_convert(&copy, tsc);
}

void clock_sleep(uint64_t ns)
{
	uint64_t end = clock_ns() + ns;

	while (clock_ns() < end)
		hv_yield();
}

void clock_spin(uint64_t ns)
{
	uint64_t end = clock_ns() + ns;

	while (clock_ns() < end)
		asm volatile("pause");
}
