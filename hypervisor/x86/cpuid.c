// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a guest learns by the hypercall cpuid: features that ring 3 can use as they are, the same
 * on every CPU.
 *
 * Interface: cpuid.h. No locks: the words are settled before the first guest runs.
 *
 * A feature is shown only if it is in the lists below: what privileged code uses (SMEP, PCID, APIC,
 * MTRR, MONITOR, virtualization, performance counters, speculation controls ...) is the
 * hypervisor's business, and what is new is nobody's until it has been looked at. User code that
 * executes CPUID sees the machine's own answer; XGETBV tells it what is enabled.
 */
#include "cpuid.h"

#include <stddef.h>

#include "abi/errno.h"
#include "abi/version.h"
#include "arch.h"
#include "arch_hypercall.h"
#include "cpu.h"
#include "fpu.h"
#include "guest_access.h"
#include "log.h"
#include "vcpu.h"

#define BIT(n) (1U << (n))

enum word {
	WORD_1_ECX,
	WORD_1_EDX,
	WORD_7_EBX,
	WORD_7_ECX,
	WORD_7_EDX,
	WORD_7_1_EAX,
	WORD_D_1_EAX,
	WORD_80000001_ECX,
	WORD_80000001_EDX,
	WORD_80000007_EDX,
	WORD_80000008_EBX,
	WORDS
};

/* SSE3 PCLMULQDQ SSSE3 FMA CX16 SSE4.1 SSE4.2 MOVBE POPCNT AES XSAVE OSXSAVE AVX F16C RDRAND */
#define ALLOWED_1_ECX                                                                              \
	(BIT(0) | BIT(1) | BIT(9) | BIT(12) | BIT(13) | BIT(19) | BIT(20) | BIT(22) | BIT(23) |    \
	 BIT(25) | BIT(26) | BIT(27) | BIT(28) | BIT(29) | BIT(30))
/* FPU DE PSE TSC MSR PAE CX8 PGE CMOV PAT PSE36 CLFLUSH MMX FXSR SSE SSE2 SS */
#define ALLOWED_1_EDX                                                                              \
	(BIT(0) | BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(8) | BIT(13) | BIT(15) |        \
	 BIT(16) | BIT(17) | BIT(19) | BIT(23) | BIT(24) | BIT(25) | BIT(26) | BIT(27))
/* FSGSBASE BMI1 AVX2 FDP_EXCPTN BMI2 ERMS FCS_FDS RDSEED ADX CLFLUSHOPT CLWB SHA */
#define ALLOWED_7_EBX                                                                              \
	(BIT(0) | BIT(3) | BIT(5) | BIT(6) | BIT(8) | BIT(9) | BIT(13) | BIT(18) | BIT(19) |       \
	 BIT(23) | BIT(24) | BIT(29))
/* AVX512: F DQ IFMA PF ER CD BW VL */
#define AVX512_7_EBX	(BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27) | BIT(28) | BIT(30) | BIT(31))
/* GFNI VAES VPCLMULQDQ RDPID CLDEMOTE MOVDIRI MOVDIR64B */
#define ALLOWED_7_ECX	(BIT(8) | BIT(9) | BIT(10) | BIT(22) | BIT(25) | BIT(27) | BIT(28))
/* AVX512: VBMI VBMI2 VNNI BITALG VPOPCNTDQ */
#define AVX512_7_ECX	(BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14))
/* FSRM SERIALIZE */
#define ALLOWED_7_EDX	(BIT(4) | BIT(14))
/* AVX512: 4VNNIW 4FMAPS VP2INTERSECT FP16 */
#define AVX512_7_EDX	(BIT(2) | BIT(3) | BIT(8) | BIT(23))
/* AVX_VNNI FZRM FSRS FSRCS */
#define ALLOWED_7_1_EAX (BIT(4) | BIT(10) | BIT(11) | BIT(12))
/* AVX512_BF16 */
#define AVX512_7_1_EAX	BIT(5)
/* XSAVEOPT XSAVEC XGETBV1 */
#define ALLOWED_D_1_EAX (BIT(0) | BIT(1) | BIT(2))
/* LAHF ABM SSE4A MISALIGNSSE 3DNOWPREFETCH XOP FMA4 TBM */
#define ALLOWED_80000001_ECX                                                                       \
	(BIT(0) | BIT(5) | BIT(6) | BIT(7) | BIT(8) | BIT(11) | BIT(16) | BIT(21))
