// SPDX-License-Identifier: BSD-2-Clause
/*
 * Making other CPUs forget translations of guest addresses.
 *
 * Interface: tlb.h. Locks: none; the caller may hold any, as no CPU takes one on the way from guest
 * code to tlb_enter_hypervisor().
 * Odd: in_guest and flush_request are a store and a load on either side, each with a full barrier
 * between them: either we see that the CPU is in guest code, and interrupt it, or it sees our
 * request, and flushes before it goes there. It clears the request before it flushes, so that none
 * that comes meanwhile is lost.
 */
#include "tlb.h"

#include "audit.h"
#include "bitmap.h"
#include "cpu.h"
#include "vcpu.h"

void tlb_enter_hypervisor(void)
{
	__atomic_store_n(&this_cpu()->in_guest, 0, __ATOMIC_RELAXED);
}

void tlb_leave_hypervisor(void)
{
	struct cpu *me = this_cpu();

	audit_hold();
	__atomic_store_n(&me->exits, me->exits + 1, __ATOMIC_RELEASE);
	__atomic_store_n(&me->in_guest, 1, __ATOMIC_RELAXED);
	arch_memory_barrier();
	if (!__atomic_load_n(&me->flush_request, __ATOMIC_RELAXED))
		return;
	__atomic_store_n(&me->flush_request, 0, __ATOMIC_SEQ_CST);
	arch_tlb_flush_local();
}

/* How many CPUs were interrupted. */
static uint32_t request_all(uint64_t others)
{
	uint32_t interrupted = 0;
	size_t id;

	bitmap_for_each(id, &others, cpu_count)
		__atomic_store_n(&cpus[id].flush_request, 1, __ATOMIC_RELAXED);
	arch_memory_barrier();
	bitmap_for_each(id, &others, cpu_count) {
		if (!__atomic_load_n(&cpus[id].in_guest, __ATOMIC_ACQUIRE))
			continue;
		arch_cpu_interrupt(&cpus[id]);
		interrupted++;
	}
	return interrupted;
}

static void wait_all(uint64_t others)
{
	size_t id;

	bitmap_for_each(id, &others, cpu_count)
		while (__atomic_load_n(&cpus[id].flush_request, __ATOMIC_ACQUIRE) &&
		       __atomic_load_n(&cpus[id].in_guest, __ATOMIC_ACQUIRE))
			arch_cpu_relax();
}

void tlb_shootdown(uint64_t cpu_mask)
{
	struct cpu *me = this_cpu();
	uint64_t others = cpu_mask & ~bitmap_mask(me->id);
	uint32_t interrupted;

	if (cpu_mask != others)
		arch_tlb_flush_local();
	if (!others)
		return;
	interrupted = request_all(others);
	if (interrupted)
		wait_all(others);
	if (me->current)
		me->current->counters.shootdowns += interrupted;
}
