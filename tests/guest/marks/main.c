// SPDX-License-Identifier: BSD-2-Clause
/*
 * Does known numbers of things between the marks that tests/bench/plugin looks for, and proves that
 * the hypervisor counts them; tests/system/test_bench_plugin.py then proves that the plugin sees
 * the same from outside. The lines are those of tests/bench/program.
 */
/* covers: version */
#include "tests/bench/program/marker.h"
#include "test.h"

const char test_title[] = "marks for the plugin";

#define ROUNDS 1000

USER_ASM(user_call, "1: syscall; jmp 1b");

static struct user user;
static uint64_t second_root;
static struct rf_counters before, after;

static void hypercalls(void)
{
	uint32_t i;

	for (i = 0; i < ROUNDS; i++)
		hv_version();
}

static void syscalls_by_iret(void)
{
	uint32_t i;

	for (i = 0; i < ROUNDS; i++)
		user_run(&user);
}

static void syscalls_by_sysret(void)
{
	uint32_t i;

	for (i = 0; i < ROUNDS; i++)
		user_run_sysret(&user);
}

static void page_faults(void)
{
	uint32_t i;

	for (i = 0; i < ROUNDS; i++) {
		user_init(&user, 0x1000, 0);
		user_run(&user);
	}
}

/* Between two address spaces, back at the first one in the end. */
static void switches(void)
{
	uint32_t i;

	for (i = 0; i < ROUNDS; i++)
		CHECK_EQ(root_load(i % 2 ? root_boot() : second_root), 0, "load");
}

static void read_counters(struct rf_counters *counters)
{
	CHECK_EQ(hv_counters(RF_DOMAIN_SELF, 0, ADDRESS(counters)), 0, "counters");
}

/* Reading the counters is outside the marks, and one hypercall more than is in between. */
static uint64_t entries(void)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < RF_ENTRY_REASONS; i++)
		sum += after.entries[i] - before.entries[i];
	return sum - 1;
}

static void measure(const char *name, void (*perform)(void), uint64_t expected)
{
	user_init(&user, user_address(user_call), 0);
	perform();
	user_init(&user, user_address(user_call), 0);
	read_counters(&before);
	marker_emit(MARKER_START);
	perform();
	marker_emit(MARKER_STOP);
	read_counters(&after);
	printf("bench: result 0 %s %u 1\n", name, ROUNDS);
	printf("bench: counter 0 %s entry_all %lu\n", name, entries());
	CHECK(entries() >= expected && entries() <= expected + ROUNDS / 100, "%s: %lu entries",
	      name, entries());
}

void test_main(void)
{
	user_prepare(root_boot());
	second_root = root_new();
	measure("hypercalls", hypercalls, ROUNDS);
	measure("syscalls-iret", syscalls_by_iret, 2 * ROUNDS);
	measure("syscalls-sysret", syscalls_by_sysret, 2 * ROUNDS);
	measure("page-faults", page_faults, 2 * ROUNDS);
	measure("switches", switches, ROUNDS);
	printf("bench: end\n");
}
