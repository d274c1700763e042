// SPDX-License-Identifier: BSD-2-Clause
/*
 * Finds processors that are stuck in the hypervisor.
 *
 * Interface: watchdog.h. Locks: none; each processor writes its own heartbeat and its own notes
 * about its neighbour. On every processor a timer goes off four times within the option's time,
 * notes the time as the heartbeat, and looks whether the next processor's heartbeat has
 * changed. As long as any processor runs, one of them has a stuck neighbour and will find it.
 * The stuck one is sent an NMI and panics with its own registers. A single processor has nobody
 * to watch it, nor is one watched before it starts: the first makes the domains until then, which
 * takes as long as their memory is large. Odd: time is measured in the watcher's own timer
 * interrupts, not in nanoseconds: when the host of a virtual machine stops all of it for a minute,
 * nobody has missed anything.
 */
#include "watchdog.h"

#include <stdbool.h>

#include "arch.h"
#include "command_line.h"
#include "cpu.h"
#include "panic.h"
#include "timer.h"

#define NS_PER_SECOND 1000000000ULL
#define CHECKS	      4
/* So many checks after the NMI was sent, the stuck processor has not even answered that. */
#define NMI_CHECKS    2
#define NOBODY	      UINT32_MAX

struct watch {
	struct timer timer;
	uint64_t seen;	 /* the neighbour's heartbeat */
	uint32_t missed; /* checks since it changed */
};

static struct watch watches[CONFIG_MAX_CPUS];
static uint32_t stuck = NOBODY;

static void look_at(struct watch *watch, const struct cpu *next)
{
	uint64_t beat = __atomic_load_n(&next->heartbeat_ns, __ATOMIC_RELAXED);

	if (!beat || beat != watch->seen) {
		watch->seen = beat;
		watch->missed = 0;
		return;
	}
	watch->missed++;
	if (watch->missed == CHECKS + 1) {
		__atomic_store_n(&stuck, next->id, __ATOMIC_SEQ_CST);
		arch_cpu_nmi(next);
	} else if (watch->missed > CHECKS + 1 + NMI_CHECKS) {
		panic("processor %u is stuck, and does not take an NMI", next->id);
	}
}

#if CONFIG_DEBUG
/* The option debug-hang: for a test of all this. */
static void maybe_hang(const struct cpu *cpu)
{
	while (command_line.debug_hang == cpu->id)
		arch_cpu_relax();
}
#else
static void maybe_hang(const struct cpu *cpu)
{
	(void)cpu;
}
#endif

static void check(struct timer *timer)
{
	struct cpu *cpu = this_cpu();
	uint32_t next = (cpu->id + 1) % cpu_count;

	cpu->heartbeat_ns = arch_time_ns();
	timer_start(timer, cpu->heartbeat_ns + command_line.watchdog * NS_PER_SECOND / CHECKS);
	if (next != cpu->id)
		look_at(&watches[cpu->id], &cpus[next]);
	maybe_hang(cpu);
}

void watchdog_start_cpu(void)
{
	struct cpu *cpu = this_cpu();

	if (command_line.watchdog == 0)
		return;
	timer_init(&watches[cpu->id].timer, check);
	cpu->heartbeat_ns = arch_time_ns();
	timer_start(&watches[cpu->id].timer,
		    cpu->heartbeat_ns + command_line.watchdog * NS_PER_SECOND / CHECKS);
}

void watchdog_nmi(const struct registers *registers)
{
	uint32_t me = this_cpu()->id;

	if (__atomic_load_n(&stuck, __ATOMIC_SEQ_CST) == me)
		panic_with_registers(registers,
				     "processor %u is stuck: no timer interrupt for %lu seconds",
				     me, command_line.watchdog);
}
