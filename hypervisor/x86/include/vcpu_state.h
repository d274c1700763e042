/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of a vCPU that the CPU holds while it runs (vcpu_state.c), and its two modes. The rest
 * of the interface is in arch.h.
 */
#ifndef X86_VCPU_STATE_H
#define X86_VCPU_STATE_H

#include <stdint.h>

struct vcpu;

/* On the boot processor, after its cpu_setup() and frame_init(): what guests see of this machine. */
void vcpu_state_init(void);
/* On each further CPU: warns where it lacks something, and takes it from the guests. */
void vcpu_state_init_cpu(void);

/*
 * The current vCPU changes its mode: CR3, GS base, I/O bitmap, virtual interrupt flag. The user's
 * GS base goes to and comes from where it is needed; gs_base must be canonical.
 */
void vcpu_enter_kernel(struct vcpu *v);
void vcpu_enter_user(struct vcpu *v, uint64_t gs_base);

/* The CR3 for the mode the vCPU is in. */
uint64_t vcpu_cr3(const struct vcpu *v);

#endif
