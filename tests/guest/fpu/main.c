// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that x87, SSE and AVX registers are each vCPU's own, whichever domain it is of, begin in
 * their initial state, and that their exceptions arrive.
 */
/* covers: set_xcr0, vcpu_init */
#include "test.h"

const char test_title[] = "floating point and vector state";

#define ROUNDS	     300
#define MXCSR_INIT   0x1f80
#define CONTROL_INIT 0x37f

/* What can be put into and read back from the registers. */
struct state {
	uint64_t ymm[16][4];
	uint64_t x87[8];
	uint32_t mxcsr;
	uint16_t control;
};

static bool has_avx;
static uint32_t running;

#define ALL_REGISTERS(X)                                                                           \
	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

static void load(const struct state *s)
{
	uint32_t i;

	asm volatile("fninit");
	for (i = 0; i < 8; i++)
		asm volatile("fildll %0" : : "m"(s->x87[i]));
	asm volatile("fldcw %0" : : "m"(s->control));
	asm volatile("ldmxcsr %0" : : "m"(s->mxcsr));
#define LOAD_XMM(n) asm volatile("movups %0, %%xmm" #n : : "m"(s->ymm[n]));
#define LOAD_YMM(n) asm volatile("vmovups %0, %%ymm" #n : : "m"(s->ymm[n]));
	if (has_avx) {
		ALL_REGISTERS(LOAD_YMM)
	} else {
		ALL_REGISTERS(LOAD_XMM)
	}
}

static void store(struct state *s)
{
	uint32_t i;

	memset(s, 0, sizeof(*s));
#define STORE_XMM(n) asm volatile("movups %%xmm" #n ", %0" : "=m"(s->ymm[n]));
#define STORE_YMM(n) asm volatile("vmovups %%ymm" #n ", %0" : "=m"(s->ymm[n]));
	if (has_avx) {
		ALL_REGISTERS(STORE_YMM)
	} else {
		ALL_REGISTERS(STORE_XMM)
	}
	asm volatile("stmxcsr %0" : "=m"(s->mxcsr));
	asm volatile("fnstcw %0" : "=m"(s->control));
	for (i = 0; i < 8; i++)
		asm volatile("fistpll %0" : "=m"(s->x87[7 - i]));
}

static void fill(struct state *s, uint64_t owner)
{
	uint32_t i, j;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < 16; i++) {
		for (j = 0; j < (has_avx ? 4 : 2); j++)
			s->ymm[i][j] = owner << 56 | (random_u64() & 0xffffffffffffff);
	}
	for (i = 0; i < 8; i++)
		s->x87[i] = owner << 32 | (random_u64() & 0xffffffff);
	s->mxcsr = MXCSR_INIT | (uint32_t)(owner & 3) << 13;
	s->control = (uint16_t)(CONTROL_INIT | (owner & 3) << 10);
}

/* A vCPU that starts finds nothing of whoever used the CPU before. */
static void check_initial(void)
{
	uint16_t control, tag;
	uint32_t mxcsr, i, j;
	struct state now;

	asm volatile("fnstcw %0" : "=m"(control));
	asm volatile("stmxcsr %0" : "=m"(mxcsr));
	asm volatile("fnstsw %0" : "=m"(tag));
	CHECK_EQ(control, CONTROL_INIT, "x87 control word");
	CHECK_EQ(tag, 0, "x87 status word");
	CHECK_EQ(mxcsr, MXCSR_INIT, "mxcsr");
	store(&now);
	for (i = 0; i < 16; i++) {
		for (j = 0; j < 4; j++)
			CHECK_EQ(now.ymm[i][j], 0, "register %u, word %u", i, j);
	}
}

static void enable_avx(void)
{
	if (has_avx)
		CHECK_EQ(hv_set_xcr0(7), 0, "x87, SSE and AVX");
}