/* SYSCALL NX MMXEXT FXSR_OPT PDPE1GB RDTSCP LM 3DNOWEXT 3DNOW, and copies of leaf 1 */
#define ALLOWED_80000001_EDX                                                                       \
	((ALLOWED_1_EDX & 0x0183f3ff) | BIT(11) | BIT(20) | BIT(22) | BIT(25) | BIT(26) |          \
	 BIT(27) | BIT(29) | BIT(30) | BIT(31))
/* Invariant TSC */
#define ALLOWED_80000007_EDX BIT(8)
/* CLZERO XSAVEERPTR */
#define ALLOWED_80000008_EBX (BIT(0) | BIT(2))

#define HYPERVISOR_1_ECX     BIT(31)

/* Of leaf 1 in `avx` when the state component is not there for guests. */
#define AVX_1_ECX	     (BIT(12) | BIT(28) | BIT(29))
#define AVX_7_EBX	     BIT(5)
#define AVX_7_ECX	     (BIT(9) | BIT(10))
#define AVX_7_1_EAX	     BIT(4)
#define AVX_80000001_ECX     (BIT(11) | BIT(16))

/* Where each word is, which of it goes without AVX, and which of it comes with AVX-512. */
static const struct {
	uint32_t leaf;
	uint8_t subleaf;
	uint8_t index; /* 0 EAX, 1 EBX, 2 ECX, 3 EDX */
	uint32_t allowed;
	uint32_t avx;
	uint32_t avx512;
} places[WORDS] = {
	[WORD_1_ECX] = { 1, 0, 2, ALLOWED_1_ECX, AVX_1_ECX, 0 },
	[WORD_1_EDX] = { 1, 0, 3, ALLOWED_1_EDX, 0, 0 },
	[WORD_7_EBX] = { 7, 0, 1, ALLOWED_7_EBX, AVX_7_EBX, AVX512_7_EBX },
	[WORD_7_ECX] = { 7, 0, 2, ALLOWED_7_ECX, AVX_7_ECX, AVX512_7_ECX },
	[WORD_7_EDX] = { 7, 0, 3, ALLOWED_7_EDX, 0, AVX512_7_EDX },
	[WORD_7_1_EAX] = { 7, 1, 0, ALLOWED_7_1_EAX, AVX_7_1_EAX, AVX512_7_1_EAX },
	[WORD_D_1_EAX] = { 0xd, 1, 0, ALLOWED_D_1_EAX, 0, 0 },
	[WORD_80000001_ECX] = { 0x80000001, 0, 2, ALLOWED_80000001_ECX, AVX_80000001_ECX, 0 },
	[WORD_80000001_EDX] = { 0x80000001, 0, 3, ALLOWED_80000001_EDX, 0, 0 },
	[WORD_80000007_EDX] = { 0x80000007, 0, 3, ALLOWED_80000007_EDX, 0, 0 },
	[WORD_80000008_EBX] = { 0x80000008, 0, 1, ALLOWED_80000008_EBX, 0, 0 },
};

/* The last leaves a guest may ask for; beyond them all reads zero. */
#define LAST_BASIC    0xd
#define LAST_EXTENDED 0x80000008U

static uint32_t words[WORDS];
static uint32_t last_basic, last_extended;

/* --- What there is ------------------------------------------------------------------------------ */

/* A CPU answers a leaf beyond its last one with that of another: ask first. */
static bool leaf_exists(uint32_t leaf)
{
	return leaf <= cpuid_read(leaf & 0x80000000U, 0).eax;
}

static uint32_t word_read(enum word word)
{
	const struct rf_cpuid r = cpuid_read(places[word].leaf, places[word].subleaf);
	const uint32_t values[4] = { r.eax, r.ebx, r.ecx, r.edx };

	return leaf_exists(places[word].leaf) ? values[places[word].index] : 0;
}

static uint32_t word_allowed(enum word word)
{
	uint32_t allowed = places[word].allowed;

	if (fpu_components() & XCR0_AVX512)
		allowed |= places[word].avx512;
	if (!(fpu_components() & XCR0_AVX))
		allowed &= ~places[word].avx;
	return allowed;
}

