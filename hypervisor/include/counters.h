/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the counters of a vCPU (counters.c). */
#ifndef HYPERVISOR_COUNTERS_H
#define HYPERVISOR_COUNTERS_H

#include <stdint.h>

int64_t do_counters(uint64_t domain, uint64_t vcpu, uint64_t counters);

#endif
