/* SPDX-License-Identifier: BSD-2-Clause */
/* Where assembly enters C (main.c). */
#ifndef HYPERVISOR_MAIN_H
#define HYPERVISOR_MAIN_H

#include <stdint.h>

#define HYPERVISOR_VERSION "0.1"

/*
 * On the boot processor, on the boot stack and the early page tables, with interrupts off.
 * `protocol` is one of boot_protocol.h, `info` the physical address of what the loader left.
 */
_Noreturn void main_start(uint32_t protocol, uint64_t info);

#endif
