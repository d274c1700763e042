// SPDX-License-Identifier: BSD-2-Clause
/*
 * The vCPU: its life, its page, and the way out to it.
 *
 * Interface: vcpu.h, abi/vcpu.h.
 * Locks: the domain's, around what brings a vCPU up, takes it down or changes one that is down.
 * Its page is changed and written by the CPU it runs on, or while it is down.
 */
#include "vcpu.h"

#include "cpu.h"
#include "domain.h"
#include "frame.h"
#include "index.h"
#include "memory.h"
#include "pte.h"
#include "tlb.h"
#include "abi/errno.h"

void vcpu_set_work(struct vcpu *v, uint32_t bits)
{
	__atomic_fetch_or(&v->work, bits, __ATOMIC_SEQ_CST);
}

void vcpu_clear_work(struct vcpu *v, uint32_t bits)
{
	__atomic_fetch_and(&v->work, ~bits, __ATOMIC_SEQ_CST);
}

struct vcpu *vcpu_current(void)
{
	return this_cpu()->current;
}

/* --- Making and unmaking ----------------------------------------------------------------- */

static void free_memory(struct vcpu *v)
{
	if (v->spare_page)
		frame_free_pointer(v->spare_page, sizeof(*v->spare_page));
	frame_free_pointer(v, sizeof(*v));
}

struct vcpu *vcpu_create(struct domain *d, uint32_t id)
{
	struct vcpu *v = frame_alloc_pointer(sizeof(*v));

	if (!v)
		return NULL;
	v->spare_page = frame_alloc_pointer(sizeof(*v->spare_page));
	v->id = id;
	v->domain = d;
	v->page = v->spare_page;
	v->page_mfn = FRAME_NONE;
	v->root_gfn = FRAME_NONE;
	sched_init_vcpu(v);
	time_init_vcpu(v);
	if (!v->spare_page || arch_vcpu_create(v)) {
		free_memory(v);
		return NULL;
	}
	return v;
}

static void change_page(struct vcpu *v, struct rf_vcpu_page *page, uint64_t mfn)
{
	uint64_t old = v->page_mfn;

	v->page = page;
	v->page_mfn = mfn;
	if (old != FRAME_NONE)
		frame_put(old);
}

void vcpu_stop(struct vcpu *v)
{
	time_stop_vcpu(v);
	sched_stop_vcpu(v);
}

void vcpu_destroy(struct vcpu *v)
{
	change_page(v, v->spare_page, FRAME_NONE);
	arch_vcpu_destroy(v);
	free_memory(v);
}

/* --- State ------------------------------------------------------------------------------- */

static bool is_code_address(uint64_t address)
{
	return address_is_canonical(address) && !address_is_hypervisor(address);
}

static int set_page(struct vcpu *v, uint64_t gfn)
{
	uint64_t mfn = memory_hold(v->domain, gfn);

	if (mfn == FRAME_NONE)
		return -EINVAL;
	change_page(v, arch_frame_pointer(mfn), mfn);
	return 0;
}

int vcpu_set_context(struct vcpu *v, const struct rf_vcpu_context *context)
{
	if (!is_code_address(context->rip) || !address_is_canonical(context->kernel_gs))
		return -EINVAL;
	if (context->root & (FRAME_SIZE - 1) ||
	    memory_lookup(v->domain, context->root >> FRAME_SHIFT) == FRAME_NONE)
		return -EINVAL;
	if (context->page == FRAME_NONE)
		change_page(v, v->spare_page, FRAME_NONE);
	else if (set_page(v, context->page))
		return -EINVAL;
	v->root = NULL;
	v->root_gfn = context->root >> FRAME_SHIFT;
	v->fault_address = 0;
	vcpu_clear_work(v, VCPU_WORK_FILL);
	interrupt_reset(v);
	arch_vcpu_reset(v, context);
	v->initialized = true;
	return 0;
}

/* --- The way out ------------------------------------------------------------------------- */

#define ROUNDS_MAX 8

/* True: vectors wait that cannot be given now, and the page says so. */
static bool do_work(struct vcpu *v, uint32_t work)
{
	bool waiting = false;

	if (work & VCPU_WORK_EVENT)
		waiting = interrupt_deliver(v);
	if ((work & VCPU_WORK_FILL) && arch_vcpu_in_user_mode(v))
		shadow_before_user(v);
	return waiting;
}

/*
 * Vectors may be posted as fast as they are given, and be given without end where handlers leave
 * the flag set. So after some rounds interrupts go first, among them one that brings us back here.
 */
