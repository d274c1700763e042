/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of a vCPU that the CPU holds while it runs (vcpu_state.c), and its two modes. The rest
 * of the interface is in arch.h.
 */
#ifndef X86_VCPU_STATE_H
#define X86_VCPU_STATE_H

#include <stdint.h>

#include "control_registers.h"
#include "cpu.h"
#include "segment_base.h"
#include "vcpu.h"

/* On the boot processor, after its cpu_setup() and frame_init(): what guests see of this machine. */
void vcpu_state_init(void);
/* On each further CPU: warns where it lacks something, and takes it from the guests. */
void vcpu_state_init_cpu(void);

/*
 * The current vCPU, which has a root, changes its mode: CR3, GS base, I/O bitmap. The user's GS
 * base goes to its page, and must be canonical when it comes from there. User mode has the virtual
 * interrupt flag set.
 */
static inline void vcpu_enter_kernel(struct vcpu *v)
{
	v->page->user.gs_base = gs_base_exchange_guest(v->arch.kernel_gs);
	v->arch.user_mode = 0;
	this_cpu()->arch.tss->io_map_base = v->arch.kernel_io_map;
	cr3_write(v->arch.kernel_cr3);
}

static inline void vcpu_enter_user(struct vcpu *v, uint64_t gs_base)
{
	gs_base_write_guest(gs_base);
	v->arch.user_mode = 1;
	__atomic_store_n(&v->page->interrupt_flag, RF_INTERRUPT_FLAG, __ATOMIC_RELAXED);
	this_cpu()->arch.tss->io_map_base = v->arch.user_io_map;
	cr3_write(v->arch.user_cr3);
}

/* The CR3 for the mode the vCPU is in. */
uint64_t vcpu_cr3(const struct vcpu *v);

#endif
