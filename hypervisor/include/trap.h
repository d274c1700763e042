/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a domain wants its exceptions, vectors and system calls: the hypercalls set_traps and
 * set_entries (trap.c).
 */
#ifndef HYPERVISOR_TRAP_H
#define HYPERVISOR_TRAP_H

#include <stdint.h>

int64_t do_set_traps(uint64_t traps, uint64_t count);
int64_t do_set_entries(uint64_t syscall_entry, uint64_t sysret_site, uint64_t iret_site);

#endif
