/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls: hv_<name>() for each line of abi/hypercalls.def, all arguments and results uint64_t,
 * so that a test can pass anything. Signed results are compared by CHECK_EQ(hv_x(...), -EINVAL).
 * hv_call() makes a call by number.
 */
#ifndef HYPERCALL_H
#define HYPERCALL_H

#include <stdint.h>

#include "abi/errno.h"
#include "abi/hypercall.h"

static inline int64_t hv_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
			      uint64_t e, uint64_t f)
{
	register uint64_t r10 asm("r10") = d;
	register uint64_t r8 asm("r8") = e;
	register uint64_t r9 asm("r9") = f;

	asm volatile("syscall"
		     : "+a"(number), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8), "+r"(r9)
		     :
		     : "rcx", "r11", "memory", "cc");
	return (int64_t)number;
}

#define HV_STUB_0(name)                                                                            \
	static inline int64_t hv_##name(void)                                                      \
	{                                                                                          \
		return hv_call(RF_HYPERCALL_##name, 0, 0, 0, 0, 0, 0);                             \
	}
#define HV_STUB_1(name)                                                                            \
	static inline int64_t hv_##name(uint64_t a)                                                \
	{                                                                                          \
		return hv_call(RF_HYPERCALL_##name, a, 0, 0, 0, 0, 0);                             \
	}
#define HV_STUB_2(name)                                                                            \
	static inline int64_t hv_##name(uint64_t a, uint64_t b)                                    \
	{                                                                                          \
		return hv_call(RF_HYPERCALL_##name, a, b, 0, 0, 0, 0);                             \
	}
#define HV_STUB_3(name)                                                                            \
	static inline int64_t hv_##name(uint64_t a, uint64_t b, uint64_t c)                        \
	{                                                                                          \
		return hv_call(RF_HYPERCALL_##name, a, b, c, 0, 0, 0);                             \
	}
#define HV_STUB_4(name)                                                                            \
	static inline int64_t hv_##name(uint64_t a, uint64_t b, uint64_t c, uint64_t d)            \
	{                                                                                          \
		return hv_call(RF_HYPERCALL_##name, a, b, c, d, 0, 0);                             \
	}
#define HYPERCALL(number, name, arguments, who) HV_STUB_##arguments(name)
#include "abi/hypercalls.def"
#undef HYPERCALL

/* The address of something, as an argument. */
#define ADDRESS(pointer) ((uint64_t)(uintptr_t)(pointer))

#endif
