/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ticket locks: fair, so that a guest which hammers one from many CPUs cannot starve another.
 *
 * The hypervisor runs with interrupts off and never sleeps, so a lock needs no interrupt state.
 * The order in which locks nest is in locks.h.
 */
#ifndef HYPERVISOR_SPINLOCK_H
#define HYPERVISOR_SPINLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "arch.h"

struct spinlock {
	uint16_t next;
	uint16_t owner;
};

#define SPINLOCK_INIT                                                                              \
	{                                                                                          \
		0, 0                                                                               \
	}

static inline void spin_lock(struct spinlock *lock)
{
	uint16_t ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

	while (__atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE) != ticket)
		arch_cpu_relax();
	arch_lock_taken(lock);
}

static inline void spin_unlock(struct spinlock *lock)
{
	arch_lock_given(lock);
	__atomic_store_n(&lock->owner, lock->owner + 1, __ATOMIC_RELEASE);
}

/* Only for assertions: somebody holds it. */
static inline bool spin_is_locked(const struct spinlock *lock)
{
	return __atomic_load_n(&lock->owner, __ATOMIC_RELAXED) !=
	       __atomic_load_n(&lock->next, __ATOMIC_RELAXED);
}

#endif
