/* SPDX-License-Identifier: BSD-2-Clause */
/* Single instructions, and atomic operations that tests share between vCPUs. */
#ifndef CPU_H
#define CPU_H

#include <stdbool.h>
#include <stdint.h>

#define FLAG_CARRY	 0x1UL
#define FLAG_FIXED	 0x2UL
#define FLAG_TRAP	 0x100UL
#define FLAG_INTERRUPT	 0x200UL
#define FLAG_DIRECTION	 0x400UL
#define FLAG_OVERFLOW	 0x800UL
#define FLAG_IOPL	 0x3000UL
#define FLAG_NESTED_TASK 0x4000UL
#define FLAG_RESUME	 0x10000UL
#define FLAG_VM		 0x20000UL
#define FLAG_ALIGN_CHECK 0x40000UL
#define FLAG_ID		 0x200000UL

static inline void barrier(void)
{
	asm volatile("" : : : "memory");
}

static inline uint64_t read_flags(void)
{
	uint64_t flags;

	asm volatile("pushfq; popq %0" : "=r"(flags));
	return flags;
}

static inline uint64_t read_tsc(void)
{
	uint32_t low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static inline uint64_t read_fs_base(void)
{
	uint64_t base;

	asm volatile("rdfsbase %0" : "=r"(base));
	return base;
}

static inline void write_fs_base(uint64_t base)
{
	asm volatile("wrfsbase %0" : : "r"(base));
}

static inline uint64_t read_gs_base(void)
{
	uint64_t base;

	asm volatile("rdgsbase %0" : "=r"(base));
	return base;
}

static inline uint8_t load8(uint64_t address)
{
	return *(volatile uint8_t *)address;
}

static inline uint64_t load64(uint64_t address)
{
	return *(volatile uint64_t *)address;
}

static inline void store8(uint64_t address, uint8_t value)
{
	*(volatile uint8_t *)address = value;
}

static inline void store64(uint64_t address, uint64_t value)
{
	*(volatile uint64_t *)address = value;
}

/* For variables that several vCPUs share. */
#define atomic_load(p)	       __atomic_load_n(p, __ATOMIC_SEQ_CST)
#define atomic_store(p, value) __atomic_store_n(p, value, __ATOMIC_SEQ_CST)
#define atomic_add(p, value)   __atomic_add_fetch(p, value, __ATOMIC_SEQ_CST)
#define atomic_swap(p, value)  __atomic_exchange_n(p, value, __ATOMIC_SEQ_CST)

#endif
