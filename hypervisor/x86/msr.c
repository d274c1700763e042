// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which model-specific registers a guest may read and write, and what it gets.
 *
 * Interface: the hypercalls read_msr and write_msr; msr.h for the hypervisor's own use. No locks:
 * only the current vCPU's state is touched.
 *
 * A list of what is allowed, not of what is forbidden. What makes up the ways into the hypervisor
 * (STAR, LSTAR, CSTAR, FMASK, EFER, the SYSENTER registers, PAT, APIC base, debug control) can never
 * be written. A native kernel expects some registers to be there: these read as constants.
 */
#include "msr.h"

#include <stddef.h>

#include "abi/errno.h"
#include "abi/vcpu.h"
#include "arch_hypercall.h"
#include "guest_access.h"
#include "pte.h"
#include "segment_base.h"
#include "tsc_access.h"
#include "vcpu.h"

#define EFER_GUEST	  0xd01ULL /* SCE LME LMA NXE: what guests run with */

/* String moves are fast. */
#define MISC_ENABLE_GUEST 0x1ULL
/* The TSC counts at the same rate always. */
#define HWCR_GUEST	  0x1000000ULL
/* LFENCE is serializing. */
#define DE_CFG_VISIBLE	  0x2ULL

enum kind {
	KIND_CONSTANT,
	KIND_REAL, /* the CPU's own value, under a mask */
	KIND_TSC,
	KIND_TSC_AUX,
	KIND_FS_BASE,
	KIND_GS_BASE,
	KIND_USER_GS_BASE,
	KIND_NO_USER_TSC,
};

static const struct allowed {
	uint32_t msr;
	uint8_t kind;
	uint64_t value; /* of a constant, or the mask */
} allowed[] = {
	/* Time, and where RDTSCP and RDPID read the CPU number: the vCPU's. */
	{ MSR_TSC, KIND_TSC, 0 },
	{ MSR_TSC_AUX, KIND_TSC_AUX, 0 },
	/* Ring 3 has the first two by instruction; the third is the other half of SWAPGS. */
	{ MSR_FS_BASE, KIND_FS_BASE, 0 },
	{ MSR_GS_BASE, KIND_GS_BASE, 0 },
	{ MSR_KERNEL_GS_BASE, KIND_USER_GS_BASE, 0 },
	/* CR4.TSD, of which there is one for two modes in ring 3: no register of any processor. */
	{ RF_MSR_NO_USER_TSC, KIND_NO_USER_TSC, 0 },
	/* Read by kernels to see what mode they run in, and which memory types the entries name. */
	{ MSR_EFER, KIND_CONSTANT, EFER_GUEST },
	{ MSR_PAT, KIND_REAL, ~0ULL },
	/* Read by kernels without asking first whether they are there. */
	{ MSR_APIC_BASE, KIND_CONSTANT, 0 },
	{ MSR_MICROCODE, KIND_REAL, ~0ULL },
	{ MSR_PLATFORM_INFO, KIND_CONSTANT, 0 },
	{ MSR_MISC_ENABLE, KIND_CONSTANT, MISC_ENABLE_GUEST },
	{ MSR_AMD_HWCR, KIND_CONSTANT, HWCR_GUEST },
	{ MSR_AMD_INT_PENDING, KIND_CONSTANT, 0 },
	{ MSR_AMD_DE_CFG, KIND_REAL, DE_CFG_VISIBLE },
};

static const struct allowed *find(uint64_t msr)
{
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		if (allowed[i].msr == msr)
			return &allowed[i];
	}
	return NULL;
}

static int read_allowed(const struct vcpu *v, const struct allowed *a, uint64_t *value)
{
	switch (a->kind) {
	case KIND_CONSTANT:
		*value = a->value;
		return 0;
	case KIND_REAL:
		if (!msr_read_safe(a->msr, value))
			return -ENOENT;
		*value &= a->value;
		return 0;
	case KIND_TSC:
		*value = arch_tsc();
		return 0;
	case KIND_TSC_AUX:
		*value = v->arch.tsc_aux;
		return 0;
	case KIND_FS_BASE:
		*value = fs_base_read();
		return 0;
	case KIND_GS_BASE:
		*value = gs_base_read_guest();
		return 0;
	case KIND_USER_GS_BASE:
		*value = v->page->user.gs_base;
		return 0;
	case KIND_NO_USER_TSC:
		*value = v->arch.no_user_tsc;
		return 0;
	}
	return -ENOENT;
}

int64_t do_read_msr(uint64_t msr, uint64_t result)
{
	const struct allowed *a = find(msr);
	uint64_t value;
	int error;

	if (!a)
		return -ENOENT;
	error = read_allowed(vcpu_current(), a, &value);
	if (error)
		return error;
	return copy_to_guest(result, &value, sizeof(value));
}

static int write_base(struct vcpu *v, enum kind kind, uint64_t value)
{
	if (!address_is_canonical(value))
		return -EINVAL;
	if (kind == KIND_FS_BASE)
		fs_base_write(value);
	else if (kind == KIND_GS_BASE)
		gs_base_write_guest(value);
	else
		v->page->user.gs_base = value;
	return 0;
}

/* Kernels write back what they read: a constant takes its own value. */
int64_t do_write_msr(uint64_t msr, uint64_t value)
{
	const struct allowed *a = find(msr);

	if (!a)
		return -ENOENT;
	switch (a->kind) {
	case KIND_CONSTANT:
		return value == a->value ? 0 : -EPERM;
	case KIND_FS_BASE:
	case KIND_GS_BASE:
	case KIND_USER_GS_BASE:
		return write_base(vcpu_current(), a->kind, value);
	case KIND_NO_USER_TSC:
		return value > 1 ? -EINVAL : tsc_access_set(vcpu_current(), value);
	}
	return -EPERM;
}
