/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the CPU enters the hypervisor (entry.S). The SYSCALL mask must clear every flag but the
 * fixed one. At the address that TSS.ist[] holds for an interrupt stack lies the pointer to the
 * struct cpu: the CPU pushes below it.
 */
#ifndef X86_ENTRY_H
#define X86_ENTRY_H

#include <stdint.h>

#define ENTRY_SYSCALL_MASK 0x257fd5ULL

extern const uint64_t entry_vectors[256];

void entry_syscall(void);
void entry_syscall32(void);

/* The end of starting up: this CPU runs vCPUs, or waits for them, from now on. */
_Noreturn void entry_run(void);

#endif
