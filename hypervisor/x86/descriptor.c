// SPDX-License-Identifier: BSD-2-Clause
/*
 * A guest's own descriptors: three for thread-local storage, and one whose limit tells user code
 * its CPU number.
 *
 * Interface: descriptor.h, and the hypercall set_tls. No locks: each CPU has its own table, and
 * they belong to its current vCPU.
 */
#include "descriptor.h"

#include <stdbool.h>

#include "abi/errno.h"
#include "arch_hypercall.h"
#include "cpu.h"
#include "index.h"
#include "vcpu.h"

/* Bits of the second byte up, in the descriptor. */
#define ACCESSED   (1ULL << 40)
#define CODE	   (1ULL << 43)
#define NOT_SYSTEM (1ULL << 44)
#define PRIVILEGE  (3ULL << 45)
#define PRESENT	   (1ULL << 47)
#define LONG_MODE  (1ULL << 53)
#define BIG	   (1ULL << 54)

void descriptor_load(const uint64_t *descriptors)
{
	uint64_t *gdt = this_cpu()->arch.gdt + GDT_TLS_FIRST;

	for (unsigned i = 0; i < GDT_TLS_COUNT; i++)
		gdt[i] = descriptors[i];
}

/*
 * A data segment of ring 3: nothing that can be called, jumped to, or is more than ring 3. Of 32
 * bits, too: IRET to a stack of 16 leaves the upper bits of RSP as they are, the hypervisor's.
 */
static bool is_good(uint64_t descriptor)
{
	const uint64_t needed = NOT_SYSTEM | PRIVILEGE | PRESENT | BIG;

	return (descriptor & needed) == needed && !(descriptor & (CODE | LONG_MODE));
}

/* Accessed from the start: a CPU never has to write to the table. */
int64_t do_set_tls(uint64_t number, uint64_t descriptor)
{
	struct vcpu *v = vcpu_current();

	if (number >= GDT_TLS_COUNT || (descriptor && !is_good(descriptor)))
		return -EINVAL;
	number = index_clamp(number, GDT_TLS_COUNT);
	v->arch.tls[number] = descriptor ? descriptor | ACCESSED : 0;
	descriptor_load(v->arch.tls);
	return 0;
}
