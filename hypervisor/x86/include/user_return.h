/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The returns of a guest kernel that the fast paths of entry.S left to C (user_return.c). The
 * current vCPU's registers are saved; RIP, RCX and R11 are not.
 */
#ifndef X86_USER_RETURN_H
#define X86_USER_RETURN_H

struct vcpu;

void user_return_sysret(struct vcpu *v);
void user_return_iret(struct vcpu *v);
/* A user's syscall while the guest kernel has registered no entry for it. */
void user_return_no_entry(struct vcpu *v);

#endif
