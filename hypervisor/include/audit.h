/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The audit: recounts everything the hypervisor believes about memory and domains, and names
 * the first thing that is not so (audit.c). Debug builds only; the hypercall says -EOPNOTSUPP
 * in others.
 */
#ifndef HYPERVISOR_AUDIT_H
#define HYPERVISOR_AUDIT_H

#include <stdint.h>

/* NULL: all is well. All other CPUs are held in the hypervisor while it runs. */
const char *audit_run(void);

int64_t do_audit(void);

#endif
