/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks for bugs of our own. Nothing a guest, an option or a module does may reach them. */
#ifndef HYPERVISOR_ASSERT_H
#define HYPERVISOR_ASSERT_H

#include "panic.h"

#define BUG_ON(condition)                                                                          \
	do {                                                                                       \
		if (__builtin_expect(!!(condition), 0))                                            \
			panic("bug: %s at %s:%d", #condition, __FILE__, __LINE__);                 \
	} while (0)

/* In debug builds only; the condition is compiled in others, too, but not evaluated. */
#define ASSERT(condition)                                                                          \
	do {                                                                                       \
		if (CONFIG_DEBUG && __builtin_expect(!(condition), 0))                             \
			panic("assertion failed: %s at %s:%d", #condition, __FILE__, __LINE__);    \
	} while (0)

#endif
