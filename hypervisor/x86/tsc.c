// SPDX-License-Identifier: BSD-2-Clause
/*
 * The clock: nanoseconds from the cycle counter.
 *
 * Interface: tsc.h, and arch_time_ns(), arch_tsc(), arch_tsc_khz(), arch_time_scale() of arch.h.
 * Locks: none; what is here is written once, before other processors run.
 * The rate comes from CPUID 0x15 if the processor says it exactly, else from a comparison with
 * the PIT's channel 2, else from CPUID 0x16. A sample of the PIT is read between two reads of
 * the counter, and the narrowest pair of several is used; a comparison during which the host of
 * a virtual machine paused so long that the PIT ran out is thrown away. Odd: the loops between
 * samples count instructions instead of reading a clock, since reads of clocks are what is slow
 * under emulation, above all when instructions are counted to make time.
 */
#include "tsc.h"

#include <stdbool.h>

#include "arch.h"
#include "boot.h"
#include "cpu_setup.h"
#include "instructions.h"
#include "log.h"
#include "port.h"

#define PIT_HZ	      1193182ULL
#define PIT_CHANNEL2  0x42
#define PIT_COMMAND   0x43
#define PIT_ONE_SHOT2 0xb0 /* channel 2, both bytes, mode 0 */
#define PIT_LATCH2    0x80
#define PIT_CONTROL   0x61
#define PIT_GATE2     0x01
#define PIT_SPEAKER   0x02
#define PIT_OUTPUT2   0x20
#define PIT_TICKS     23864 /* 20 ms: how long to compare */

#define SAMPLE_TRIES  5
#define COMPARE_TRIES 10
#define POLLS_MAX     200000
#define POLL_LOOPS    2000
#define DELAY_LOOPS   200

#define NS_PER_SECOND 1000000000ULL
#define HZ_MIN	      1000000ULL
#define HZ_MAX	      100000000000ULL

struct sample {
	uint64_t tsc;
	uint64_t width; /* between the two reads of the counter */
	uint16_t pit;
};

static uint64_t tsc_start;
static uint64_t tsc_khz;
static uint32_t time_multiplier;
static int32_t time_shift;
static uint64_t inverse_multiplier; /* 2^64 / time_multiplier, rounded up */

static void spin(uint32_t loops)
{
	asm volatile("1: decl %0; jnz 1b" : "+r"(loops));
}

static struct sample take_sample(void)
{
	struct sample best = { .width = ~0ULL };

	for (int i = 0; i < SAMPLE_TRIES; i++) {
		struct sample s;
		uint64_t before = tsc_read();

		port_write8(PIT_COMMAND, PIT_LATCH2);
		s.width = tsc_read() - before;
		s.tsc = before + s.width / 2;
		s.pit = port_read8(PIT_CHANNEL2);
		s.pit |= (uint16_t)(port_read8(PIT_CHANNEL2) << 8);
		if (s.width < best.width)
			best = s;
	}
	return best;
}

/* Counter ticks a second by one comparison; 0 if it failed. */
static uint64_t compare_with_pit(void)
{
	struct sample first, last;
	uint8_t control = port_read8(PIT_CONTROL) & ~(PIT_GATE2 | PIT_SPEAKER);
	uint32_t polls = 0;

	port_write8(PIT_CONTROL, control | PIT_GATE2);
	port_write8(PIT_COMMAND, PIT_ONE_SHOT2);
	port_write8(PIT_CHANNEL2, 0xff);
	port_write8(PIT_CHANNEL2, 0xff);
	spin(POLL_LOOPS);
	first = take_sample();
	do {
		spin(POLL_LOOPS);
		last = take_sample();
	} while ((uint16_t)(first.pit - last.pit) < PIT_TICKS && ++polls < POLLS_MAX);

	/* It ran out, or it does not run at all. */
	if ((port_read8(PIT_CONTROL) & PIT_OUTPUT2) || last.pit >= first.pit ||
	    last.tsc <= first.tsc)
		return 0;
	port_write8(PIT_CONTROL, control);
	return (last.tsc - first.tsc) * PIT_HZ / (uint64_t)(first.pit - last.pit);
}

