// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that breakpoints work, cannot be set on the hypervisor, are of one vCPU only, and that
 * single-stepping stops after each instruction and shows nothing of the hypervisor.
 */
/* covers: set_debug_register */
#include "test.h"

const char test_title[] = "debug registers";

#define DR7_EXECUTE_0 0x1UL
#define DR7_WRITE8_0  0x90001UL /* a write of 8 bytes */
#define DR6_B0	      0x1UL
#define DR6_STEP      0x4000UL

USER_ASM(user_steps, "nop; nop; syscall; nop; mov (%rdi), %al; int $0x80; nop; nop");
USER_ASM(user_nops, "nop; nop; syscall");

static uint64_t watched;
static uint32_t hits;

static __attribute__((noinline)) void target(void)
{
	asm volatile("");
	barrier();
}

static bool on_debug(struct trap_frame *f)
{
	hits++;
	f->rflags |= FLAG_RESUME;
	return true;
}

static void execute(void)
{
	struct trap trap;

	CHECK_EQ(hv_set_debug_register(0, ADDRESS(target)), 0, "DR0");
	CHECK_EQ(hv_set_debug_register(7, DR7_EXECUTE_0), 0, "DR7");
	TRY(&trap)
	target();
	CHECK_EQ(trap.vector, VECTOR_DB, "execute");
	CHECK_EQ(trap.rip, ADDRESS(target), "before the instruction");
	CHECK_EQ(trap.dr6 & 0xf, DR6_B0, "dr6");
	CHECK_EQ(hv_set_debug_register(7, 0), 0, "DR7 off");
	target();
}

static void write_watch(void)
{
	struct trap trap;

	CHECK_EQ(hv_set_debug_register(0, ADDRESS(&watched)), 0, "DR0");
	CHECK_EQ(hv_set_debug_register(7, DR7_WRITE8_0), 0, "DR7");
	TRY(&trap)
	store64(ADDRESS(&watched), 5);
	CHECK_EQ(trap.vector, VECTOR_DB, "write");
	CHECK_EQ(trap.dr6 & 0xf, DR6_B0, "dr6");
	CHECK_EQ(watched, 5, "after the instruction");
	/* The hypervisor's own writes on the guest's behalf do not count. */
	hv_set_debug_register(0, ADDRESS(&watched));
	TRY(&trap)
	hv_read_msr(0xc0000080, ADDRESS(&watched));
	CHECK_EQ(trap.vector, VECTOR_NONE, "written by the hypervisor");
	CHECK_EQ(hv_set_debug_register(7, 0), 0, "DR7 off");
}

