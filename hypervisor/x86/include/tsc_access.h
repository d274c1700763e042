/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether user mode may read the TSC (tsc_access.c). */
#ifndef X86_TSC_ACCESS_H
#define X86_TSC_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

struct registers;
struct vcpu;

/* For the current vCPU, from now on. */
int tsc_access_set(struct vcpu *v, uint64_t forbidden);

/* This CPU is going to run the vCPU. */
void tsc_access_load(const struct vcpu *v);

/* A general protection of the vCPU: true if its kernel was reading the TSC, and now has. */
bool tsc_access_emulate(const struct vcpu *v, struct registers *r);

#endif
