// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that a frame is only ever built on memory of the guest that its kernel could write to: any
 * other stack gives a double fault on fault_sp, and without one ends that domain alone.
 */
/* status: 1 */
/* covers: vcpu_register_page, domain_info */
#include "test.h"

const char test_title[] = "hostile stacks";

USER_ASM(user_ud2, "ud2");

/* Takes an exception out of user mode on this kernel stack. */
static void enter_on(uint64_t kernel_sp)
{
	struct user user;

	user_prepare(root_boot());
	user_init(&user, user_address(user_ud2), 0);
	user.kernel_sp = kernel_sp;
	user_run(&user);
}

static void sp_hypervisor(void)
{
	enter_on(HYPERVISOR_START + 0x100000);
}

static void sp_hypervisor_end(void)
{
	enter_on(HYPERVISOR_END + 16);
}

static void sp_not_canonical(void)
{
	enter_on(0x0000900000000000UL);
}

static void sp_unmapped(void)
{
	enter_on(TEST_KERNEL_BASE + 0x800);
}

static void sp_read_only(void)
{
	enter_on(ADDRESS(user_address));
}

static void sp_zero(void)
{
	enter_on(8); /* zero means no choice to user_run(); the frame wraps around all the same */
}

/* The upper page of the frame is there and the lower is not. */
static void sp_half(void)
{
	root_map_new(root_boot(), TEST_KERNEL_BASE + PAGE_SIZE, PTE_KERNEL_RW);
	enter_on(TEST_KERNEL_BASE + PAGE_SIZE + 16);
}

/* In guest-kernel mode it is RSP itself. */
static void rsp_unmapped(void)
{
	asm volatile("mov %0, %%rsp; ud2" : : "r"(TEST_KERNEL_BASE + 0x800));
}

static void rsp_hypervisor(void)
{
	asm volatile("mov %0, %%rsp; ud2" : : "r"(HYPERVISOR_START + 0x100000));
}

static void rsp_not_canonical(void)
{
	asm volatile("mov %0, %%rsp; push %%rax" : : "r"(0x0000900000000000UL));
}

/* A fault_sp that is no better. */
static void fault_sp_bad(void)
{
	this_page()->fault_sp = HYPERVISOR_START + 0x100000;
	rsp_unmapped();
}

/* A frame that just crosses a page, both halves there, is fine. */
static void crosses(void)
{
	uint64_t base = TEST_KERNEL_BASE;
	struct user user;
	uint32_t i;

	for (i = 0; i < 4; i++)
		root_map_new(root_boot(), base + i * PAGE_SIZE, PTE_KERNEL_RW);
	user_prepare(root_boot());
	for (i = 0; i <= 128; i += 16) {
		user_init(&user, user_address(user_ud2), 0);
		user.kernel_sp = base + 3 * PAGE_SIZE + i;
		CHECK_EQ(user_run(&user), VECTOR_UD, "%u bytes above a page", i);
		CHECK_EQ(user.frame.rip, user_address(user_ud2), "%u bytes above a page", i);
	}
}

static bool double_fault(struct trap_frame *f)
{
	CHECK_EQ(f->error, 0, "double fault");
	CHECK(ADDRESS(f) < this_page()->fault_sp, "it is on fault_sp");
	CHECK(ADDRESS(f) > this_page()->fault_sp - PAGE_SIZE, "it is on fault_sp");
	return false;
}

/* With a good fault_sp the kernel hears of it and lives. */
static void survives(void)
{
	struct trap trap;
	uint32_t i;

	this_page()->fault_sp = ADDRESS(page_alloc()) + PAGE_SIZE;
	trap_set_handler(VECTOR_DF, double_fault);
	for (i = 0; i < 3; i++) {
		TRY(&trap)
		rsp_unmapped();
		CHECK_EQ(trap.vector, VECTOR_DF, "unmapped RSP");
		TRY(&trap)
		rsp_hypervisor();
		CHECK_EQ(trap.vector, VECTOR_DF, "hypervisor's RSP");
	}
	trap_set_handler(VECTOR_DF, NULL);
}

static const struct scenario scenarios[] = {
	{ "sp_hypervisor", sp_hypervisor, SCENARIO_CRASHES },
	{ "sp_hypervisor_end", sp_hypervisor_end, SCENARIO_CRASHES },
	{ "sp_not_canonical", sp_not_canonical, SCENARIO_CRASHES },
	{ "sp_unmapped", sp_unmapped, SCENARIO_CRASHES },
	{ "sp_read_only", sp_read_only, SCENARIO_CRASHES },
	{ "sp_zero", sp_zero, SCENARIO_CRASHES },
	{ "sp_half", sp_half, SCENARIO_CRASHES },
	{ "rsp_unmapped", rsp_unmapped, SCENARIO_CRASHES },
	{ "rsp_hypervisor", rsp_hypervisor, SCENARIO_CRASHES },
	{ "rsp_not_canonical", rsp_not_canonical, SCENARIO_CRASHES },
	{ "fault_sp_bad", fault_sp_bad, SCENARIO_CRASHES },
	{ "crosses", crosses, SCENARIO_ENDS },
	{ "survives", survives, SCENARIO_ENDS },
};

void test_main(void)
{
	scenarios_run(scenarios, sizeof(scenarios) / sizeof(scenarios[0]));
}
