// SPDX-License-Identifier: BSD-2-Clause
/*
 * From the number of a hypercall to its function.
 *
 * Interface: hypercall.h. No locks. Everything is made from abi/hypercalls.def: a call that is not
 * there cannot be reached, and one that is there must exist.
 */
#include "hypercall.h"

#include "abi/errno.h"
#include "abi/hypercall.h"
#include "abi/version.h"
#include "arch_hypercall.h"
#include "audit.h"
#include "console.h"
#include "console_read.h"
#include "counters.h"
#include "cpu.h"
#include "device_interrupt.h"
#include "domain.h"
#include "domain_control.h"
#include "domain_copy.h"
#include "event.h"
#include "grant.h"
#include "grant_map.h"
#include "interrupt.h"
#include "memory.h"
#include "mmu.h"
#include "time.h"
#include "trap.h"
#include "vcpu.h"

_Static_assert(RF_HYPERCALLS <= RF_HYPERCALL_SLOTS, "every hypercall is counted");

int64_t do_version(void)
{
	return RF_ABI_VERSION;
}

#define CALL_0(name) do_##name()
#define CALL_1(name) do_##name(a0)
#define CALL_2(name) do_##name(a0, a1)
#define CALL_3(name) do_##name(a0, a1, a2)
#define CALL_4(name) do_##name(a0, a1, a2, a3)
#define CALL_5(name) do_##name(a0, a1, a2, a3, a4)
#define CALL_6(name) do_##name(a0, a1, a2, a3, a4, a5)

#define MAY_ANY	     true
#define MAY_CONTROL  v->domain->control

/* Counted where it is known to be a good number: the compiler sees a constant index. */
#define HYPERCALL(number, name, arguments, who)                                                    \
	case number:                                                                               \
		v->counters.hypercalls[number]++;                                                  \
		return MAY_##who ? CALL_##arguments(name) : -EPERM;

int64_t hypercall_dispatch(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
			   uint64_t a5, uint64_t number)
{
	struct vcpu *v = this_cpu()->current;

	/* Arguments that no call takes yet. */
	(void)a4;
	(void)a5;
	switch (number) {
#include "abi/hypercalls.def"
	}
	return -ENOSYS;
}

#undef HYPERCALL
#define HYPERCALL(number, name, arguments, who) [number] = #name,

const char *hypercall_name(uint64_t number)
{
	static const char *const names[] = {
#include "abi/hypercalls.def"
	};

	return number < RF_HYPERCALLS ? names[number] : "?";
}
