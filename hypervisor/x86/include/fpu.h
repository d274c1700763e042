/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The FPU and vector registers, saved and loaded whole at every switch (fpu.c): nothing is left for
 * the next vCPU to find, not even while it has them disabled.
 */
#ifndef X86_FPU_H
#define X86_FPU_H

#include <stdbool.h>
#include <stdint.h>

#define XCR0_X87    0x1ULL
#define XCR0_SSE    0x2ULL
#define XCR0_AVX    0x4ULL
#define XCR0_AVX512 0xe0ULL

/* On the boot processor: ends in boot_refuse() without XSAVE. */
void fpu_init(void);

/* The state components guests may use. */
uint64_t fpu_components(void);
/* Bytes of an area with all of them. */
uint32_t fpu_area_size(void);

/* The area of one vCPU, in the initial state; NULL: no memory. */
void *fpu_create(void);
void fpu_destroy(void *area);
void fpu_reset(void *area);

/* Save leaves XCR0 with all components on. */
void fpu_save(void *area);
/* False when the area was not acceptable; the registers have the initial state then. */
bool fpu_load(void *area, uint64_t xcr0);

#endif
