// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that what the hypervisor says of the CPU is the same on every vCPU, offers nothing a guest
 * cannot have, and names the hypervisor.
 */
/* covers: cpuid */
#include "test.h"

const char test_title[] = "cpuid";

#define LEAVES	  0x20
#define SUBLEAVES 4

static struct rf_cpuid answers[RF_MAX_VCPUS][3][LEAVES][SUBLEAVES];
static const uint32_t bases[3] = { 0, RF_CPUID_BASE, 0x80000000U };

static struct rf_cpuid ask(uint64_t leaf, uint64_t subleaf)
{
	struct rf_cpuid answer = {};

	CHECK_EQ(hv_cpuid(leaf, subleaf, ADDRESS(&answer)), 0, "leaf %#lx", leaf);
	return answer;
}

static void collect(void *argument)
{
	uint32_t id = this_vcpu()->id;
	uint32_t base, leaf, subleaf;

	(void)argument;
	for (base = 0; base < 3; base++) {
		for (leaf = 0; leaf < LEAVES; leaf++) {
			for (subleaf = 0; subleaf < SUBLEAVES; subleaf++)
				answers[id][base][leaf][subleaf] = ask(bases[base] + leaf, subleaf);
		}
	}
}

/* The APIC identifier may differ, and nothing else. */
static void mask(struct rf_cpuid *answer, uint32_t base, uint32_t leaf)
{
	if (base == 0 && leaf == 1)
		answer->ebx &= 0x00ffffff;
	if (base == 0 && (leaf == 0xb || leaf == 0x1f))
		answer->edx = 0;
	if (base == 0x80000000U && leaf == 0x1e)
		answer->eax = answer->ebx = answer->ecx = 0;
}

static void compare(uint32_t id, uint32_t base, uint32_t leaf)
{
	uint32_t subleaf;

	for (subleaf = 0; subleaf < SUBLEAVES; subleaf++) {
		struct rf_cpuid a = answers[0][base][leaf][subleaf];
		struct rf_cpuid b = answers[id][base][leaf][subleaf];

		mask(&a, bases[base], leaf);
		mask(&b, bases[base], leaf);
		CHECK(!memcmp(&a, &b, sizeof(a)), "vCPU %u, leaf %#x.%u differs", id,
		      bases[base] + leaf, subleaf);
	}
}

static void own_leaves(void)
{
	struct rf_cpuid base = ask(RF_CPUID_BASE, 0);
	char name[13] = "";

	memcpy(name, &base.ebx, 4);
	memcpy(name + 4, &base.ecx, 4);
	memcpy(name + 8, &base.edx, 4);
	CHECK(!strcmp(name, "RingfenceHV"), "the name is %s", name);
	CHECK(base.eax >= RF_CPUID_TIME && base.eax < RF_CPUID_BASE + 0x100, "last %#x", base.eax);
	CHECK_EQ(ask(RF_CPUID_VERSION, 0).eax, RF_ABI_VERSION, "version");
	CHECK_EQ(ask(RF_CPUID_TIME, 0).eax, start_info->tsc_khz, "TSC frequency");
}

static void policy(void)
{
	struct rf_cpuid one = ask(1, 0);
	struct rf_cpuid seven = ask(7, 0);
	struct rf_cpuid extended = ask(0x80000001, 0);

	CHECK(one.ecx >> 31 & 1, "runs on a hypervisor");
	CHECK(!(one.ecx >> 3 & 1), "monitor");
	CHECK(!(one.ecx >> 5 & 1), "vmx");
	CHECK(!(one.ecx >> 21 & 1), "x2apic");
	CHECK(!(one.edx >> 12 & 1), "mtrr");
	CHECK(!(seven.ebx >> 7 & 1), "smep");
	CHECK(!(seven.ebx >> 20 & 1), "smap");
	CHECK(!(seven.ebx >> 10 & 1), "invpcid");
	CHECK(seven.ebx & 1, "fsgsbase");
	CHECK(!(seven.ecx >> 2 & 1), "umip");
	CHECK(!(seven.ecx >> 16 & 1), "la57");
	CHECK(!(extended.ecx >> 2 & 1), "svm");
	CHECK(extended.edx >> 11 & 1, "syscall");
	CHECK(extended.edx >> 20 & 1, "nx");
	CHECK(extended.edx >> 29 & 1, "long mode");
}

static void pointers(void)
{
	CHECK_EQ(hv_cpuid(0, 0, 0), -EFAULT, "NULL");
	CHECK_EQ(hv_cpuid(0, 0, HYPERVISOR_START), -EFAULT, "hypervisor");
	CHECK_EQ(hv_cpuid(0, 0, ~0UL - 3), -EFAULT, "wraps");
}

void test_main(void)
{
	struct rf_cpuid answer;
	uint32_t id, base, leaf, i;

	collect(NULL);
	for (id = 1; id < start_info->vcpus; id++) {
		vcpu_start(id, collect, NULL);
		vcpu_wait(id);
		for (base = 0; base < 3; base++) {
			for (leaf = 0; leaf < LEAVES; leaf++)
				compare(id, base, leaf);
		}
	}
	own_leaves();
	policy();
	pointers();
	/* Any number is answered or refused, never more. */
	for (i = 0; i < 2000; i++)
		CHECK(hv_cpuid(random_u64(), random_u64(), ADDRESS(&answer)) <= 0, "random");
}