void vcpu_prepare_exit(void)
{
	struct cpu *cpu = this_cpu();

	for (unsigned round = 1;; round++) {
		uint32_t work;
		bool waiting;

		if (!cpu->current || __atomic_load_n(&cpu->need_schedule, __ATOMIC_RELAXED) ||
		    __atomic_load_n(&cpu->current->work, __ATOMIC_RELAXED) & VCPU_WORK_SCHEDULE)
			sched_switch();
		work = __atomic_load_n(&cpu->current->work, __ATOMIC_RELAXED);
		waiting = work && do_work(cpu->current, work);

		/*
		 * Who posts something from here on sees that we are in the guest, and
		 * interrupts.
		 */
		tlb_leave_hypervisor();
		work = __atomic_load_n(&cpu->current->work, __ATOMIC_RELAXED);
		if (waiting)
			work &= ~VCPU_WORK_EVENT;
		if (!(work & (VCPU_WORK_EVENT | VCPU_WORK_SCHEDULE)))
			return;
		if (round >= ROUNDS_MAX && !(work & VCPU_WORK_SCHEDULE)) {
			arch_cpu_interrupt(cpu);
			return;
		}
		tlb_enter_hypervisor();
	}
}

/* --- Hypercalls -------------------------------------------------------------------------- */

static struct vcpu *find(uint64_t id)
{
	const struct domain *d = vcpu_current()->domain;

	return id < d->vcpu_count ? d->vcpus[index_clamp(id, d->vcpu_count)] : NULL;
}

static enum sched_state state_of(const struct vcpu *v)
{
	return __atomic_load_n(&v->sched.state, __ATOMIC_ACQUIRE);
}

static bool is_down(const struct vcpu *v)
{
	return state_of(v) == SCHED_DOWN && sched_is_off_cpu(v);
}

int64_t do_vcpu_register_page(uint64_t gfn)
{
	struct vcpu *v = vcpu_current();
	int error = set_page(v, gfn);

	if (error)
		return error;
	__atomic_store_n(&v->page->pending, interrupt_pending(v), __ATOMIC_RELAXED);
	time_update_page(v);
	return 0;
}

int64_t do_vcpu_init(uint64_t id, uint64_t context)
{
	struct rf_vcpu_context copy;
	struct vcpu *v = find(id);
	int error = -EBUSY;

	if (!v)
		return -ENOENT;
	if (copy_from_guest(&copy, context, sizeof(copy)))
		return -EFAULT;
	if (copy.page == FRAME_NONE)
		return -EINVAL;
	spin_lock(&v->domain->lock);
	if (is_down(v))
		error = vcpu_set_context(v, &copy);
	spin_unlock(&v->domain->lock);
	return error;
}

int64_t do_vcpu_up(uint64_t id)
{
	struct vcpu *v = find(id);
	int error = 0;

	if (!v)
		return -ENOENT;
	spin_lock(&v->domain->lock);
	if (!is_down(v))
		error = -EBUSY;
	else if (!v->initialized)
		error = -EINVAL;
	else
		sched_up(v);
	spin_unlock(&v->domain->lock);
	return error;
}

static bool is_last_up(const struct vcpu *v)
{
	const struct domain *d = v->domain;

	for (uint32_t i = 0; i < d->vcpu_count; i++)
		if (d->vcpus[i] != v && state_of(d->vcpus[i]) != SCHED_DOWN)
			return false;
	return true;
}

int64_t do_vcpu_down(void)
{
	struct vcpu *v = vcpu_current();
	int error = -EBUSY;

	spin_lock(&v->domain->lock);
	if (!is_last_up(v)) {
		time_stop_vcpu(v);
		sched_down();
		error = 0;
	}
	spin_unlock(&v->domain->lock);
	return error;
}

uint32_t vcpu_status(const struct vcpu *v)
{
	static const uint8_t status[] = {
		[SCHED_DOWN] = RF_VCPU_DOWN,
		[SCHED_BLOCKED] = RF_VCPU_BLOCKED,
		[SCHED_RUNNABLE] = RF_VCPU_RUNNABLE,
		[SCHED_RUNNING] = RF_VCPU_RUNNING,
	};
	enum sched_state state = state_of(v);

	if (state == SCHED_DOWN && !sched_is_off_cpu(v))
		return RF_VCPU_RUNNING;
	return status[state];
}

int64_t do_vcpu_status(uint64_t id)
{
	const struct vcpu *v = find(id);

	return v ? (int64_t)vcpu_status(v) : -ENOENT;
}

int64_t do_block(void)
{
	struct vcpu *v = vcpu_current();

	__atomic_store_n(&v->page->interrupt_flag, RF_INTERRUPT_FLAG, __ATOMIC_RELAXED);
	time_stop_poll(v);
	sched_block();
	return 0;
}

int64_t do_yield(void)
{
	sched_pass();
	return 0;
}

int64_t do_kick(uint64_t id)
{
	struct vcpu *v = find(id);

	if (!v)
		return -ENOENT;
	sched_kick(v);
	return 0;
}
