/* SPDX-License-Identifier: BSD-2-Clause */
/* Turning down a machine, an option or a module (boot.c). */
#ifndef HYPERVISOR_BOOT_H
#define HYPERVISOR_BOOT_H

/* One line, `ringfence: cannot start: ...`, then the machine stops with EXIT_REFUSED. */
_Noreturn void boot_refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