static void bad_values(void)
{
	static const uint64_t addresses[] = { HYPERVISOR_START,	    HYPERVISOR_START + 0x100000,
					      HYPERVISOR_END - 1,   HYPERVISOR_START - 1,
					      0x0000800000000000UL, 0x8000000000000000UL };
	uint32_t i, n;

	for (n = 0; n < 4; n++) {
		for (i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
			CHECK_EQ(hv_set_debug_register(n, addresses[i]), -EINVAL, "DR%u = %#lx", n,
				 addresses[i]);
		/* A breakpoint of 8 bytes reaches beyond its address. */
		CHECK_EQ(hv_set_debug_register(n, 0), 0, "DR%u", n);
	}
	for (i = 32; i < 64; i++)
		CHECK_EQ(hv_set_debug_register(7, 1UL << i), -EINVAL, "DR7 bit %u", i);
	CHECK_EQ(hv_set_debug_register(7, 0x2000), -EINVAL, "DR7 GD");
	for (n = 8; n < 64; n++)
		CHECK_EQ(hv_set_debug_register(n, 0), -EINVAL, "DR%u", n);
	CHECK_EQ(hv_set_debug_register(4, 0), -EINVAL, "DR4");
	CHECK_EQ(hv_set_debug_register(5, 0), -EINVAL, "DR5");
	CHECK_EQ(hv_set_debug_register(~0UL, 0), -EINVAL, "DR-1");
	CHECK_EQ(hv_set_debug_register(7, 0), 0, "DR7 off");
}

/* Each instruction once; a syscall or `int` is one instruction and is not followed into. */
static void steps(void)
{
	struct user user;
	uint64_t start = user_address(user_steps);

	user_init(&user, start, USER_STACK_TOP - 64);
	user.frame.rflags |= FLAG_TRAP;
	CHECK_EQ(user_run(&user), VECTOR_DB, "first nop");
	CHECK_EQ(user.frame.rip, start + 1, "first nop");
	CHECK_EQ(user.dr6 & DR6_STEP, DR6_STEP, "dr6");
	CHECK_EQ(user_run(&user), VECTOR_DB, "second nop");
	CHECK_EQ(user.frame.rip, start + 2, "second nop");
	CHECK_EQ(user_run(&user), VECTOR_SYSCALL, "syscall");
	CHECK_EQ(user.frame.rflags & FLAG_TRAP, FLAG_TRAP, "syscall");
	CHECK_EQ(read_flags() & FLAG_TRAP, 0, "not in the kernel");
	CHECK_EQ(user_run_sysret(&user), VECTOR_DB, "third nop, by sysret");
	CHECK(user.frame.rip == start + 4 || user.frame.rip == start + 5, "after a sysret at +%ld",
	      (int64_t)(user.frame.rip - start));
	user.frame.rip = start + 5;
	CHECK_EQ(user_run(&user), VECTOR_DB, "load");
	CHECK_EQ(user.frame.rip, start + 7, "load");
	CHECK_EQ(user_run(&user), VECTOR_GP, "int");
	user.frame.rflags &= ~FLAG_TRAP;
}

static __attribute__((noinline)) void single_step(void)
{
	asm volatile("pushfq; orq $0x100, (%%rsp); popfq; nop; nop; nop;"
		     "pushfq; andq $~0x100, (%%rsp); popfq"
		     :
		     :
		     : "memory", "cc");
}

/* In guest-kernel mode, through a hypercall too. */
static void kernel_steps(void)
{
	hits = 0;
	trap_set_handler(VECTOR_DB, on_debug);
	single_step();
	CHECK(hits >= 5 && hits <= 7, "%u steps", hits);
	hits = 0;
	asm volatile("pushfq; orq $0x100, (%rsp); popfq");
	CHECK_EQ(hv_version(), RF_ABI_VERSION, "stepping through a hypercall");
	asm volatile("pushfq; andq $~0x100, (%rsp); popfq");
	CHECK(hits > 3 && hits < 300, "%u steps", hits);
	trap_set_handler(VECTOR_DB, NULL);
}

static volatile bool other_done;

static void other(void *argument)
{
	struct trap trap;
	uint32_t i;

	(void)argument;
	TRY(&trap)
	{
		for (i = 0; i < 20000; i++) {
			target();
			if (i % 64 == 0)
				hv_yield();
		}
	}
	CHECK_EQ(trap.vector, VECTOR_NONE, "a breakpoint of another vCPU");
	other_done = true;
}

/* vCPU 0 has a breakpoint and hits it all the time; vCPU 1 runs the same code. */
static void isolation(void)
{
	uint32_t rounds = 0;

	CHECK_EQ(hv_set_debug_register(0, ADDRESS(target)), 0, "DR0");
	CHECK_EQ(hv_set_debug_register(7, DR7_EXECUTE_0), 0, "DR7");
	trap_set_handler(VECTOR_DB, on_debug);
	hits = 0;
	vcpu_start(1, other, NULL);
	while (!other_done) {
		target();
		rounds++;
		hv_yield();
	}
	CHECK_EQ(hits, rounds, "each time");
	trap_set_handler(VECTOR_DB, NULL);
	vcpu_wait(1);
	CHECK_EQ(hv_set_debug_register(7, 0), 0, "DR7 off");
}

void test_main(void)
{
	user_prepare(root_boot());
	execute();
	write_watch();
	bad_values();
	steps();
	kernel_steps();
	if (start_info->vcpus > 1)
		isolation();
}
