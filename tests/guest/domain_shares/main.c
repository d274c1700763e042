// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that weight, cap and affinity do what they say when they are changed while a domain runs, and
 * that a paused domain gets no time at all. The machine's time is that of its instructions, so that the
 * host's own scheduling is not measured.
 */
/* covers: domain_set, counters, domain_info */
/* timeout: 200 */
/* cpus: 2 */
#include "child.h"
#include "test.h"

const char test_title[] = "shares of the CPU, changed while domains run";

#define MEASURE SECOND

static uint64_t run_ns(uint32_t domain)
{
	struct rf_domain_info info = {};

	CHECK_EQ(hv_domain_info(domain, ADDRESS(&info)), 0, "info");
	return info.run_ns;
}

static void set(uint32_t domain, struct rf_domain_set what)
{
	CHECK_EQ(hv_domain_set(domain, ADDRESS(&what)), 0, "set %u", domain);
}

#define SET(domain, ...) set(domain, (struct rf_domain_set){ __VA_ARGS__ })

static void sleep(uint64_t ns)
{
	uint64_t end = clock_ns() + ns;

	while (clock_ns() < end)
		hv_poll(end);
}

static void measure(uint32_t a, uint32_t b, uint64_t *a_ns, uint64_t *b_ns)
{
	sleep(MEASURE / 10);
	*a_ns = run_ns(a);
	*b_ns = run_ns(b);
	sleep(MEASURE);
	*a_ns = run_ns(a) - *a_ns;
	*b_ns = run_ns(b) - *b_ns;
}

static bool is_about(uint64_t actual, uint64_t expected, uint64_t percent)
{
	return actual * 100 >= expected * (100 - percent) &&
	       actual * 100 <= expected * (100 + percent);
}

static uint32_t spinner(const char *name, uint64_t affinity)
{
	uint32_t domain = child_create(name, CHILD_SPINS, 1);

	SET(domain, .mask = RF_SET_AFFINITY | RF_SET_PAUSED, .vcpu = RF_SET_EVERY_VCPU,
	    .affinity = affinity);
	return domain;
}

static void check_ratio(uint32_t a, uint32_t b, uint64_t ratio)
{
	uint64_t a_ns, b_ns;

	measure(a, b, &a_ns, &b_ns);
	printf("1:%lu gave %lu ms and %lu ms\n", ratio, a_ns / MILLISECOND, b_ns / MILLISECOND);
	CHECK(is_about(b_ns, ratio * a_ns, 10), "%lu and %lu ms", a_ns / MILLISECOND,
	      b_ns / MILLISECOND);
}

static void weights(uint32_t a, uint32_t b)
{
	check_ratio(a, b, 1);
	SET(b, .mask = RF_SET_WEIGHT, .weight = 768);
	check_ratio(a, b, 3);
	SET(a, .mask = RF_SET_WEIGHT, .weight = 128);
	check_ratio(a, b, 6);
	SET(a, .mask = RF_SET_WEIGHT, .weight = 768);
	check_ratio(a, b, 1);
}

static void caps(uint32_t a, uint32_t b)
{
	uint64_t a_ns, b_ns;

	SET(a, .mask = RF_SET_CAP, .cap = 20);
	measure(a, b, &a_ns, &b_ns);
	printf("cap 20 of 100 gave %lu ms, the other %lu ms\n", a_ns / MILLISECOND,
	       b_ns / MILLISECOND);
	CHECK(is_about(a_ns, MEASURE / 5, 10), "%lu ms", a_ns / MILLISECOND);
	CHECK(is_about(b_ns, MEASURE * 4 / 5, 10), "%lu ms", b_ns / MILLISECOND);
	/* Alone, it gets no more. */
	SET(b, .mask = RF_SET_PAUSED, .paused = 1);
	measure(a, b, &a_ns, &b_ns);
	CHECK(is_about(a_ns, MEASURE / 5, 10), "%lu ms", a_ns / MILLISECOND);
	CHECK_EQ(b_ns, 0, "paused");
	SET(a, .mask = RF_SET_CAP, .cap = 0);
	measure(a, b, &a_ns, &b_ns);
	CHECK(is_about(a_ns, MEASURE, 5), "%lu ms", a_ns / MILLISECOND);
	SET(b, .mask = RF_SET_PAUSED, .paused = 0);
	check_ratio(a, b, 1);
}

static uint32_t cpu_of(uint32_t domain)
{
	static struct rf_counters counters;

	CHECK_EQ(hv_counters(domain, 0, ADDRESS(&counters)), 0, "counters");
	return counters.cpu;
}

/* Wherever it runs, it goes where it is told to, and is never seen elsewhere. */
static void affinities(uint32_t domain)
{
	uint32_t i, j;

	for (i = 0; i < 20; i++) {
		uint32_t cpu = i & 1;
		uint64_t before;

		SET(domain, .mask = RF_SET_AFFINITY, .vcpu = 0, .affinity = 1U << cpu);
		sleep(10 * MILLISECOND);
		before = run_ns(domain);
		for (j = 0; j < 10; j++) {
			CHECK_EQ(cpu_of(domain), cpu, "affinity");
			sleep(2 * MILLISECOND);
		}
		CHECK(run_ns(domain) > before, "it does not run on CPU %u", cpu);
	}
}

void test_main(void)
{
	uint32_t a, b;

	if (!test_is_control())
		return;
	a = spinner("a", 2);
	b = spinner("b", 2);
	weights(a, b);
	caps(a, b);
	child_end(b);
	affinities(a);
	child_end(a);
	test_audit();
}
