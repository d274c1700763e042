// SPDX-License-Identifier: GPL-2.0
/*
 * Floating point and vector registers, those of x87, SSE and AVX if there are any, and their control
 * words: each thread keeps its own across switches, signals, and processors that it moves to.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "check.h"

#define THREADS 8
#define ROUNDS	400

struct state {
	uint64_t vector[16][4];
	uint64_t x87[8];
	uint32_t mxcsr;
	uint16_t control;
};

static bool has_avx;
static volatile unsigned handled;

#define EACH(operation)                                                                            \
	operation(0) operation(1) operation(2) operation(3) operation(4) operation(5) operation(6) \
	operation(7) operation(8) operation(9) operation(10) operation(11) operation(12)           \
	operation(13) operation(14) operation(15)

#define LOAD_YMM(n)  "vmovdqu 32*" #n "(%0), %%ymm" #n "\n"
#define STORE_YMM(n) "vmovdqu %%ymm" #n ", 32*" #n "(%0)\n"
#define LOAD_XMM(n)  "movdqu 32*" #n "(%0), %%xmm" #n "\n"
#define STORE_XMM(n) "movdqu %%xmm" #n ", 32*" #n "(%0)\n"

/* Values of x87 in the order in which they come off its stack. */
static void load_x87(const struct state *state)
{
	asm volatile("fninit; fldcw %0" : : "m"(state->control));
	for (int i = 7; i >= 0; i--)
		asm volatile("fildll %0" : : "m"(state->x87[i]));
}

static void store_x87(struct state *state)
{
	asm volatile("fnstcw %0" : "=m"(state->control));
	for (int i = 0; i < 8; i++)
		asm volatile("fistpll %0" : "=m"(state->x87[i]));
}

/* Between load and store there must be no code of the compiler's that could use the registers. */
static __attribute__((noinline)) void hold(const struct state *in, struct state *out)
{
	load_x87(in);
	asm volatile("ldmxcsr %0" : : "m"(in->mxcsr));
	if (has_avx)
		asm volatile(EACH(LOAD_YMM) : : "r"(in->vector) : "memory");
	else
		asm volatile(EACH(LOAD_XMM) : : "r"(in->vector) : "memory");
	for (int i = 0; i < 3; i++)
		asm volatile("syscall" : : "a"(SYS_sched_yield) : "rcx", "r11", "memory");
	if (has_avx)
		asm volatile(EACH(STORE_YMM) "vzeroupper\n" : : "r"(out->vector) : "memory");
	else
		asm volatile(EACH(STORE_XMM) : : "r"(out->vector) : "memory");
	asm volatile("stmxcsr %0" : "=m"(out->mxcsr));
	store_x87(out);
}

static struct state state_of(uint64_t seed)
{
	struct state state = { .mxcsr = 0x1f80 | (seed & 3) << 13,
			       .control = (uint16_t)(0x37f & ~((seed & 1) << 8)) };

	for (int i = 0; i < 16; i++)
		for (int j = 0; j < (has_avx ? 4 : 2); j++)
			state.vector[i][j] = seed * 0x9e3779b97f4a7c15 + (uint64_t)(i * 4 + j);
	/* 24 bits, so that every precision can hold them. */
	for (int i = 0; i < 8; i++)
		state.x87[i] = (seed * 8 + (uint64_t)i) & 0xffffff;
	return state;
}

static void *work(void *number)
{
	uint64_t seed = (uint64_t)(uintptr_t)number;

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct state in = state_of(seed * 1000 + i), out = {};

		hold(&in, &out);
		asm volatile("ldmxcsr %0" : : "m"((uint32_t){ 0x1f80 }));
		check((out.mxcsr & ~0x3fU) == in.mxcsr && out.control == in.control);
		check(memcmp(in.vector, out.vector, sizeof(in.vector)) == 0);
		check(memcmp(in.x87, out.x87, sizeof(in.x87)) == 0);
	}
	return NULL;
}

/* The handler's registers are fresh ones, and are forgotten when it returns. */
static void on_alarm(int signal)
{
	struct state in = state_of(handled + 77), out = {};
	uint16_t control;
	uint32_t mxcsr;

	(void)signal;
	asm volatile("fnstcw %0; stmxcsr %1" : "=m"(control), "=m"(mxcsr));
	check(control == 0x37f && mxcsr == 0x1f80);
	hold(&in, &out);
	check(memcmp(in.vector, out.vector, sizeof(in.vector)) == 0);
	asm volatile("fninit");
	handled++;
}

int main(void)
{
	struct itimerval often = { { 0, 3000 }, { 0, 3000 } };
	unsigned a, b, c, d, low = 0, high;
	pthread_t threads[THREADS];

	check(__get_cpuid(1, &a, &b, &c, &d));
	if (c & bit_OSXSAVE)
		asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	has_avx = (c & bit_AVX) && (low & 6) == 6;
	check(signal(SIGALRM, on_alarm) != SIG_ERR);
	check(setitimer(ITIMER_REAL, &often, NULL) == 0);
	for (uintptr_t i = 0; i < THREADS; i++)
		check(pthread_create(&threads[i], NULL, work, (void *)(i + 1)) == 0);
	for (int i = 0; i < THREADS; i++)
		check(pthread_join(threads[i], NULL) == 0);
	while (!handled)
		;
	return 0;
}