static void worker(void *argument)
{
	struct state mine, now;
	uint64_t owner = this_vcpu()->id + 1;
	uint32_t i;

	enable_avx();
	if (argument)
		check_initial();
	atomic_add(&running, 1);
	for (i = 0; i < ROUNDS; i++) {
		fill(&mine, owner);
		load(&mine);
		hv_yield();
		if (i % 16 == 0)
			clock_spin(MILLISECOND);
		store(&now);
		if (!CHECK(!memcmp(&mine, &now, sizeof(now)), "vCPU %lu, round %u: state differs",
			   owner - 1, i))
			printf("  xmm0 %#lx is %#lx, x87 %#lx is %#lx, mxcsr %#x is %#x\n",
			       mine.ymm[0][0], now.ymm[0][0], mine.x87[0], now.x87[0], mine.mxcsr,
			       now.mxcsr);
	}
	fill(&mine, 0xee); /* for the next one to find, if it could */
	load(&mine);
}

static void isolation(void)
{
	uint32_t id, round;

	for (round = 0; round < 2; round++) {
		for (id = 1; id < start_info->vcpus; id++)
			vcpu_start(id, worker, &running);
		worker(NULL);
		for (id = 1; id < start_info->vcpus; id++)
			vcpu_wait(id);
	}
}

static void bad_xcr0(void)
{
	uint32_t i;

	CHECK_EQ(hv_set_xcr0(0), -EINVAL, "no x87");
	CHECK_EQ(hv_set_xcr0(2), -EINVAL, "no x87");
	CHECK_EQ(hv_set_xcr0(5), -EINVAL, "AVX without SSE");
	CHECK_EQ(hv_set_xcr0(0x23), -EINVAL, "a part of AVX-512");
	for (i = 19; i < 64; i++)
		CHECK_EQ(hv_set_xcr0(3 | 1UL << i), -EINVAL, "bit %u", i);
	CHECK_EQ(hv_set_xcr0(~0UL), -EINVAL, "everything");
	CHECK_EQ(hv_set_xcr0(3), 0, "x87 and SSE");
}

static void exceptions(void)
{
	static const uint32_t mxcsr = MXCSR_INIT & ~0x200; /* divide by zero unmasked */
	static const uint16_t control = CONTROL_INIT & ~4;
	static const uint32_t mxcsr_reserved = 0x80000000;
	static const uint32_t mxcsr_init = MXCSR_INIT;
	struct trap trap;

	TRY(&trap)
	asm volatile("ldmxcsr %0; xorps %%xmm1, %%xmm1; pcmpeqd %%xmm0, %%xmm0; psrld $25, %%xmm0;"
		     "pslld $23, %%xmm0; divss %%xmm1, %%xmm0"
		     :
		     : "m"(mxcsr));
	/* QEMU without KVM raises neither this one nor that for the reserved bit. */
	CHECK(trap.vector == VECTOR_XM || trap.vector == VECTOR_NONE, "SSE division by zero: %lu",
	      trap.vector);
	asm volatile("ldmxcsr %0" : : "m"(mxcsr_init));
	TRY(&trap)
	asm volatile("fninit; fldcw %0; fld1; fldz; fdivrp; fwait" : : "m"(control));
	CHECK_EQ(trap.vector, VECTOR_MF, "x87 division by zero");
	asm volatile("fninit");
	TRY(&trap)
	asm volatile("ldmxcsr %0" : : "m"(mxcsr_reserved));
	CHECK(trap.vector == VECTOR_GP || trap.vector == VECTOR_NONE, "reserved bit of mxcsr: %lu",
	      trap.vector);
	asm volatile("ldmxcsr %0" : : "m"(mxcsr_init));
}

static void all(void)
{
	struct rf_cpuid leaf = {};

	hv_cpuid(1, 0, ADDRESS(&leaf));
	has_avx = leaf.ecx >> 28 & 1;
	printf("%s AVX\n", has_avx ? "with" : "without");
	bad_xcr0();
	enable_avx();
	check_initial();
	exceptions();
	isolation();
	CHECK(atomic_load(&running) == 2 * start_info->vcpus, "%u ran", running);
}

/* Twice at the same time, so that domains change places on the CPUs as well. */
static const struct scenario scenarios[] = { { "other_domain", all, SCENARIO_ENDS } };

void test_main(void)
{
	if (test_is_control())
		all();
	scenarios_run(scenarios, 1);
}
