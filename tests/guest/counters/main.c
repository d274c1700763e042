// SPDX-License-Identifier: BSD-2-Clause
/* Proves that each kind of entry is counted under its name, once, for the vCPU that made it. */
/* covers: counters */
#include "test.h"

const char test_title[] = "counters";

#define ROUNDS 100

USER_ASM(user_call, "1: syscall; jmp 1b");
USER_ASM(user_undefined, "ud2");

static struct rf_counters before, after;

static void start(void)
{
	CHECK_EQ(hv_counters(RF_DOMAIN_SELF, 0, ADDRESS(&before)), 0, "counters");
}

static void stop(void)
{
	uint32_t i;

	CHECK_EQ(hv_counters(RF_DOMAIN_SELF, 0, ADDRESS(&after)), 0, "counters");
	for (i = 0; i < sizeof(after) / 8; i++) {
		if (((uint64_t *)&after)[i] < ((uint64_t *)&before)[i])
			CHECK(false, "counter %u went down", i);
	}
}

static uint64_t entries(enum rf_entry_reason reason)
{
	return after.entries[reason] - before.entries[reason];
}

static void hypercalls(void)
{
	uint32_t i;

	start();
	for (i = 0; i < ROUNDS; i++)
		hv_version();
	hv_call(RF_HYPERCALLS, 0, 0, 0, 0, 0, 0);
	stop();
	CHECK_EQ(after.hypercalls[RF_HYPERCALL_version] - before.hypercalls[RF_HYPERCALL_version],
		 ROUNDS, "version");
	CHECK(entries(RF_ENTRY_HYPERCALL) >= ROUNDS + 2, "%lu entries",
	      entries(RF_ENTRY_HYPERCALL));
	CHECK(entries(RF_ENTRY_HYPERCALL) <= ROUNDS + 20, "%lu entries",
	      entries(RF_ENTRY_HYPERCALL));
}

static void syscalls(void)
{
	struct user user;
	uint32_t i;

	user_init(&user, user_address(user_call), 0);
	start();
	for (i = 0; i < ROUNDS; i++) {
		user_run(&user);
		user_run_sysret(&user);
	}
	stop();
	CHECK_EQ(entries(RF_ENTRY_SYSCALL), 2 * ROUNDS, "syscalls");
	CHECK_EQ(entries(RF_ENTRY_RETURN_IRET), ROUNDS, "returns by iret");
	CHECK_EQ(entries(RF_ENTRY_RETURN_SYSRET), ROUNDS, "returns by sysret");
}

static void exceptions(void)
{
	struct user user;
	struct trap trap;
	uint32_t i;

	start();
	for (i = 0; i < ROUNDS; i++) {
		user_init(&user, user_address(user_undefined), 0);
		user_run(&user);
		user_init(&user, 0x1000, 0);
		user_run(&user);
	}
	TRY(&trap)
	asm volatile("int $0x90");
	stop();
	CHECK_EQ(entries(RF_ENTRY_EXCEPTION), ROUNDS, "invalid instructions");
	CHECK(entries(RF_ENTRY_PAGE_FAULT) >= ROUNDS, "%lu page faults",
	      entries(RF_ENTRY_PAGE_FAULT));
	CHECK_EQ(after.faults - before.faults, ROUNDS, "page faults given");
	CHECK(entries(RF_ENTRY_PROTECTION) >= 1, "an int");
	CHECK(after.exceptions - before.exceptions >= ROUNDS, "exceptions given");
}

static void fills(void)
{
	uint32_t i;

	for (i = 0; i < 64; i++)
		root_map_new(root_boot(), TEST_KERNEL_BASE + i * PAGE_SIZE, PTE_KERNEL_RW);
	start();
	for (i = 0; i < 64; i++)
		load8(TEST_KERNEL_BASE + i * PAGE_SIZE);
	mmu_flush_kernel(TEST_KERNEL_BASE, TEST_KERNEL_BASE + 64 * PAGE_SIZE);
	stop();
	CHECK(after.fills > before.fills, "fills");
	CHECK(after.fills + after.window_fills >= before.fills + before.window_fills + 64,
	      "%lu fills and %lu neighbours", after.fills - before.fills,
	      after.window_fills - before.window_fills);
	CHECK_EQ(after.flushes - before.flushes, 1, "flushes");
	CHECK(after.resynced - before.resynced >= 1, "resynced");
}

static void vectors(void)
{
	start();
	interrupts_on();
	hv_send_ipi(0x80, 1);
	interrupts_off();
	stop();
	CHECK(after.vectors > before.vectors, "vectors given");
}

static void bad_arguments(void)
{
	CHECK(hv_counters(RF_DOMAIN_SELF, start_info->vcpus, ADDRESS(&after)) < 0, "no such vCPU");
	CHECK(hv_counters(RF_DOMAIN_SELF, ~0UL, ADDRESS(&after)) < 0, "no such vCPU");
	CHECK(hv_counters(RF_DOMAIN_SELF, 1UL << 32, ADDRESS(&after)) < 0, "no such vCPU");
	CHECK_EQ(hv_counters(1000, 0, ADDRESS(&after)), -ESRCH, "no such domain");
	CHECK_EQ(hv_counters(RF_DOMAIN_SELF, 0, HYPERVISOR_START), -EFAULT, "hypervisor");
}

void test_main(void)
{
	uint32_t i;

	user_prepare(root_boot());
	hypercalls();
	syscalls();
	exceptions();
	fills();
	vectors();
	bad_arguments();
	hv_counters(RF_DOMAIN_SELF, 1, ADDRESS(&after));
	for (i = 0; i < RF_ENTRY_REASONS; i++)
		CHECK_EQ(after.entries[i], 0, "vCPU 1 never ran, reason %u", i);
}
