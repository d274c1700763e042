// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that a guest that cannot take an exception is ended, alone and by name, while others go
 * on.
 */
/* status: 1 */
/* covers: set_traps */
#include "test.h"

const char test_title[] = "triple fault";

static void clear_traps(void)
{
	uint32_t n;

	for (n = 0; n < 256; n++)
		trap_register(n, 0, 0);
}

static void no_traps(void)
{
	clear_traps();
	asm volatile("ud2");
}

static void no_traps_user(void)
{
	struct user user;

	user_prepare(root_boot());
	clear_traps();
	user_init(&user, 0x1000, 0);
	user_run(&user);
}

/* The handler is at an address that faults, for ever. */
static void bad_handlers(void)
{
	uint32_t n;

	for (n = 0; n < 256; n++)
		trap_register(n, TEST_KERNEL_BASE, 0);
	asm volatile("ud2");
}

static void own_table_gone(void)
{
	uint64_t *root = pointer_of(root_boot());

	root[511] = 0;
	mmu_flush_all();
	asm volatile("ud2");
}

/*
 * Keeps time for three seconds, in steps that others' ends must not hold up for long. The limit is
 * a long one, because QEMU itself has to wait on a busy host.
 */
static void keeps_time(void)
{
	uint64_t last = clock_ns();
	uint64_t end = last + 3 * SECOND;
	uint64_t now;

	do {
		hv_yield();
		now = clock_ns();
		CHECK(now >= last, "time went back by %lu ns", last - now);
		CHECK(now - last < 10 * SECOND, "nothing for %lu ns", now - last);
		last = now;
	} while (now < end);
}

static const struct scenario scenarios[] = {
	{ "no_traps", no_traps, SCENARIO_CRASHES },
	{ "no_traps_user", no_traps_user, SCENARIO_CRASHES },
	{ "bad_handlers", bad_handlers, SCENARIO_CRASHES },
	{ "own_table_gone", own_table_gone, SCENARIO_CRASHES },
	{ "keeps_time", keeps_time, SCENARIO_ENDS },
};

void test_main(void)
{
	scenarios_run(scenarios, sizeof(scenarios) / sizeof(scenarios[0]));
}
