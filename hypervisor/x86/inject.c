// SPDX-License-Identifier: BSD-2-Clause
/*
 * Building the frame of an exception or vector on a guest kernel's stack.
 *
 * Interface: inject.h, and arch_deliver_vector() of arch.h. No locks: only the current vCPU is
 * touched, and where the domain's handlers are is read once.
 */
#include "inject.h"

#include "arch.h"
#include "domain.h"
#include "flags.h"
#include "guest_access.h"
#include "guest_access_cache.h"
#include "vcpu.h"
#include "vcpu_state.h"

#define VECTOR_DOUBLE_FAULT 8
#define VECTOR_PAGE_FAULT   14

/* Vectors whose frame has an error code: 8, 10-14, 17. */
#define ERROR_CODE_VECTORS  0x27d00U

/* As hardware pushes it, the last pushed first. */
struct trap_frame {
	uint64_t error;
	uint64_t rip;
	uint64_t cs;
	uint64_t rflags;
	uint64_t rsp;
	uint64_t ss;
};

/* What is given, and to whom. Constants where it matters, so that the compiler knows them. */
struct event {
	uint8_t vector;
	bool has_error;
	bool from_user;
	uint64_t error;
};

static inline uint32_t interrupt_flag(const struct vcpu *v, bool from_user)
{
	if (from_user)
		return RF_INTERRUPT_FLAG;
	return __atomic_load_n(&v->page->interrupt_flag, __ATOMIC_RELAXED) & RF_INTERRUPT_FLAG;
}

static inline uint64_t stack_pointer(const struct vcpu *v, bool from_user)
{
	return from_user ? __atomic_load_n(&v->page->kernel_sp, __ATOMIC_RELAXED)
			 : v->arch.registers.rsp;
}

/* The selectors of guest-kernel mode are virtual: it really runs on those of user mode. */
static inline void frame_write(const struct vcpu *v, bool from_user, uint32_t flag,
			       struct trap_frame *frame)
{
	const struct registers *r = &v->arch.registers;

	frame->rip = r->rip;
	frame->cs = from_user ? r->cs : RF_KERNEL_CS;
	frame->rflags = (r->rflags & ~(uint64_t)FLAGS_INTERRUPT) | flag;
	frame->rsp = r->rsp;
	frame->ss = from_user ? r->ss : RF_KERNEL_SS;
}

static inline void start_handler(struct vcpu *v, const struct domain_trap *trap, uint64_t rip,
				 uint64_t sp, const struct event *event, uint32_t flag)
{
	struct registers *r = &v->arch.registers;

	if (event->from_user)
		vcpu_enter_kernel(v);
	if (!(trap->flags & RF_TRAP_KEEP_INTERRUPTS))
		flag = 0;
	__atomic_store_n(&v->page->interrupt_flag, flag, __ATOMIC_RELAXED);
	r->rip = rip;
	r->cs = RF_USER_CS;
	r->rflags = (r->rflags & ~(uint64_t)FLAGS_HANDLER_CLEAR) | FLAGS_FORCED;
	r->rsp = sp;
	r->ss = RF_USER_SS;
}

/* --- Where the quick way does not lead ---------------------------------------------------------- */

/* Returns the stack pointer below the frame, or 0. */
static uint64_t push(const struct vcpu *v, uint64_t sp, const struct event *event, uint32_t flag)
{
	struct trap_frame frame = { .error = event->error };
	const void *from = event->has_error ? &frame.error : &frame.rip;
	size_t size = sizeof(frame) - (event->has_error ? 0 : sizeof(frame.error));

	frame_write(v, event->from_user, flag, &frame);
	sp = (sp & ~15ULL) - size;
	return copy_to_guest(sp, from, size) ? 0 : sp;
}

