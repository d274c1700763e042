/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a test is. A folder tests/guest/NAME has a main.c that begins with a comment saying what it
 * proves, and has a line naming the hypercalls it covers (see tests/guest/new), and defines
 *
 *	const char test_title[] = "one line";
 *	void test_main(void) { ... CHECK(...) ... }
 *
 * test_main() runs on vCPU 0 in guest-kernel mode with traps, the vCPU page and memory set up and
 * the virtual interrupt flag clear. When it returns, the last line says how it went:
 * `RESULT: SUCCESS`, `RESULT: FAILURE` if a CHECK failed, and the domain powers off. SKIP() and
 * ERROR() end it at once with these results. No such line is an error too: tests/guest/run.
 *
 * Every domain of a test prints a result; the worst one counts. A domain that is meant to crash
 * prints none, and the control domain watches it by domain_wait_end().
 *
 * The library: card.h a device that interrupts; pci.h PCI devices; console.h printf; event.h
 * event ports; hypercall.h hv_NAME; cpu.h instructions; memory.h pages; paging.h page tables;
 * scenario.h domains that crash; trap.h handlers and TRY; user.h user mode; vcpu.h vCPUs,
 * interrupts, locks; clock.h time; random.h numbers. Including test.h includes all but card.h
 * and pci.h.
 */
#ifndef TEST_H
#define TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/counters.h"
#include "abi/domain.h"
#include "abi/memory.h"
#include "abi/mmu.h"
#include "abi/start_info.h"
#include "abi/vcpu.h"
#include "abi/version.h"
#include "clock.h"
#include "console.h"
#include "cpu.h"
#include "event.h"
#include "hypercall.h"
#include "layout.h"
#include "memory.h"
#include "paging.h"
#include "random.h"
#include "scenario.h"
#include "trap.h"
#include "user.h"
#include "vcpu.h"

extern const char test_title[];
void test_main(void);

/* Everything the hypervisor said at the start. */
extern const struct rf_start_info *start_info;

/* The control domain is domain 0 and the only one that may do everything. */
bool test_is_control(void);

/*
 * The value of `name=` (ended by a blank or NUL) or the text after the word `name` on the command
 * line, or NULL.
 */
const char *test_option(const char *name);
/* Is the value of `name=` on the command line this one? */
bool test_option_is(const char *name, const char *value);
/* The number of `name=number`, decimal or 0x hexadecimal, or `otherwise`. */
uint64_t test_number(const char *name, uint64_t otherwise);

/* Goes on after a failure; the first 20 are printed. True when it holds. */
#define CHECK(condition, ...) test_check(condition, __FILE__, __LINE__, #condition, __VA_ARGS__)
#define CHECK_EQ(actual, expected, ...)                                                            \
	test_check_equal((uint64_t)(actual), (uint64_t)(expected), __FILE__, __LINE__, #actual,    \
			 __VA_ARGS__)
/* The test cannot be run here: ends it. */
#define SKIP(...)  test_end("SKIP", __VA_ARGS__)
/* The test itself is broken or has not got what it needs: ends it. */
#define ERROR(...) test_end("ERROR", __VA_ARGS__)

__attribute__((format(printf, 5, 6))) bool test_check(bool good, const char *file, int line,
						      const char *what, const char *format, ...);
__attribute__((format(printf, 6, 7))) bool test_check_equal(uint64_t actual, uint64_t expected,
							    const char *file, int line,
							    const char *what, const char *format,
							    ...);
_Noreturn __attribute__((format(printf, 2, 3))) void test_end(const char *result,
							      const char *format, ...);

/* The control domain: the hypervisor finds nothing wrong with itself (only debug builds look). */
void test_audit(void);
/* The same of one that has flushed all it tightened: its shadows must agree with its tables. */
void test_audit_flushed(void);

/* How often CHECK failed so far. */
uint32_t test_failures(void);

/*
 * Waits until another domain is no longer running (the control domain only), at most `seconds`.
 * Its state, or 0 when it still runs. *info is what domain_info says then.
 */
uint32_t domain_wait_end(uint32_t domain, uint32_t seconds, struct rf_domain_info *info);

#endif
