// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that the vCPU page is trusted for nothing: bad frames are refused, and random bytes
 * written to a page while its vCPU runs hurt that domain only.
 */
/* status: 1 */
/* covers: vcpu_register_page, vcpu_init */
#include "test.h"

const char test_title[] = "hostile vCPU page";

#define ROUNDS 20000

USER_ASM(user_loop, "1: syscall; jmp 1b");

static volatile bool stop;

static void scribble(struct rf_vcpu_page *page, bool all)
{
	volatile uint64_t *words = (volatile uint64_t *)page;
	uint64_t word = all ? random_below(512) : 0;

	/* Not the kernel's stack pointers: a bad one is the domain's end, see hostile_stack. */
	if (word * 8 == offsetof(struct rf_vcpu_page, kernel_sp) ||
	    word * 8 == offsetof(struct rf_vcpu_page, fault_sp))
		return;
	words[word] = random_u64();
}

static void scribbler(void *argument)
{
	while (!stop)
		scribble(argument, true);
}

/* Where the scribbled-on vCPU goes astray is its own affair: that is an end like any other. */
static bool give_up(struct trap_frame *f)
{
	if ((f->cs & 3) != 3 && !this_vcpu()->try)
		hv_shutdown(RF_SHUTDOWN_CRASH);
	return false;
}

static void start_scribbler(void)
{
	uint32_t n;

	for (n = 0; n < 32; n++)
		trap_set_handler(n, give_up);
	vcpu_start(1, scribbler, this_page());
}

/* Its vCPU makes hypercalls and takes faults; what comes of the user's frame is not looked at. */
static void scribbled_on(void)
{
	uint32_t i;

	start_scribbler();
	for (i = 0; i < ROUNDS; i++) {
		struct trap trap;

		TRY(&trap)
		load8(TEST_KERNEL_BASE);
		hv_version();
		hv_irq_window();
		hv_send_ipi(0x80, 1);
	}
	hv_shutdown(RF_SHUTDOWN_CRASH); /* if that has not happened yet */
}

/* The same with returns to user mode, which take all they do from the page. */
static void scribbled_on_user(void)
{
	struct user user;
	uint32_t i;

	user_prepare(root_boot());
	start_scribbler();
	for (i = 0; i < ROUNDS; i++) {
		struct trap trap;

		user_init(&user, user_address(user_loop), 0);
		TRY(&trap)
		{
			if (i & 1)
				user_run(&user);
			else
				user_run_sysret(&user);
		}
	}
	hv_shutdown(RF_SHUTDOWN_CRASH);
}

/* One page for two vCPUs is a strange wish, and harmless. */
static void shared(void *argument)
{
	uint32_t i;

	hv_vcpu_register_page(physical_of(argument) / PAGE_SIZE);
	for (i = 0; i < ROUNDS / 10; i++)
		hv_yield();
	hv_vcpu_register_page(physical_of(this_page()) / PAGE_SIZE);
}

static void bad_frames(void)
{
	uint64_t end = start_info->memory_bytes / PAGE_SIZE;
	uint64_t gfn = physical_of(this_page()) / PAGE_SIZE;
	uint32_t i;

	CHECK(hv_vcpu_register_page(end) < 0, "beyond the memory");
	for (i = 40; i < 64; i++)
		CHECK(hv_vcpu_register_page((1UL << i) | gfn) < 0, "bit %u", i);
	CHECK(hv_vcpu_register_page(~0UL) < 0, "all bits");
	CHECK_EQ(hv_vcpu_register_page(gfn), 0, "the old one again");
	CHECK_EQ(hv_version(), RF_ABI_VERSION, "still there");
}

static void others(void)
{
	bad_frames();
	vcpu_start(1, shared, this_page());
	vcpu_wait(1);
	bad_frames();
}

static const struct scenario scenarios[] = {
	{ "scribbled_on", scribbled_on, SCENARIO_CRASHES },
	{ "scribbled_on_user", scribbled_on_user, SCENARIO_CRASHES },
	{ "others", others, SCENARIO_ENDS },
};

void test_main(void)
{
	scenarios_run(scenarios, sizeof(scenarios) / sizeof(scenarios[0]));
}