static uint32_t lesser(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

void cpuid_init(void)
{
	last_basic = lesser(cpuid_read(0, 0).eax, LAST_BASIC);
	last_extended = lesser(cpuid_read(0x80000000U, 0).eax, LAST_EXTENDED);
	for (unsigned i = 0; i < WORDS; i++)
		words[i] = word_read(i) & word_allowed(i);
}

void cpuid_init_cpu(void)
{
	for (unsigned i = 0; i < WORDS; i++) {
		uint32_t missing = words[i] & ~word_read(i);

		if (!missing)
			continue;
		log_warning("CPU %u lacks features %#x of CPUID leaf %#x: hidden from guests",
			    this_cpu()->id, missing, places[i].leaf);
		__atomic_fetch_and(&words[i], ~missing, __ATOMIC_RELAXED);
	}
}

/* --- What a guest sees -------------------------------------------------------------------------- */

/* Each vCPU looks like a processor with one core of its own. */
static void leaf_1(struct rf_cpuid *r)
{
	r->ebx = (r->ebx & 0xff00) | 1U << 16 | vcpu_current()->id << 24;
	r->ecx = words[WORD_1_ECX] | HYPERVISOR_1_ECX;
	r->edx = words[WORD_1_EDX];
}

/* Caches, shared with nobody. */
static void leaf_4(struct rf_cpuid *r)
{
	r->eax &= 0x3fff;
}

static void leaf_7(struct rf_cpuid *r, uint32_t subleaf)
{
	*r = (struct rf_cpuid){};
	if (subleaf == 0) {
		r->eax = 1;
		r->ebx = words[WORD_7_EBX];
		r->ecx = words[WORD_7_ECX];
		r->edx = words[WORD_7_EDX];
	} else if (subleaf == 1) {
		r->eax = words[WORD_7_1_EAX];
	}
}

/* Sizes of what the guest has enabled are the CPU's own answer: XCR0 is the guest's. */
static void leaf_d(struct rf_cpuid *r, uint32_t subleaf)
{
	if (subleaf == 0) {
		r->eax = (uint32_t)fpu_components();
		r->ecx = fpu_area_size();
		r->edx = 0;
	} else if (subleaf == 1) {
		r->eax = words[WORD_D_1_EAX];
		r->ecx = r->edx = 0;
	} else if (subleaf >= 32 || !(fpu_components() >> subleaf & 1)) {
		*r = (struct rf_cpuid){};
	}
}

static void basic_leaf(struct rf_cpuid *r, uint32_t leaf, uint32_t subleaf)
{
	switch (leaf) {
	case 0:
		r->eax = last_basic;
		break;
	case 1:
		leaf_1(r);
		break;
	case 2:
		break;
	case 4:
		leaf_4(r);
		break;
	case 7:
		leaf_7(r, subleaf);
		break;
	case 0xd:
		leaf_d(r, subleaf);
		break;
	default:
		*r = (struct rf_cpuid){};
	}
}

static void extended_leaf(struct rf_cpuid *r, uint32_t leaf)
{
	switch (leaf) {
	case 0x80000000U:
		r->eax = last_extended;
		break;
	case 0x80000001U:
		r->ecx = words[WORD_80000001_ECX];
		r->edx = words[WORD_80000001_EDX];
		break;
	case 0x80000007U:
		*r = (struct rf_cpuid){ .edx = words[WORD_80000007_EDX] };
		break;
	case 0x80000008U:
		/* Physical and linear address bits; the third byte is for other hypervisors. */
		*r = (struct rf_cpuid){ .eax = r->eax & 0xffff, .ebx = words[WORD_80000008_EBX] };
		break;
	}
}

static struct rf_cpuid own_leaf(uint32_t leaf)
{
	switch (leaf) {
	case RF_CPUID_BASE:
		return (struct rf_cpuid){ RF_CPUID_TIME, 0x676e6952, 0x636e6566, 0x00564865 };
	case RF_CPUID_VERSION:
		return (struct rf_cpuid){ .eax = RF_ABI_VERSION };
	case RF_CPUID_TIME:
		return (struct rf_cpuid){ .eax = (uint32_t)arch_tsc_khz() };
	}
	return (struct rf_cpuid){};
}

static struct rf_cpuid guest_leaf(uint32_t leaf, uint32_t subleaf)
{
	struct rf_cpuid r = {};

	if (leaf >= RF_CPUID_BASE && leaf < RF_CPUID_BASE + 0x100)
		return own_leaf(leaf);
	if (leaf <= last_basic) {
		r = cpuid_read(leaf, subleaf);
		basic_leaf(&r, leaf, subleaf);
	} else if (leaf >= 0x80000000U && leaf <= last_extended) {
		r = cpuid_read(leaf, subleaf);
		extended_leaf(&r, leaf);
	}
	return r;
}

int64_t do_cpuid(uint64_t leaf, uint64_t subleaf, uint64_t result)
{
	struct rf_cpuid answer;

	if (leaf > UINT32_MAX || subleaf > UINT32_MAX)
		return -EINVAL;
	answer = guest_leaf((uint32_t)leaf, (uint32_t)subleaf);
	return copy_to_guest(result, &answer, sizeof(answer));
}
