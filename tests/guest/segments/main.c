// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that FS and GS bases and the data selectors are each vCPU's own, whichever domain it is of,
 * and that a vCPU starts with none.
 */
/* covers: set_kernel_gs, vcpu_init, write_msr, read_msr */
#include "test.h"

const char test_title[] = "segments";

#define ROUNDS	      400
#define MSR_FS_BASE   0xc0000100U
#define MSR_KERNEL_GS 0xc0000102U

/* The user notes its bases and sets its own, which are in RDI (FS) and RSI (GS). */
USER_ASM(user_swap, "1: rdfsbase %rax; rdgsbase %rdx; mov %ds, %ebx; mov %es, %ebp; wrfsbase %rdi;"
		    "wrgsbase %rsi; syscall; jmp 1b");

static uint64_t read_selectors(void)
{
	uint32_t ds, es, fs, gs;

	asm volatile("mov %%ds, %0; mov %%es, %1; mov %%fs, %2; mov %%gs, %3"
		     : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
	return ds | (uint64_t)es << 16 | (uint64_t)fs << 32 | (uint64_t)gs << 48;
}

static void load_data_selectors(uint32_t ds, uint32_t es)
{
	asm volatile("mov %0, %%ds; mov %1, %%es" : : "r"(ds), "r"(es));
}

static uint64_t some_address(uint64_t owner)
{
	return owner << 40 | (random_u64() & 0xffffffffff);
}

/* One round: everything set, others run, everything is as it was. */
static void kernel_round(uint64_t owner, uint32_t i)
{
	uint32_t ds = i & 1 ? RF_USER_SS : 0;
	uint32_t es = i & 2 ? RF_USER_SS : 0;
	uint64_t fs = some_address(owner);
	uint64_t gs = some_address(owner);
	uint64_t found = 0;

	write_fs_base(fs);
	hv_write_msr(MSR_KERNEL_GS, gs);
	load_data_selectors(ds, es);
	hv_yield();
	if (i % 32 == 0)
		clock_spin(MILLISECOND);
	CHECK_EQ(read_fs_base(), fs, "FS base");
	CHECK_EQ(read_gs_base(), ADDRESS(this_vcpu()), "GS base");
	CHECK_EQ(read_selectors() & 0xffffffff, ds | es << 16, "selectors");
	CHECK_EQ(hv_read_msr(MSR_KERNEL_GS, ADDRESS(&found)), 0, "the user's GS base");
	CHECK_EQ(found, gs, "the user's GS base");
	CHECK_EQ(hv_read_msr(MSR_FS_BASE, ADDRESS(&found)), 0, "FS base");
	CHECK_EQ(found, fs, "FS base");
}

static void user_rounds(uint64_t owner)
{
	uint64_t fs = some_address(owner);
	uint64_t gs = some_address(owner);
	struct user user;
	uint32_t i;

	user_init(&user, user_address(user_swap), 0);
	user.gs_base = gs;
	write_fs_base(fs);
	for (i = 0; i < ROUNDS; i++) {
		user.frame.rdi = some_address(owner);
		user.frame.rsi = some_address(owner);
		CHECK_EQ(i & 1 ? user_run(&user) : user_run_sysret(&user), VECTOR_SYSCALL, "user");
		CHECK_EQ(user.frame.rax, fs, "round %u: FS base", i);
		CHECK_EQ(user.frame.rdx, gs, "round %u: GS base", i);
		fs = user.frame.rdi;
		gs = user.frame.rsi;
		CHECK_EQ(user.gs_base, gs, "round %u: GS base in the page", i);
		CHECK_EQ(read_gs_base(), ADDRESS(this_vcpu()), "round %u: the kernel's", i);
		hv_yield();
	}
}

static void worker(void *argument)
{
	uint64_t owner = 1 + this_vcpu()->id + 16 * start_info->domain;
	uint32_t i;

	if (argument) {
		CHECK_EQ(read_fs_base(), 0, "FS base at the start");
		CHECK_EQ(read_selectors(), 0, "selectors at the start");
	}
	for (i = 0; i < ROUNDS; i++)
		kernel_round(owner, i);
	user_rounds(owner);
}

static void all(void)
{
	uint32_t id;

	CHECK_EQ(read_fs_base(), 0, "FS base at the start");
	CHECK_EQ(read_selectors(), 0, "selectors at the start");
	user_prepare(root_boot());
	for (id = 1; id < start_info->vcpus; id++)
		vcpu_start(id, worker, &worker);
	worker(NULL);
	for (id = 1; id < start_info->vcpus; id++)
		vcpu_wait(id);
}

static const struct scenario scenarios[] = { { "other_domain", all, SCENARIO_ENDS } };

void test_main(void)
{
	if (test_is_control())
		all();
	scenarios_run(scenarios, 1);
}
