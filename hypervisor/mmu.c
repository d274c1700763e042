// SPDX-License-Identifier: BSD-2-Clause
/*
 * mmu_batch: the page-table operations of abi/mmu.h. Each is copied in once, checked completely,
 * then performed by shadow.c, which cannot fail on it.
 *
 * The result is the number of operations done. Fewer than asked for means: call again with the
 * rest, because something else has to happen first, or because the next one is wrong; then it is
 * the first of that call, and its error the result.
 *
 * Locks: none here. Bound: one operation is bounded by shadow.c's budgets, and between two of them
 * waiting work is looked for.
 */
#include "mmu.h"

#include <stdbool.h>

#include "domain.h"
#include "guest_access.h"
#include "guest_access_cache.h"
#include "memory.h"
#include "shadow.h"
#include "vcpu.h"
#include "walk.h"
#include "abi/errno.h"
#include "abi/mmu.h"

/* Interrupts are off, so timers that are due do not show as work: a long batch ends by itself. */
#define BATCH_NS    500000
#define BATCH_LOOKS 4 /* operations between two looks at the clock */

static bool operation_takes_root(uint32_t operation)
{
	return operation != RF_MMU_FLUSH_KERNEL && operation != RF_MMU_FLUSH_ALL;
}

static bool operation_takes_range(uint32_t operation)
{
	return operation == RF_MMU_FLUSH_RANGE || operation == RF_MMU_FLUSH_KERNEL ||
	       operation == RF_MMU_PREFILL;
}

static bool root_is_valid(const struct domain *d, uint64_t root)
{
	return !(root & (FRAME_SIZE - 1)) && memory_lookup(d, root >> FRAME_SHIFT) != FRAME_NONE;
}

/*
 * Page aligned, not empty, within one half; the kernel half may end at the end of the address
 * space: zero.
 */
static bool range_is_valid(const struct rf_mmu_op *op)
{
	if ((op->start | op->end) & (FRAME_SIZE - 1))
		return false;
	if (op->operation == RF_MMU_FLUSH_KERNEL)
		return op->start >= HYPERVISOR_END && op->end - 1 >= op->start;
	return op->start < op->end && op->end <= USER_HALF_END;
}

static int operation_check(const struct domain *d, const struct rf_mmu_op *op)
{
	if (op->operation >= RF_MMU_OPERATIONS || op->reserved)
		return -EINVAL;
	if (operation_takes_root(op->operation) ? !root_is_valid(d, op->root) : op->root != 0)
		return -EINVAL;
	if (operation_takes_range(op->operation) ? !range_is_valid(op) : (op->start | op->end) != 0)
		return -EINVAL;
	return 0;
}

static int operation_perform(struct vcpu *v, const struct rf_mmu_op *op)
{
	struct domain *d = v->domain;
	uint64_t gfn = op->root >> FRAME_SHIFT;

	switch (op->operation) {
	case RF_MMU_LOAD_ROOT:
		shadow_load_root(v, gfn);
		return 0;
	case RF_MMU_FLUSH_RANGE:
		shadow_flush_range(d, gfn, op->start, op->end);
		return 0;
	case RF_MMU_FLUSH_KERNEL:
		shadow_flush_kernel(d, op->start, op->end - 1);
		return 0;
	case RF_MMU_FLUSH_ALL:
		shadow_flush_all(d);
		v->counters.flushes++;
		return 0;
	case RF_MMU_PREFILL:
		shadow_prefill(d, gfn, op->start, op->end);
		return 0;
	case RF_MMU_DROP_USER:
		shadow_drop_user(d, gfn);
		return 0;
	case RF_MMU_DESTROY_ROOT:
		return shadow_destroy_root(d, gfn);
	default: /* RF_MMU_SET_KERNEL_ROOT: operation_check let nothing else through */
		shadow_set_kernel_root(d, gfn);
		return 0;
	}
}

/* A vector that cannot be given now waits for the end of the batch, too. */
static bool work_is_urgent(const struct vcpu *v)
{
	uint32_t work = __atomic_load_n(&v->work, __ATOMIC_RELAXED);

	if (work & VCPU_WORK_SCHEDULE)
		return true;
	return (work & VCPU_WORK_EVENT) && arch_interrupts_enabled(v);
}

/* Between two operations; most batches are so short that the clock is not asked. */
static bool batch_must_stop(const struct vcpu *v, uint64_t done, uint64_t *since)
{
	uint64_t now;

	if (work_is_urgent(v))
		return true;
	if (done % BATCH_LOOKS)
		return false;
	now = arch_time_ns();
	if (*since == 0)
		*since = now;
	return now - *since >= BATCH_NS;
}

/* Once, whatever the guest does to it meanwhile: the fence keeps the compiler from reading again. */
static inline bool operation_read(struct vcpu *v, uint64_t address, struct rf_mmu_op *op)
{
	const struct rf_mmu_op *quick = guest_access_cached_read(v, address, sizeof(*op));

	if (!quick)
		return copy_from_guest(op, address, sizeof(*op)) == 0;
	*op = *quick;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return true;
}

int64_t do_mmu_batch(uint64_t operations, uint64_t count)
{
	struct vcpu *v = vcpu_current();
	struct rf_mmu_op op;
	uint64_t since = 0;

	if (count > RF_MMU_BATCH_MAX)
		return -E2BIG;
	for (uint64_t done = 0; done < count; done++) {
		int error = -EFAULT;

		if (done && batch_must_stop(v, done, &since))
			return done;
		if (operation_read(v, operations + done * sizeof(op), &op))
			error = operation_check(v->domain, &op);
		if (!error)
			error = operation_perform(v, &op);
		if (error)
			return done ? (int64_t)done : error;
	}
	return count;
}
