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
#include "vcpu.h"
#include "vcpu_state.h"

#define VECTOR_DOUBLE_FAULT 8

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

static uint32_t interrupt_flag(const struct vcpu *v)
{
	if (v->arch.user_mode)
		return RF_INTERRUPT_FLAG;
	return __atomic_load_n(&v->page->interrupt_flag, __ATOMIC_RELAXED) & RF_INTERRUPT_FLAG;
}

/* The selectors of guest-kernel mode are virtual: it really runs on those of user mode. */
static void frame_build(const struct vcpu *v, uint32_t flag, uint64_t error, struct trap_frame *frame)
{
	const struct registers *r = &v->arch.registers;

	frame->error = error;
	frame->rip = r->rip;
	frame->cs = v->arch.user_mode ? r->cs : RF_KERNEL_CS;
	frame->rflags = (r->rflags & ~(uint64_t)FLAGS_INTERRUPT) | flag;
	frame->rsp = r->rsp;
	frame->ss = v->arch.user_mode ? r->ss : RF_KERNEL_SS;
}

/* Returns the stack pointer below the frame, or 0. */
static uint64_t frame_push(uint64_t sp, const struct trap_frame *frame, bool has_error)
{
	const void *from = has_error ? &frame->error : &frame->rip;
	size_t size = sizeof(*frame) - (has_error ? 0 : sizeof(frame->error));

	sp = (sp & ~15ULL) - size;
	return copy_to_guest(sp, from, size) ? 0 : sp;
}

static void start_handler(struct vcpu *v, const struct domain_trap *trap, uint64_t sp, uint64_t rip,
			  uint32_t flag)
{
	struct registers *r = &v->arch.registers;

	if (v->arch.user_mode)
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

/* The frame of `vector` could not be pushed: a double fault, once, on a stack of its own. */
static bool double_fault(struct vcpu *v, uint8_t vector, const struct trap_frame *frame, uint32_t flag)
{
	const struct domain_trap *trap = &v->domain->traps[VECTOR_DOUBLE_FAULT];
	uint64_t rip = __atomic_load_n(&trap->rip, __ATOMIC_RELAXED);
	uint64_t sp = __atomic_load_n(&v->page->fault_sp, __ATOMIC_RELAXED);
	struct trap_frame again = *frame;

	again.error = 0;
	if (vector != VECTOR_DOUBLE_FAULT && rip && sp)
		sp = frame_push(sp, &again, true);
	else
		sp = 0;
	if (!sp) {
		(void)!domain_crash(v->domain,
				    "vCPU %u: no stack for vector %u at rip %#lx, rsp %#lx", v->id,
				    vector, frame->rip, frame->rsp);
		return false;
	}
	start_handler(v, trap, sp, rip, flag);
	return true;
}

static bool inject(struct vcpu *v, uint8_t vector, uint64_t rip, bool has_error, uint64_t error)
{
	const struct domain_trap *trap = &v->domain->traps[vector];
	uint32_t flag = interrupt_flag(v);
	struct trap_frame frame;
	uint64_t sp;

	frame_build(v, flag, error, &frame);
	sp = v->arch.user_mode ? __atomic_load_n(&v->page->kernel_sp, __ATOMIC_RELAXED) : frame.rsp;
	sp = frame_push(sp, &frame, has_error);
	if (!sp)
		return double_fault(v, vector, &frame, flag);
	start_handler(v, trap, sp, rip, flag);
	return true;
}

static uint64_t handler(const struct vcpu *v, uint8_t vector)
{
	return __atomic_load_n(&v->domain->traps[vector].rip, __ATOMIC_RELAXED);
}

bool inject_exception(struct vcpu *v, uint8_t vector, uint64_t error)
{
	uint64_t rip = handler(v, vector);

	if (!rip) {
		(void)!domain_crash(v->domain,
				    "vCPU %u: no handler for exception %u at rip %#lx, error %#lx, "
				    "address %#lx",
				    v->id, vector, v->arch.registers.rip, error, v->page->cr2);
		return false;
	}
	return inject(v, vector, rip, vector < 32 && (ERROR_CODE_VECTORS >> vector & 1), error);
}

bool inject_vector(struct vcpu *v, uint8_t vector)
{
	uint64_t rip = handler(v, vector);

	if (!rip)
		return true;
	v->counters.vectors++;
	return inject(v, vector, rip, false, 0);
}

bool inject_software(struct vcpu *v, uint8_t vector)
{
	uint64_t rip = handler(v, vector);

	/* Another vCPU may have taken it away meanwhile. */
	if (!rip)
		return inject_exception(v, vector, 0);
	return inject(v, vector, rip, false, 0);
}

bool arch_deliver_vector(struct vcpu *v, uint8_t vector)
{
	return inject_vector(v, vector);
}