static uint64_t hz_from_cpuid(void)
{
	struct cpuid r;

	if (cpuid(0, 0).eax < 0x15)
		return 0;
	r = cpuid(0x15, 0);
	return r.eax != 0 ? (uint64_t)r.ecx * r.ebx / r.eax : 0;
}

static uint64_t hz_from_base_clock(void)
{
	return cpuid(0, 0).eax < 0x16 ? 0 : (cpuid(0x16, 0).eax & 0xffff) * 1000000ULL;
}

static bool plausible(uint64_t hz)
{
	return hz >= HZ_MIN && hz <= HZ_MAX;
}

static uint64_t find_hz(const char **how)
{
	uint64_t hz = hz_from_cpuid();

	*how = "as the processor says";
	if (plausible(hz))
		return hz;
	*how = "compared with the PIT";
	for (int i = 0; i < COMPARE_TRIES; i++) {
		hz = compare_with_pit();
		if (plausible(hz))
			return hz;
	}
	*how = "assumed from the base clock";
	hz = hz_from_base_clock();
	if (plausible(hz))
		return hz;
	boot_refuse("neither CPUID nor the PIT tells how fast the cycle counter runs");
}

/* ns = (ticks << shift, or >> -shift) * multiplier >> 32, with the largest multiplier that fits. */
static void set_scale(uint64_t hz)
{
	uint64_t numerator = NS_PER_SECOND, ticks = hz;

	time_shift = 0;
	while (ticks > numerator * 2) {
		ticks >>= 1;
		time_shift--;
	}
	while (ticks <= numerator) {
		ticks <<= 1;
		time_shift++;
	}
	/* ticks is in (10^9, 2 * 10^9], so this is below 2^32. */
	time_multiplier = (uint32_t)((numerator << 32) / ticks);
	inverse_multiplier = ~0ULL / time_multiplier + 1;
}

void tsc_init(void)
{
	const char *how;
	uint64_t hz = find_hz(&how);

	tsc_khz = hz / 1000;
	set_scale(hz);
	tsc_start = tsc_read();
	log_set_clock(arch_time_ns);
	log_info("tsc: %lu.%03lu MHz, %s", tsc_khz / 1000, tsc_khz % 1000, how);
}

uint64_t arch_tsc(void)
{
	return tsc_read();
}

uint64_t arch_tsc_khz(void)
{
	return tsc_khz;
}

/* The same arithmetic that guests do with the values of arch_time_scale(). */
static uint64_t ns_at(uint64_t tsc)
{
	uint64_t ticks = tsc - tsc_start;

	ticks = time_shift < 0 ? ticks >> -time_shift : ticks << time_shift;
	return (uint64_t)((unsigned __int128)ticks * time_multiplier >> 32);
}

uint64_t arch_time_ns(void)
{
	return ns_at(tsc_read());
}

void arch_time_scale(uint32_t *multiplier, int32_t *shift, uint64_t *tsc, uint64_t *ns)
{
	*multiplier = time_multiplier;
	*shift = time_shift;
	*tsc = tsc_start;
	*ns = 0;
}

/* From now on, so that the rounding of the two multipliers does not add up. */
uint64_t tsc_at(uint64_t ns)
{
	uint64_t tsc = tsc_read(), now = ns_at(tsc);
	unsigned __int128 ticks;

	if (ns <= now)
		return tsc;
	ticks = ((unsigned __int128)(ns - now) * inverse_multiplier >> 32) + 1;
	ticks = time_shift < 0 ? (ticks + 1) << -time_shift : (ticks >> time_shift) + 1;
	/* A deadline that no machine will live to see. */
	if (ticks >> 62)
		return TSC_NEVER;
	return tsc + (uint64_t)ticks;
}

void tsc_delay(uint64_t ns)
{
	uint64_t end = tsc_at(arch_time_ns() + ns);

	while (tsc_read() < end)
		spin(DELAY_LOOPS);
}
