// SPDX-License-Identifier: BSD-2-Clause
/*
 * Virtual vectors: posting from any CPU, giving by the vCPU's own.
 *
 * Interface: interrupt.h. Locks: none. A post sets the bit, then the work bit, then looks where
 * the vCPU is; a vCPU that blocks or enters the guest says so first and then looks at the bits.
 * Each with a full barrier between: one of the two sees the other.
 * Odd: only the CPU that a vCPU runs on writes its page, so that the page can be changed
 * without a lock; a post makes that CPU come by.
 */
#include "interrupt.h"

#include "arch.h"
#include "bitmap.h"
#include "cpu.h"
#include "domain.h"
#include "sched.h"
#include "vcpu.h"
#include "abi/errno.h"
#include "abi/time.h"

#define VECTORS	     256
#define FIRST_VECTOR 32 /* below are exceptions */

void interrupt_post(struct vcpu *v, uint8_t vector)
{
	bool patient = vector == RF_VECTOR_EVENT;
	enum sched_state state;

	bitmap_atomic_set(v->interrupt.vectors, vector);
	vcpu_set_work(v, VCPU_WORK_EVENT);
	state = __atomic_load_n(&v->sched.state, __ATOMIC_SEQ_CST);
	if (state == SCHED_BLOCKED || (state == SCHED_RUNNABLE && !patient))
		sched_wake(v, patient);
	if (state != SCHED_BLOCKED)
		sched_interrupt(v);
}

bool interrupt_pending(const struct vcpu *v)
{
	uint64_t any = 0;

	for (size_t i = 0; i < BITMAP_WORDS(VECTORS); i++)
		any |= __atomic_load_n(&v->interrupt.vectors[i], __ATOMIC_SEQ_CST);
	return any;
}

void interrupt_reset(struct vcpu *v)
{
	vcpu_clear_work(v, VCPU_WORK_EVENT);
	for (size_t i = 0; i < BITMAP_WORDS(VECTORS); i++)
		__atomic_store_n(&v->interrupt.vectors[i], 0, __ATOMIC_SEQ_CST);
}

/* Takes the highest; only the vCPU's own CPU does, so what is seen set stays set. */
static bool take_highest(struct vcpu *v, uint8_t *vector)
{
	for (size_t i = BITMAP_WORDS(VECTORS); i-- > 0;) {
		uint64_t word = __atomic_load_n(&v->interrupt.vectors[i], __ATOMIC_RELAXED);

		if (!word)
			continue;
		*vector = (uint8_t)(i * 64 + 63 - (size_t)__builtin_clzll(word));
		bitmap_atomic_clear(v->interrupt.vectors, *vector);
		return true;
	}
	return false;
}

static bool take_nmi(struct vcpu *v)
{
	const uint64_t bit = 1ULL << INTERRUPT_NMI;

	if (!(__atomic_load_n(&v->interrupt.vectors[0], __ATOMIC_RELAXED) & bit))
		return false;
	bitmap_atomic_clear(v->interrupt.vectors, INTERRUPT_NMI);
	return true;
}

bool interrupt_deliver(struct vcpu *v)
{
	uint8_t vector;
	bool waiting;

	/* First, so that a post from now on sets it again. */
	vcpu_clear_work(v, VCPU_WORK_EVENT);
	if (take_nmi(v) && !arch_deliver_vector(v, INTERRUPT_NMI))
		return false;
	/*
	 * A vector without a handler is dropped, one with a trap gate leaves interrupts on: go
	 * on.
	 */
	for (unsigned i = 0; i < VECTORS && arch_interrupts_enabled(v); i++) {
		if (!take_highest(v, &vector))
			break;
		if (vector == RF_VECTOR_TIMER)
			time_tick(v);
		if (!arch_deliver_vector(v, vector))
			return false;
	}
	waiting = interrupt_pending(v);
	if (waiting)
		vcpu_set_work(v, VCPU_WORK_EVENT);
	__atomic_store_n(&v->page->pending, waiting, __ATOMIC_RELAXED);
	return waiting;
}

int64_t do_irq_window(void)
{
	return 0;
}

int64_t do_send_ipi(uint64_t vector, uint64_t vcpu_mask)
{
	struct domain *d = vcpu_current()->domain;

	if (vector < FIRST_VECTOR || vector >= VECTORS)
		return -EINVAL;
	if (d->vcpu_count < 64 && vcpu_mask >> d->vcpu_count)
		return -EINVAL;
	for (; vcpu_mask; vcpu_mask &= vcpu_mask - 1) {
		struct vcpu *v = d->vcpus[__builtin_ctzll(vcpu_mask)];

		if (__atomic_load_n(&v->sched.state, __ATOMIC_RELAXED) != SCHED_DOWN)
			interrupt_post(v, (uint8_t)vector);
	}
	return 0;
}
