/* SPDX-License-Identifier: BSD-2-Clause */
/* The control domain looks at, and writes, the memory of others (domain_copy.c). */
#ifndef HYPERVISOR_DOMAIN_COPY_H
#define HYPERVISOR_DOMAIN_COPY_H

#include <stdint.h>

int64_t do_domain_copy(uint64_t id, uint64_t operations, uint64_t count);

#endif
