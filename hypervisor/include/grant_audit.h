/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recounts grants (grant_audit.c), for audit.c and shadow_audit.c: while an audit holds all other
 * CPUs.
 */
#ifndef HYPERVISOR_GRANT_AUDIT_H
#define HYPERVISOR_GRANT_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

struct domain;

/*
 * Counts what is mapped by all domains; NULL, or what is wrong. From then until grant_audit_end(),
 * which is called in any case, it is known how often a frame is mapped.
 */
const char *grant_audit_begin(void);
uint32_t grant_audit_holders(uint64_t mfn);
void grant_audit_end(void);

/* Notes which frames the domain has mapped, or forgets it; and whether one is, with these rights. */
void grant_audit_mark(const struct domain *d, bool set);
bool grant_audit_allows(uint64_t mfn, bool write);

#endif
