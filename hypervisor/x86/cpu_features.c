// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the processor can do: refuses one below the floor (x86-64-v2, NX, FSGSBASE, XSAVE) or
 * with a flaw that no domain can be protected from, and says which protections are missing.
 *
 * Interface: cpu_setup.h. Locks: none; cpu_features is written once, before other processors run.
 * Odd: Intel processors from before 2019 let ring 3 read what ring 0 has mapped (Meltdown). The
 * hypervisor is mapped in every root, so these are refused unless the option unsafe-cpu is
 * given; so is every make that does not say it is safe.
 */
#include "cpu_setup.h"

#include <stddef.h>

#include "boot.h"
#include "command_line.h"
#include "instructions.h"
#include "log.h"
#include "msr.h"
#include "printf.h"
#include "processor.h"
#include "string.h"

#define XCR0_X87_SSE 0x03
#define XCR0_AVX     0x04
#define XCR0_AVX512  0xe0

#define DEADLINE_BIT 24

enum output { EAX, EBX, ECX, EDX };

/* One bit of CPUID. */
struct bit {
	const char *name;
	uint32_t leaf;
	enum output output;
	uint8_t bit;
};

static const struct bit required[] = {
	{ "FPU", 1, EDX, 0 },
	{ "TSC", 1, EDX, 4 },
	{ "MSR", 1, EDX, 5 },
	{ "PAE", 1, EDX, 6 },
	{ "CX8", 1, EDX, 8 },
	{ "APIC", 1, EDX, 9 },
	{ "CMOV", 1, EDX, 15 },
	{ "PAT", 1, EDX, 16 },
	{ "FXSR", 1, EDX, 24 },
	{ "SSE", 1, EDX, 25 },
	{ "SSE2", 1, EDX, 26 },
	{ "SSE3", 1, ECX, 0 },
	{ "SSSE3", 1, ECX, 9 },
	{ "CX16", 1, ECX, 13 },
	{ "SSE4.1", 1, ECX, 19 },
	{ "SSE4.2", 1, ECX, 20 },
	{ "POPCNT", 1, ECX, 23 },
	{ "XSAVE", 1, ECX, 26 },
	{ "FSGSBASE", 7, EBX, 0 },
	{ "LAHF", 0x80000001, ECX, 0 },
	{ "SYSCALL", 0x80000001, EDX, 11 },
	{ "NX", 0x80000001, EDX, 20 },
	{ "LM", 0x80000001, EDX, 29 },
};

static bool has(uint32_t leaf, enum output output, uint8_t bit)
{
	struct cpuid r;
	uint32_t value;

	if (cpuid(leaf & 0x80000000, 0).eax < leaf)
		return false;
	r = cpuid(leaf, 0);
	value = output == EAX ? r.eax : output == EBX ? r.ebx : output == ECX ? r.ecx : r.edx;
	return value >> bit & 1;
}

static bool vendor_is(const char *name)
{
	struct cpuid r = cpuid(0, 0);
	uint32_t text[3] = { r.ebx, r.edx, r.ecx };

	return memcmp(text, name, sizeof(text)) == 0;
}

/* AVX-512 comes whole or not at all. Nothing is enabled that the hypervisor does not switch. */
static uint64_t state_components(void)
{
	uint64_t mask = XCR0_X87_SSE, offered = cpuid(0xd, 0).eax;

	if (offered & XCR0_AVX)
		mask |= XCR0_AVX;
	if ((mask & XCR0_AVX) && (offered & XCR0_AVX512) == XCR0_AVX512)
		mask |= XCR0_AVX512;
	return mask;
}

/*
 * QEMU's translator reads the stack of an IRET or far RET as the supervisor, even for one within
 * ring 3: with SMAP that faults, and no page-table entry can help.
 */
static bool is_translated(void)
{
	struct cpuid r = cpuid(0x40000000, 0);

	return has(1, ECX, 31) && r.ebx == 0x54474354 && r.ecx == 0x43544743 && r.edx == 0x47435447;
}

void cpu_features_read(struct cpu_features *f)
{
	memset(f, 0, sizeof(*f));
	f->smep = has(7, EBX, 7);
	f->smap = has(7, EBX, 20) && !is_translated();
	f->umip = has(7, ECX, 2);
	f->pcid = has(1, ECX, 17);
	f->invpcid = has(7, EBX, 10);
	f->x2apic = has(1, ECX, 21);
	f->tsc_deadline = has(1, ECX, DEADLINE_BIT);
	f->invariant_tsc = has(0x80000007, EDX, 8);
	f->machine_check = has(1, EDX, 7);
	f->large_1g = has(0x80000001, EDX, 26);
	f->intel = vendor_is("GenuineIntel");
	f->physical_bits = 36;
	if (cpuid(0x80000000, 0).eax >= 0x80000008)
		f->physical_bits = (uint8_t)cpuid(0x80000008, 0).eax;
	f->xcr0 = state_components();
}

struct cpu_features cpu_features;

/* The names of the bits that are not there, each after a blank. */
static void add_name(char *text, size_t size, const char *name)
{
	size_t length = strlen(text);

	snprintf(text + length, size - length, " %s", name);
}

static void check_floor(void)
{
	char missing[160] = "";

	for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++)
		if (!has(required[i].leaf, required[i].output, required[i].bit))
			add_name(missing, sizeof(missing), required[i].name);
	if (missing[0] != '\0')
		boot_refuse(
			"this processor is below x86-64-v2 with NX, FSGSBASE and XSAVE: it lacks%s",
			missing);
}

static bool has_meltdown(void)
{
	if (vendor_is("AuthenticAMD") || vendor_is("HygonGenuine"))
		return false;
	return !has(7, EDX, 29) || !(msr_read(MSR_ARCH_CAPABILITIES) & ARCH_CAPABILITIES_RDCL_NO);
}

static void check_flaws(void)
{
	if (!has_meltdown())
		return;
	if (!command_line.unsafe_cpu)
		boot_refuse(
			"this processor does not say that it is free of Meltdown (RDCL_NO): domains could read "
			"each other's memory. The option unsafe-cpu starts all the same");
	log_warning(
		"cpu: this processor does not say that it is free of Meltdown: domains can read each other's "
		"memory (unsafe-cpu)");
}

static void print_name(void)
{
	uint32_t text[13] = { 0 };

	if (cpuid(0x80000000, 0).eax < 0x80000004)
		return;
	for (uint32_t i = 0; i < 3; i++) {
		struct cpuid r = cpuid(0x80000002 + i, 0);

		memcpy(text + 4 * i, &r, sizeof(r));
	}
	log_info("cpu: %s", (const char *)text);
}

static void print_protections(void)
{
	const struct {
		const char *name;
		bool there;
	} list[] = {
		{ "SMEP", cpu_features.smep },	     { "SMAP", cpu_features.smap },
		{ "UMIP", cpu_features.umip },	     { "PCID", cpu_features.pcid },
		{ "INVPCID", cpu_features.invpcid },
	};
	char there[64] = "", missing[64] = "";

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		if (list[i].there)
			add_name(there, sizeof(there), list[i].name);
		else
			add_name(missing, sizeof(missing), list[i].name);
	}
	log_info("cpu: has NX%s", there);
	if (missing[0] != '\0')
		log_warning("cpu: lacks%s", missing);
	if (!cpu_features.invariant_tsc)
		log_info("cpu: does not say that its cycle counter runs at one rate");
}

void cpu_features_init(void)
{
	print_name();
	check_floor();
	check_flaws();
	cpu_features_read(&cpu_features);
	print_protections();
}
