// SPDX-License-Identifier: BSD-2-Clause
/*
 * Switching of the FPU and vector registers, and the hypercall set_xcr0.
 *
 * Interface: fpu.h. No locks: an area belongs to a vCPU. The hypervisor itself never uses these
 * registers.
 *
 * Odd: state is saved and loaded with every component enabled, whatever the guest's XCR0 says.
 * Else a vCPU could disable a component, and who enables it next would find what was left in it.
 */
#include "fpu.h"

#include "abi/errno.h"
#include "arch_hypercall.h"
#include "control_registers.h"
#include "cpu_setup.h"
#include "cpuid.h"
#include "fixup.h"
#include "frame.h"
#include "boot.h"
#include "string.h"
#include "vcpu.h"

#define MXCSR_OFFSET	 24
#define MXCSR_INITIAL	 0x1f80U
#define AMD_RESTORES_ALL (1U << 2) /* CPUID 0x80000008 EBX: XRSTOR loads FIP and FDP always */

static uint64_t components;
static uint32_t area_size;
static bool leaks_pointers;

static uint64_t choose_components(uint64_t there)
{
	uint64_t chosen = there & (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512);

	if (!(chosen & XCR0_AVX) || (chosen & XCR0_AVX512) != XCR0_AVX512)
		chosen &= ~XCR0_AVX512;
	return chosen;
}

void fpu_init(void)
{
	struct rf_cpuid leaf;

	components = choose_components(cpu_features.xcr0);
	if ((components & (XCR0_X87 | XCR0_SSE)) != (XCR0_X87 | XCR0_SSE))
		boot_refuse("this processor has no XSAVE");
	xcr0_write(components);
	area_size = cpuid_read(0xd, 0).ebx;
	leaf = cpuid_read(0x80000008, 0);
	leaks_pointers = !cpu_features.intel && !(leaf.ebx & AMD_RESTORES_ALL);
}

uint64_t fpu_components(void)
{
	return components;
}

uint32_t fpu_area_size(void)
{
	return area_size;
}

/* Frames are aligned to far more than the 64 bytes XSAVE wants. */
void *fpu_create(void)
{
	return frame_alloc_pointer(area_size);
}

void fpu_destroy(void *area)
{
	frame_free_pointer(area, area_size);
}

/* A header of zeroes says that every component is in its initial state, save for MXCSR. */
void fpu_reset(void *area)
{
	const uint32_t mxcsr = MXCSR_INITIAL;

	memset(area, 0, area_size);
	memcpy((char *)area + MXCSR_OFFSET, &mxcsr, sizeof(mxcsr));
}

static void enable_all(void)
{
	if (xcr0_read() != components)
		xcr0_write(components);
}

void fpu_save(void *area)
{
	enable_all();
	asm volatile("xsave64 (%0)"
		     :
		     : "r"(area), "a"((uint32_t)components), "d"((uint32_t)(components >> 32))
		     : "memory");
}

static bool restore(void *area)
{
	uint32_t failed = 1;

	asm volatile("1: xrstor64 (%1)\n\t"
		     "xorl %0, %0\n"
		     "2:\n" FIXUP("1b", "2b")
		     : "+r"(failed)
		     : "r"(area), "a"((uint32_t)components), "d"((uint32_t)(components >> 32))
		     : "memory");
	return !failed;
}

/* Some CPUs load the last instruction and data pointers only while an exception is pending. */
static void forget_pointers(void)
{
	static const uint32_t zero;

	asm volatile("fnclex\n\t"
		     "emms\n\t"
		     "fildl %0"
		     :
		     : "m"(zero));
}

bool fpu_load(void *area, uint64_t xcr0)
{
	bool good;

	enable_all();
	if (leaks_pointers)
		forget_pointers();
	good = restore(area);
	if (!good) {
		fpu_reset(area);
		restore(area);
	}
	if (xcr0 != components)
		xcr0_write(xcr0);
	return good;
}

static bool xcr0_good(uint64_t value)
{
	if ((value & ~components) || !(value & XCR0_X87))
		return false;
	if ((value & XCR0_AVX) && !(value & XCR0_SSE))
		return false;
	if (!(value & XCR0_AVX512))
		return true;
	return (value & XCR0_AVX512) == XCR0_AVX512 && (value & XCR0_AVX);
}

int64_t do_set_xcr0(uint64_t value)
{
	if (!xcr0_good(value))
		return -EINVAL;
	vcpu_current()->arch.xcr0 = value;
	xcr0_write(value);
	return 0;
}
