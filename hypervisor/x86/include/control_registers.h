/* SPDX-License-Identifier: BSD-2-Clause */
/* The control registers that the hypervisor reads and writes while it runs. */
#ifndef X86_CONTROL_REGISTERS_H
#define X86_CONTROL_REGISTERS_H

#include <stdint.h>

static inline uint64_t cr2_read(void)
{
	uint64_t value;

	asm volatile("mov %%cr2, %0" : "=r"(value));
	return value;
}

static inline uint64_t cr3_read(void)
{
	uint64_t value;

	asm volatile("mov %%cr3, %0" : "=r"(value));
	return value;
}

static inline void cr3_write(uint64_t value)
{
	asm volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}

static inline uint64_t xcr0_read(void)
{
	uint32_t low, high;

	asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}

static inline void xcr0_write(uint64_t value)
{
	asm volatile("xsetbv"
		     :
		     : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
		     : "memory");
}

#endif
