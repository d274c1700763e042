/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Giving the current vCPU an exception, a vector or an `int n` (inject.c): the frame that hardware
 * would build, on the guest kernel's stack. Where that is not possible the guest gets a double
 * fault, and where that is not possible its domain ends.
 */
#ifndef X86_INJECT_H
#define X86_INJECT_H

#include <stdbool.h>
#include <stdint.h>

struct vcpu;

/* False: the domain was crashed. The error code is used where the vector has one. */
bool inject_exception(struct vcpu *v, uint8_t vector, uint64_t error);
/* The same for the one that comes most often. */
bool inject_page_fault(struct vcpu *v, uint64_t error);
/* A virtual vector; dropped when the domain has no handler for it. */
bool inject_vector(struct vcpu *v, uint8_t vector);
/* `int n`, with RIP after it. */
bool inject_software(struct vcpu *v, uint8_t vector);

#endif
