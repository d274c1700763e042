/* SPDX-License-Identifier: BSD-2-Clause */
/* The end that is not clean: a bug of ours. boot.h has the one for what others got wrong. */
#ifndef HYPERVISOR_PANIC_H
#define HYPERVISOR_PANIC_H

struct registers;

/* Print the message and a backtrace of the caller, then reboot or halt (option on-panic). */
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for an exception: prints the frame, and the backtrace starts from it. */
_Noreturn void panic_with_registers(const struct registers *registers, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