/* The frame of a vector could not be pushed: a double fault, once, on a stack of its own. */
static bool double_fault(struct vcpu *v, const struct event *first, uint32_t flag)
{
	const struct event event = { VECTOR_DOUBLE_FAULT, true, first->from_user, 0 };
	const struct domain_trap *trap = &v->domain->traps[VECTOR_DOUBLE_FAULT];
	uint64_t rip = __atomic_load_n(&trap->rip, __ATOMIC_RELAXED);
	uint64_t sp = __atomic_load_n(&v->page->fault_sp, __ATOMIC_RELAXED);

	if (first->vector != VECTOR_DOUBLE_FAULT && rip && sp)
		sp = push(v, sp, &event, flag);
	else
		sp = 0;
	if (!sp) {
		(void)!domain_crash(v->domain,
				    "vCPU %u: no stack for vector %u at rip %#lx, rsp %#lx", v->id,
				    first->vector, v->arch.registers.rip, v->arch.registers.rsp);
		return false;
	}
	start_handler(v, trap, rip, sp, &event, flag);
	return true;
}

static __attribute__((noinline)) bool inject_slow(struct vcpu *v, uint8_t vector, bool has_error,
						  uint64_t error)
{
	const struct event event = { vector, has_error, v->arch.user_mode, error };
	const struct domain_trap *trap = &v->domain->traps[vector];
	uint64_t rip = __atomic_load_n(&trap->rip, __ATOMIC_RELAXED);
	uint32_t flag = interrupt_flag(v, event.from_user);
	uint64_t sp;

	if (!rip) {
		(void)!domain_crash(v->domain,
				    "vCPU %u: no handler for exception %u at rip %#lx, error %#lx, "
				    "address %#lx",
				    v->id, vector, v->arch.registers.rip, error, v->page->cr2);
		return false;
	}
	sp = push(v, stack_pointer(v, event.from_user), &event, flag);
	if (!sp)
		return double_fault(v, &event, flag);
	start_handler(v, trap, rip, sp, &event, flag);
	return true;
}

/* --- The quick way ------------------------------------------------------------------------------ */

static inline __attribute__((always_inline)) bool inject(struct vcpu *v, const struct event event)
{
	const struct domain_trap *trap = &v->domain->traps[event.vector];
	uint64_t rip = __atomic_load_n(&trap->rip, __ATOMIC_RELAXED);
	uint32_t flag = interrupt_flag(v, event.from_user);
	uint64_t top = stack_pointer(v, event.from_user) & ~15ULL;
	struct trap_frame *frame = guest_access_cached(v, top - sizeof(*frame), sizeof(*frame));

	if (!frame || !rip)
		return inject_slow(v, event.vector, event.has_error, event.error);
	if (event.has_error)
		frame->error = event.error;
	frame_write(v, event.from_user, flag, frame);
	top -= sizeof(*frame) - (event.has_error ? 0 : sizeof(frame->error));
	start_handler(v, trap, rip, top, &event, flag);
	return true;
}

bool inject_page_fault(struct vcpu *v, uint64_t error)
{
	if (v->arch.user_mode)
		return inject(v, (struct event){ VECTOR_PAGE_FAULT, true, true, error });
	return inject(v, (struct event){ VECTOR_PAGE_FAULT, true, false, error });
}

bool inject_exception(struct vcpu *v, uint8_t vector, uint64_t error)
{
	bool has_error = vector < 32 && (ERROR_CODE_VECTORS >> vector & 1);

	return inject(v, (struct event){ vector, has_error, v->arch.user_mode, error });
}

bool inject_vector(struct vcpu *v, uint8_t vector)
{
	if (!__atomic_load_n(&v->domain->traps[vector].rip, __ATOMIC_RELAXED))
		return true;
	v->counters.vectors++;
	return inject(v, (struct event){ vector, false, v->arch.user_mode, 0 });
}

bool inject_software(struct vcpu *v, uint8_t vector)
{
	return inject(v, (struct event){ vector, false, v->arch.user_mode, 0 });
}

bool arch_deliver_vector(struct vcpu *v, uint8_t vector)
{
	return inject_vector(v, vector);
}
