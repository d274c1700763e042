// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that an interrupt between a jump to an address that is not canonical and the fault there
 * does no harm: the address is then what the CPU saves, and IRET does not take it back.
 */
/* covers: mmu_batch */
#include "test.h"

const char test_title[] = "jumps to where no code can be";

#define TIME (5 * SECOND)
#define PAGE 0x10000000UL
#define WILD 0x0000800000000000UL

/* An emulator looks for interrupts after a run of instructions: let it be a long one. */
USER_ASM(user_jump, ".rept 60; fldpi; fsin; fstp %st(0); .endr; push $0x33; push %rdi; lretq");

static volatile bool stop;

/* The other CPU is interrupted to forget a translation: its vCPU does not hear of it. */
static void interrupts(void *argument)
{
	uint64_t page = physical_of(page_alloc());

	(void)argument;
	while (!stop) {
		root_map(root_boot(), PAGE, page, PTE_USER_RW);
		load8(PAGE);
		root_unmap(root_boot(), PAGE);
		CHECK_EQ(mmu_flush(root_boot(), PAGE, PAGE + PAGE_SIZE), 0, "flush");
	}
}

static void user_jumps(void)
{
	struct user user;

	user_init(&user, user_address(user_jump), WILD);
	CHECK_EQ(user_run(&user), VECTOR_GP, "user mode");
	CHECK_EQ(user.frame.error, 0, "user mode");
}

static void kernel_jumps(void)
{
	struct trap trap;

	TRY(&trap)
	asm volatile(".rept 60; fldpi; fsin; fstp %%st(0); .endr; push $0x33; push %0; lretq"
		     :
		     : "r"(WILD));
	CHECK_EQ(trap.vector, VECTOR_GP, "guest-kernel mode");
	CHECK_EQ(trap.error, 0, "guest-kernel mode");
}

void test_main(void)
{
	uint64_t end = clock_ns() + TIME;
	uint32_t rounds = 0;

	if (start_info->vcpus < 2)
		SKIP("one vCPU");
	user_prepare(root_boot());
	vcpu_start(1, interrupts, NULL);
	while (clock_ns() < end) {
		user_jumps();
		kernel_jumps();
		rounds++;
	}
	stop = true;
	vcpu_wait(1);
	printf("%u rounds\n", rounds);
}
