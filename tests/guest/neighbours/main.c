// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that domains that spin, fault, trap, flood the console and raise vectors without end leave
 * a domain that keeps time its share, and that the control domain can destroy them all.
 */
/* covers: domain_destroy, send_ipi, yield */
#include "test.h"

const char test_title[] = "neighbours";

static void spins(void)
{
	interrupts_off();
	for (;;)
		asm volatile("pause");
}

static void faults(void)
{
	struct trap trap;

	for (;;) {
		TRY(&trap)
		load8(TEST_KERNEL_BASE);
	}
}

static void traps(void)
{
	struct user user;

	user_prepare(root_boot());
	for (;;) {
		user_init(&user, 0x1000, 0);
		user_run(&user);
	}
}

static void floods(void)
{
	static char text[4096];

	memset(text, '.', sizeof(text));
	for (;;)
		hv_console_write(ADDRESS(text), sizeof(text));
}

static void own_vectors(void)
{
	interrupts_on();
	for (;;)
		hv_send_ipi(0x80, 1);
}

static void keeps_time(void)
{
	uint64_t last = clock_ns();
	uint64_t end = last + 5 * SECOND;
	uint64_t worst = 0;
	uint64_t now;

	do {
		hv_yield();
		now = clock_ns();
		CHECK(now >= last, "time went back by %lu ns", last - now);
		worst = now - last > worst ? now - last : worst;
		last = now;
	} while (now < end);
	printf("longest wait %lu us\n", worst / 1000);
	/* A long time, because QEMU itself has to wait on a busy host. */
	CHECK(worst < 10 * SECOND, "nothing for %lu us", worst / 1000);
}

static const struct scenario scenarios[] = {
	{ "keeps_time", keeps_time, SCENARIO_ENDS },	  { "spins", spins, SCENARIO_REMAINS },
	{ "faults", faults, SCENARIO_REMAINS },		  { "traps", traps, SCENARIO_REMAINS },
	{ "own_vectors", own_vectors, SCENARIO_REMAINS }, { "floods", floods, SCENARIO_REMAINS },
};

void test_main(void)
{
	scenarios_run(scenarios, sizeof(scenarios) / sizeof(scenarios[0]));
}
