// SPDX-License-Identifier: BSD-2-Clause
/*
 * Returns from a guest kernel that need a closer look: something waits to be done, or the frame in
 * the vCPU page is unusual.
 *
 * Interface: user_return.h. No locks: the page is copied once, then checked.
 *
 * A frame that no CPU would accept must not fault in the hypervisor. For a return to user mode the
 * guest kernel gets the fault as if user mode had raised it, with just that frame: native kernels
 * end in the same state. For a return to guest-kernel mode the fault is at the return instruction.
 */
#include "user_return.h"

#include <stdbool.h>
#include <stdint.h>

#include "domain.h"
#include "flags.h"
#include "inject.h"
#include "pte.h"
#include "shadow.h"
#include "vcpu.h"
#include "vcpu_state.h"

#define VECTOR_PROTECTION 13
#define SYSCALL_LENGTH	  2
#define PRIVILEGE	  3 /* of a selector */

static void read_frame(const struct vcpu *v, struct rf_user_frame *frame)
{
	*frame = *(volatile struct rf_user_frame *)&v->page->user;
}

static bool user_frame_good(const struct rf_user_frame *f)
{
	if (f->ss != RF_USER_SS || !address_is_canonical(f->rip) ||
	    !address_is_canonical(f->gs_base))
		return false;
	return f->cs == RF_USER_CS || (f->cs == RF_USER32_CS && f->rip <= UINT32_MAX);
}

static void load_frame(struct vcpu *v, const struct rf_user_frame *f)
{
	struct registers *r = &v->arch.registers;

	r->rip = f->rip;
	r->cs = f->cs;
	r->rflags = (f->rflags & FLAGS_GUEST_IRET) | FLAGS_FORCED;
	r->rsp = f->rsp;
	r->ss = f->ss;
	r->rcx = f->rcx;
	r->r11 = f->r11;
}

static void to_user(struct vcpu *v, const struct rf_user_frame *f)
{
	bool good = user_frame_good(f);

	load_frame(v, f);
	vcpu_enter_user(v, good ? f->gs_base : 0);
	if (good) {
		shadow_before_user(v);
		return;
	}
	inject_exception(v, VECTOR_PROTECTION, 0);
	v->page->user.gs_base = f->gs_base;
}

static void to_kernel(struct vcpu *v, const struct rf_user_frame *f)
{
	struct registers *r = &v->arch.registers;

	if (f->cs != RF_KERNEL_CS || (f->ss != RF_KERNEL_SS && f->ss != 0) ||
	    !address_is_canonical(f->rip) || address_is_hypervisor(f->rip)) {
		r->rip = v->arch.return_iret - SYSCALL_LENGTH;
		r->rflags = (r->rflags & FLAGS_GUEST) | FLAGS_FORCED;
		r->rcx = v->arch.return_iret;
		r->r11 = r->rflags;
		inject_exception(v, VECTOR_PROTECTION, 0);
		return;
	}
	load_frame(v, f);
	r->cs = RF_USER_CS;
	r->ss = RF_USER_SS;
	__atomic_store_n(&v->page->interrupt_flag, f->rflags & RF_INTERRUPT_FLAG, __ATOMIC_RELAXED);
}

void user_return_sysret(struct vcpu *v)
{
	struct rf_user_frame frame;

	v->counters.entries[RF_ENTRY_RETURN_SYSRET]++;
	read_frame(v, &frame);
	frame.cs = RF_USER_CS;
	frame.ss = RF_USER_SS;
	frame.rcx = frame.rip;
	frame.r11 = (frame.rflags & FLAGS_GUEST_IRET) | FLAGS_FORCED;
	to_user(v, &frame);
}

void user_return_iret(struct vcpu *v)
{
	struct rf_user_frame frame;

	v->counters.entries[RF_ENTRY_RETURN_IRET]++;
	read_frame(v, &frame);
	if ((frame.cs & PRIVILEGE) == PRIVILEGE)
		to_user(v, &frame);
	else
		to_kernel(v, &frame);
}

void user_return_no_entry(struct vcpu *v)
{
	v->counters.entries[RF_ENTRY_SYSCALL]++;
	(void)!domain_crash(v->domain, "vCPU %u: no entry for a user's syscall at rip %#lx", v->id,
			    v->arch.registers.rip);
}
