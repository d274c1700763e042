/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypercall mmu_batch: decoding of abi/mmu.h's operations (mmu.c). */
#ifndef HYPERVISOR_MMU_H
#define HYPERVISOR_MMU_H

#include <stdint.h>

int64_t do_mmu_batch(uint64_t operations, uint64_t count);

#endif
