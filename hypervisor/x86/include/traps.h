/* SPDX-License-Identifier: BSD-2-Clause */
/* What entry.S calls, with the registers saved (traps.c). */
#ifndef X86_TRAPS_H
#define X86_TRAPS_H

#include "registers.h"

struct vcpu;

/* An exception or interrupt of the current vCPU, whose registers hold vector and error code. */
void traps_guest(struct vcpu *v);
/* The same for a page fault. */
void traps_page_fault(struct vcpu *v);
/* An interrupt while idle, or an exception in the hypervisor: at a fixup, or the end. */
void traps_hypervisor(struct registers *registers);

/* On their own stacks. */
void traps_nmi(struct registers *registers);
void traps_debug(struct registers *registers);
_Noreturn void traps_fatal(const struct registers *registers);

/* Debug builds: the state the current vCPU is about to be entered with. */
void traps_check_return(void);
_Noreturn void traps_bad_return(const struct registers *registers);

#endif
