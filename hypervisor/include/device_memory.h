/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that is no RAM: registers of devices, firmware and its tables (device_memory.c).
 */
#ifndef HYPERVISOR_DEVICE_MEMORY_H
#define HYPERVISOR_DEVICE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

struct domain;

/*
 * Whether the domain may map all of the guest frames [gfn, gfn + count), at most 512, as device
 * memory. Their numbers are those of machine frames then. The answer for a frame never changes.
 */
bool device_memory_allowed(const struct domain *d, uint64_t gfn, uint64_t count);

#endif
