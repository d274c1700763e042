// SPDX-License-Identifier: BSD-2-Clause
/*
 * Waiting until no CPU uses what was unlinked.
 *
 * Interface: quiesce.h. Locks: none, and none may be held.
 * Odd: whoever enters the hypervisor does not order that store before its loads, as that would cost
 * every entry. So in_guest may still read 1 for a CPU that has just come in and read an old entry.
 * Instead of trusting it, we interrupt such a CPU and wait until it has left the hypervisor once.
 * CPUs that wait here, or for an audit, count as having left: two that wait do not wait for each
 * other.
 */
#include "quiesce.h"

#include "audit.h"
#include "bitmap.h"
#include "cpu.h"

void quiesce_here(void)
{
	struct cpu *me = this_cpu();

	__atomic_store_n(&me->exits, me->exits + 1, __ATOMIC_RELEASE);
	/* Nothing that is read from here on may have been read before. */
	arch_memory_barrier();
	arch_cpu_relax();
}

static bool has_left(const struct cpu *cpu, uint64_t exits)
{
	return __atomic_load_n(&cpu->exits, __ATOMIC_ACQUIRE) != exits ||
	       __atomic_load_n(&cpu->idle, __ATOMIC_ACQUIRE);
}

static void wait_for(const struct cpu *cpu)
{
	uint64_t exits = __atomic_load_n(&cpu->exits, __ATOMIC_ACQUIRE);
	bool interrupted = false;

	while (!has_left(cpu, exits)) {
		if (!interrupted && __atomic_load_n(&cpu->in_guest, __ATOMIC_ACQUIRE)) {
			arch_cpu_interrupt(cpu);
			interrupted = true;
		}
		quiesce_here();
	}
}

void quiesce_wait_cpus(const uint64_t *mask)
{
	uint64_t others;
	size_t id;

	arch_memory_barrier();
	others = __atomic_load_n(mask, __ATOMIC_RELAXED) & ~bitmap_mask(this_cpu()->id);
	bitmap_for_each(id, &others, cpu_count)
		if (cpus[id].online)
			wait_for(&cpus[id]);
}

void quiesce_wait(void)
{
	const uint64_t all = ~0ULL;

	quiesce_wait_cpus(&all);
}

void quiesce_idle_begin(void)
{
	__atomic_store_n(&this_cpu()->idle, true, __ATOMIC_RELEASE);
}

void quiesce_idle_end(void)
{
	__atomic_store_n(&this_cpu()->idle, false, __ATOMIC_RELAXED);
	arch_memory_barrier();
	audit_hold();
}
