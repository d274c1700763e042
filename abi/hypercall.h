/* SPDX-License-Identifier: MIT */
/* The numbers of the hypercalls, made from hypercalls.def; see there for the calling convention. */
#ifndef RINGFENCE_ABI_HYPERCALL_H
#define RINGFENCE_ABI_HYPERCALL_H

#include <stdint.h>

enum rf_hypercall {
#define HYPERCALL(number, name, arguments, who) RF_HYPERCALL_##name = number,
#include "hypercalls.def"
#undef HYPERCALL
	RF_HYPERCALLS
};

/* cpuid copies its result out to this; read_msr to a uint64_t. */
struct rf_cpuid {
	uint32_t eax;
	uint32_t ebx;
	uint32_t ecx;
	uint32_t edx;
};

/* cpuid: the hypervisor's own leaf. EAX: the last such leaf; EBX ECX EDX: "RingfenceHV\0". */
#define RF_CPUID_BASE	 0x40000000U
#define RF_CPUID_VERSION 0x40000001U /* EAX: RF_ABI_VERSION */
#define RF_CPUID_TIME	 0x40000002U /* EAX: TSC frequency in kHz */

_Static_assert(sizeof(struct rf_cpuid) == 16, "rf_cpuid layout");
_Static_assert(RF_HYPERCALLS <= 48, "at most 48 hypercalls");

#endif
