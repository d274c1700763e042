/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a domain wants its exceptions and vectors: the hypercalls set_traps and set_entries
 * (trap.c).
 */
#ifndef HYPERVISOR_TRAP_H
#define HYPERVISOR_TRAP_H

#include <stdint.h>

int64_t do_set_traps(uint64_t traps, uint64_t count);

#endif
